//! The public keys that a client registers: P-256 for ES256, Ed25519 for EdDSA, RSA from 2048 bits for RS256 and PS256.

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde_json::{Map, Value};

use super::{
    public_key::{InvalidJwk, NotSigned, PublicKey},
    rsa_public_key::RsaPublicKey,
    unambiguous::members,
};
use crate::encoding;

/// A client's keys, ready to check what it signed.
#[derive(Debug, Default)]
pub struct ClientJwks(Vec<ClientJwk>);

#[derive(Debug)]
struct ClientJwk {
    kid: Option<Box<str>>,
    /// Where the key says by which algorithm it signs, it is that one only.
    only: Option<Box<str>>,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Curve(PublicKey),
    Rsa { pkcs1: ParsedPublicKey, pss: ParsedPublicKey },
}

/// Why a JWK Set isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwks {
    /// No JSON object with a list of keys, or one that says something twice.
    #[error("must be a JWK Set: `{{\"keys\":[…]}}`")]
    NotASet,
    /// More than a client needs: each is tried.
    #[error("must have at most 8 keys")]
    TooMany,
    /// Two keys have one name.
    #[error("must not have two keys of one `kid`")]
    SameKid,
    /// A key won't do.
    #[error("{0}")]
    Key(#[from] InvalidJwk),
    /// An RSA key that is too short, too long, or no number.
    #[error("an RSA key must have 2048 to 8192 bits, and `n` and `e` in base64url")]
    Rsa,
}

const MOST: usize = 8;
/// How many keys may be tried for a signature that doesn't name its own.
pub const MOST_TRIED: usize = 4;
/// The algorithms by which clients may sign.
pub const ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "RS256", "PS256"];

impl ClientJwks {
    /// Reads a JWK Set.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidJwks> {
        let set = members(json).ok_or(InvalidJwks::NotASet)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(InvalidJwks::NotASet)?;
        if keys.len() > MOST {
            return Err(InvalidJwks::TooMany);
        }
        let mut read: Vec<ClientJwk> = Vec::with_capacity(keys.len());
        for key in keys {
            let key = ClientJwk::read(key.as_object().ok_or(InvalidJwks::NotASet)?)?;
            if key.kid.is_some() && read.iter().any(|known| known.kid == key.kid) {
                return Err(InvalidJwks::SameKid);
            }
            read.push(key);
        }
        Ok(Self(read))
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Did one of these keys sign the message by this algorithm? Only those that are for it are tried: by name the one, else at most four.
    pub fn verify(
        &self,
        algorithm: &str,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), NotSigned> {
        let is_meant = |key: &&ClientJwk| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let tried = self.0.iter().filter(is_meant).filter(|key| key.is_for(algorithm)).take(MOST_TRIED);
        let mut tried = tried.map(|key| key.verify(algorithm, message, signature));
        if tried.any(|verified| verified.is_ok()) { Ok(()) } else { Err(NotSigned) }
    }
}

impl ClientJwk {
    fn read(jwk: &Map<String, Value>) -> Result<Self, InvalidJwks> {
        let says = |member: &str| jwk.get(member).and_then(Value::as_str);
        let key = if says("kty") == Some("RSA") { read_rsa(jwk)? } else { Key::Curve(PublicKey::from_members(jwk)?) };
        let kid = says("kid").map(Into::into);
        Ok(Self { kid, only: says("alg").map(Into::into), key })
    }

    fn is_for(&self, algorithm: &str) -> bool {
        let can = match &self.key {
            Key::Curve(key) => key.kind().algorithms().contains(&algorithm),
            Key::Rsa { .. } => matches!(algorithm, "RS256" | "PS256"),
        };
        can && self.only.as_deref().is_none_or(|only| only == algorithm)
    }

    fn verify(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), NotSigned> {
        match &self.key {
            Key::Curve(key) => key.verify(message, signature),
            Key::Rsa { pkcs1, pss } => {
                let key = if algorithm == "PS256" { pss } else { pkcs1 };
                key.verify_sig(message, signature).map_err(|_| NotSigned)
            }
        }
    }
}

/// What only private keys have (RFC 7518 §6.3.2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn read_rsa(jwk: &Map<String, Value>) -> Result<Key, InvalidJwks> {
    if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
        return Err(InvalidJwk::Private.into());
    }
    let is_signing = jwk.get("use").is_none_or(|usage| usage == "sig");
    let is_known = jwk.get("alg").is_none_or(|alg| alg == "RS256" || alg == "PS256");
    if !is_signing || !is_known {
        return Err(InvalidJwk::OtherUse.into());
    }
    let number = |name: &str| jwk.get(name).and_then(Value::as_str).and_then(encoding::decode).ok_or(InvalidJwks::Rsa);
    let key = RsaPublicKey { modulus: number("n")?, exponent: number("e")? };
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let is_right = (2048..=8192).contains(&key.bits()) && is_odd(&key.modulus) && is_odd(&key.exponent);
    // An exponent of 1 signs nothing: the message is its own signature. The library takes at most 33 bits.
    if !is_right || key.exponent == [1] || key.exponent.len() > 4 {
        return Err(InvalidJwks::Rsa);
    }
    let parts = RsaPublicKeyComponents { n: key.modulus, e: key.exponent };
    let pkcs1 = parts.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| InvalidJwks::Rsa)?;
    let pss = parts.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256).map_err(|_| InvalidJwks::Rsa)?;
    Ok(Key::Rsa { pkcs1, pss })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::KeySize,
        signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair},
    };
    use serde_json::json;

    use super::*;
    use crate::jose::{client_key::ClientKey, public_key::Kind};

    fn rsa(size: KeySize) -> (RsaKeyPair, Value) {
        let pair = RsaKeyPair::generate(size).unwrap();
        let key = RsaPublicKey::from_der(pair.public_key().as_ref()).unwrap();
        let jwk = json!({"kty": "RSA", "n": encoding::encode(key.modulus), "e": encoding::encode(key.exponent)});
        (pair, jwk)
    }

    fn sign(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; pair.public_modulus_len()];
        #[expect(clippy::disallowed_methods, reason = "this is a test")]
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    fn set(keys: &[Value]) -> Result<ClientJwks, InvalidJwks> {
        ClientJwks::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    #[test]
    fn an_rsa_key_checks_both_paddings_unless_it_says_which() {
        let (pair, jwk) = rsa(KeySize::Rsa2048);
        let (pkcs1, pss) = (sign(&pair, &RSA_PKCS1_SHA256, b"hello"), sign(&pair, &RSA_PSS_SHA256, b"hello"));
        let both = set(std::slice::from_ref(&jwk)).unwrap();
        assert!(both.verify("RS256", None, b"hello", &pkcs1).is_ok());
        assert!(both.verify("PS256", None, b"hello", &pss).is_ok());
        assert!(both.verify("RS256", None, b"hello", &pss).is_err());
        assert!(both.verify("RS256", None, b"hullo", &pkcs1).is_err());
        assert!(both.verify("RS512", None, b"hello", &pkcs1).is_err());
        let mut one = jwk;
        one["alg"] = "PS256".into();
        let one = set(&[one]).unwrap();
        assert!(one.verify("PS256", None, b"hello", &pss).is_ok());
        assert!(one.verify("RS256", None, b"hello", &pkcs1).is_err());
    }

    #[test]
    fn a_signature_that_names_no_key_is_tried_with_four_of_its_algorithm() {
        let keys: Vec<ClientKey> = (0..6).map(|_| ClientKey::generate(Kind::Es256).unwrap()).collect();
        let other = ClientKey::generate(Kind::EdDsa).unwrap().jwk();
        let jwks: Vec<Value> = std::iter::once(other).chain(keys.iter().map(ClientKey::jwk)).collect();
        let set = set(&jwks).unwrap();
        let found: Vec<bool> = keys
            .iter()
            .map(|key| {
                let text = key.sign(b"{}", b"{}");
                let (signed, signature) = text.rsplit_once('.').unwrap();
                set.verify("ES256", None, signed.as_bytes(), &encoding::decode(signature).unwrap()).is_ok()
            })
            .collect();
        assert_eq!(found, [true, true, true, true, false, false]);
    }

    #[test]
    fn a_signature_that_names_a_key_is_tried_with_that_one() {
        let (first, second) = (ClientKey::generate(Kind::Es256).unwrap(), ClientKey::generate(Kind::Es256).unwrap());
        let named = |key: &ClientKey, kid: &str| {
            let mut jwk = key.jwk();
            jwk["kid"] = kid.into();
            jwk
        };
        let set = set(&[named(&first, "a"), named(&second, "b")]).unwrap();
        let text = first.sign(b"{}", b"{}");
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let signature = encoding::decode(signature).unwrap();
        let verify = |kid| set.verify("ES256", kid, signed.as_bytes(), &signature).is_ok();
        assert_eq!([verify(Some("a")), verify(Some("b")), verify(Some("c")), verify(None)], [true, false, false, true]);
    }

    #[test]
    fn keys_that_prove_nothing_or_tell_their_secret_are_refused() {
        let (_, good) = rsa(KeySize::Rsa2048);
        assert!(set(std::slice::from_ref(&good)).is_ok());
        let with = |name: &str, value: &str| {
            let mut jwk = good.clone();
            jwk[name] = value.into();
            set(&[jwk]).err()
        };
        assert_eq!(with("d", "AQAB"), Some(InvalidJwks::Key(InvalidJwk::Private)));
        assert_eq!(with("use", "enc"), Some(InvalidJwks::Key(InvalidJwk::OtherUse)));
        assert_eq!(with("alg", "RS512"), Some(InvalidJwks::Key(InvalidJwk::OtherUse)));
        for (name, value) in [("e", "AQ"), ("e", "Ag"), ("e", "AQAAAAAB"), ("n", "AQAB"), ("n", "!"), ("e", "")] {
            assert_eq!(with(name, value), Some(InvalidJwks::Rsa), "{name} {value}");
        }
        let short = json!({"kty": "RSA", "n": encoding::encode([0xff; 128]), "e": "AQAB"});
        assert_eq!(set(&[short]).err(), Some(InvalidJwks::Rsa));
        let symmetric = json!({"kty": "oct", "k": "AQAB"});
        assert_eq!(set(&[symmetric]).err(), Some(InvalidJwks::Key(InvalidJwk::Private)));
        for json in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": [1]}"#, r#"{"keys": [], "keys": []}"#] {
            assert_eq!(ClientJwks::parse(json.as_bytes()).err(), Some(InvalidJwks::NotASet), "{json}");
        }
        let many: Vec<Value> = (0..9).map(|_| ClientKey::generate(Kind::EdDsa).unwrap().jwk()).collect();
        assert_eq!(set(&many).err(), Some(InvalidJwks::TooMany));
        let mut named = good;
        named["kid"] = "a".into();
        assert_eq!(set(&[named.clone(), named]).err(), Some(InvalidJwks::SameKid));
    }
}
