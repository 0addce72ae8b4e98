//! Keys that sign our tokens: ES256 (RFC 7518 §3.4), EdDSA (RFC 8037 §3.1) and RS256 (RFC 7518 §3.3).

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_domain::{id::SigningKeyId, signing_algorithm::SigningAlgorithm};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    jwk::PublicJwk,
    jws::{NotOurs, UnverifiedJws},
    rsa_public_key::RsaPublicKey,
};
use crate::encoding;

/// A private key, read once and kept: reading it anew for each signature costs more than half a signature.
pub struct SigningKey {
    id: SigningKeyId,
    pair: Pair,
}

enum Pair {
    Es256(Box<EcdsaKeyPair>),
    EdDsa(Box<Ed25519KeyPair>),
    Rs256(Box<RsaKeyPair>),
}

/// The public half: checks what the private half signed.
pub struct VerifyingKey {
    id: SigningKeyId,
    algorithm: SigningAlgorithm,
    /// ES256: the uncompressed point, `04`, x, y. `EdDSA`: the 32 bytes. RS256: `RSAPublicKey` in DER (RFC 8017 §A.1.1).
    public: Vec<u8>,
    key: ParsedPublicKey,
}

/// Bytes that are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signing key")]
pub struct InvalidKey;

impl SigningKey {
    /// A new key for ES256, drawn by aws-lc's own generator.
    pub fn generate(id: SigningKeyId) -> Result<Self, InvalidKey> {
        Self::generate_for(SigningAlgorithm::Es256, id)
    }

    /// A new key, drawn by aws-lc's own generator. One for RSA takes a good part of a second.
    pub fn generate_for(algorithm: SigningAlgorithm, id: SigningKeyId) -> Result<Self, InvalidKey> {
        let pair = match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| InvalidKey)?;
                Pair::Es256(Box::new(pair))
            }
            SigningAlgorithm::EdDsa => Pair::EdDsa(Box::new(Ed25519KeyPair::generate().map_err(|_| InvalidKey)?)),
            SigningAlgorithm::Rs256 => {
                Pair::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| InvalidKey)?))
            }
        };
        Ok(Self { id, pair })
    }

    /// A key for ES256 from PKCS#8.
    pub fn from_pkcs8(id: SigningKeyId, bytes: &[u8]) -> Result<Self, InvalidKey> {
        Self::from_pkcs8_for(SigningAlgorithm::Es256, id, bytes)
    }

    /// From PKCS#8.
    pub fn from_pkcs8_for(algorithm: SigningAlgorithm, id: SigningKeyId, bytes: &[u8]) -> Result<Self, InvalidKey> {
        let pair = match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes);
                Pair::Es256(Box::new(pair.map_err(|_| InvalidKey)?))
            }
            SigningAlgorithm::EdDsa => {
                Pair::EdDsa(Box::new(Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| InvalidKey)?))
            }
            SigningAlgorithm::Rs256 => Pair::Rs256(Box::new(RsaKeyPair::from_pkcs8(bytes).map_err(|_| InvalidKey)?)),
        };
        Ok(Self { id, pair })
    }

    /// As PKCS#8, to be sealed.
    pub fn danger_to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
        let bytes = match &self.pair {
            Pair::Es256(pair) => pair.to_pkcs8v1().map_err(|_| InvalidKey)?.as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.to_pkcs8().map_err(|_| InvalidKey)?.as_ref().to_vec(),
            Pair::Rs256(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(&**pair).map_err(|_| InvalidKey)?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(bytes))
    }

    /// Its name.
    pub fn id(&self) -> SigningKeyId {
        self.id
    }

    /// By what it signs.
    pub fn algorithm(&self) -> SigningAlgorithm {
        match self.pair {
            Pair::Es256(_) => SigningAlgorithm::Es256,
            Pair::EdDsa(_) => SigningAlgorithm::EdDsa,
            Pair::Rs256(_) => SigningAlgorithm::Rs256,
        }
    }

    /// Its public half.
    pub fn verifying_key(&self) -> Result<VerifyingKey, InvalidKey> {
        let public = match &self.pair {
            Pair::Es256(pair) => pair.public_key().as_ref(),
            Pair::EdDsa(pair) => pair.public_key().as_ref(),
            Pair::Rs256(pair) => pair.public_key().as_ref(),
        };
        VerifyingKey::from_public(self.algorithm(), self.id, public)
    }

    /// A token of kind `typ` that says `claims`.
    pub(super) fn sign(&self, typ: &str, claims: &impl Serialize) -> String {
        let header = format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{}"}}"#, self.algorithm(), self.id);
        #[expect(clippy::expect_used, reason = "claims are plain structs of texts and numbers")]
        let payload = serde_json::to_vec(claims).expect("claims are JSON");
        self.sign_parts(header.as_bytes(), &payload)
    }

    /// Signs whatever stands in the header; apart so that tests can forge one.
    pub(super) fn sign_parts(&self, header: &[u8], payload: &[u8]) -> String {
        let mut token = encoding::encode(header);
        token.push('.');
        token.push_str(&encoding::encode(payload));
        let signature = self.sign_bytes(token.as_bytes());
        token.push('.');
        token.push_str(&encoding::encode(signature));
        token
    }

    #[expect(clippy::expect_used, reason = "a valid key signs any message")]
    fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        #[expect(clippy::disallowed_methods, reason = "a signature's nonce is no business of the caller's")]
        let nonces = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => pair.sign(&nonces, message).expect("a valid key signs").as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &nonces, message, &mut signature).expect("a valid key signs");
                signature
            }
        }
    }
}

impl VerifyingKey {
    /// A key for ES256 from an uncompressed point.
    pub fn from_point(id: SigningKeyId, point: &[u8]) -> Result<Self, InvalidKey> {
        Self::from_public(SigningAlgorithm::Es256, id, point)
    }

    /// From what [`public`](Self::public) gives.
    pub fn from_public(algorithm: SigningAlgorithm, id: SigningKeyId, public: &[u8]) -> Result<Self, InvalidKey> {
        let key = match algorithm {
            SigningAlgorithm::Es256 if public.len() == 65 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public),
            SigningAlgorithm::EdDsa if public.len() == 32 => ParsedPublicKey::new(&ED25519, public),
            SigningAlgorithm::Rs256 => {
                RsaPublicKey::from_der(public).ok_or(InvalidKey)?;
                ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            }
            SigningAlgorithm::Es256 | SigningAlgorithm::EdDsa => return Err(InvalidKey),
        };
        Ok(Self { id, algorithm, public: public.to_vec(), key: key.map_err(|_| InvalidKey)? })
    }

    /// The key as others read it.
    pub fn to_jwk(&self) -> PublicJwk {
        let (kid, alg) = (self.id.to_string(), self.algorithm.as_str());
        match self.algorithm {
            SigningAlgorithm::Es256 => {
                PublicJwk::on_curve("P-256", &self.public[1..33], Some(&self.public[33..]), kid, alg)
            }
            SigningAlgorithm::EdDsa => PublicJwk::on_curve("Ed25519", &self.public, None, kid, alg),
            SigningAlgorithm::Rs256 => {
                let RsaPublicKey { modulus, exponent } = RsaPublicKey::from_der(&self.public).unwrap_or_default();
                PublicJwk::rsa(&modulus, &exponent, kid, alg)
            }
        }
    }

    /// The key as `SubjectPublicKeyInfo` in PEM (RFC 7468 §13).
    pub fn to_pem(&self) -> Result<String, InvalidKey> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(&self.key).map_err(|_| InvalidKey)?;
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
    }

    /// Its bytes: of ES256 the uncompressed point, of `EdDSA` the 32 bytes, of RS256 `RSAPublicKey` in DER.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The payload of a token of kind `typ`, if this key signed it.
    pub(super) fn verify(&self, typ: &str, token: &UnverifiedJws<'_>) -> Result<Vec<u8>, NotOurs> {
        let header = &token.unverified_header;
        if header.alg != self.algorithm.as_str() || header.typ != typ || header.kid != self.id.to_string() {
            return Err(NotOurs);
        }
        self.key.verify_sig(token.signed.as_bytes(), &token.signature).map_err(|_| NotOurs)?;
        token.payload()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id() -> SigningKeyId {
        SigningKeyId::from_bytes([7; 16])
    }

    #[test]
    fn a_key_of_each_algorithm_is_kept_and_published_and_verifies_what_it_signed() {
        for algorithm in SigningAlgorithm::ALL {
            let made = SigningKey::generate_for(algorithm, id()).unwrap();
            let kept = SigningKey::from_pkcs8_for(algorithm, id(), &made.danger_to_pkcs8().unwrap()).unwrap();
            assert_eq!(kept.algorithm(), algorithm);
            let text = kept.sign("test+jwt", &json!({"a": 1}));
            let public = made.verifying_key().unwrap();
            let read = VerifyingKey::from_public(algorithm, id(), public.public()).unwrap();
            let token = UnverifiedJws::parse(&text).unwrap();
            assert_eq!(read.verify("test+jwt", &token).unwrap(), br#"{"a":1}"#, "{algorithm}");
            assert_eq!(read.verify("other+jwt", &token), Err(NotOurs));
            let other = SigningKey::generate_for(algorithm, id()).unwrap().verifying_key().unwrap();
            assert_eq!(other.verify("test+jwt", &token), Err(NotOurs), "{algorithm}");
            let jwk = serde_json::to_value(public.to_jwk()).unwrap();
            assert_eq!((&jwk["alg"], &jwk["use"]), (&algorithm.as_str().into(), &"sig".into()));
            assert!(public.to_pem().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"));
            for private in ["d", "p", "q"] {
                assert!(jwk.get(private).is_none(), "{algorithm}");
            }
        }
    }

    #[test]
    fn a_token_says_the_algorithm_of_its_key_and_no_other() {
        let rsa = SigningKey::generate_for(SigningAlgorithm::Rs256, id()).unwrap();
        for alg in ["none", "HS256", "ES256", "PS256", "RS512", "rs256"] {
            let header = json!({"alg": alg, "typ": "test+jwt", "kid": id().to_string()}).to_string();
            let text = rsa.sign_parts(header.as_bytes(), b"{}");
            let token = UnverifiedJws::parse(&text).unwrap();
            assert_eq!(rsa.verifying_key().unwrap().verify("test+jwt", &token), Err(NotOurs), "{alg}");
        }
    }

    #[test]
    fn bytes_of_another_kind_are_no_key() {
        for algorithm in SigningAlgorithm::ALL {
            for other in SigningAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
                let key = SigningKey::generate_for(other, id()).unwrap();
                let public = key.verifying_key().unwrap();
                assert!(VerifyingKey::from_public(algorithm, id(), public.public()).is_err(), "{algorithm} {other}");
                let private = key.danger_to_pkcs8().unwrap();
                assert!(SigningKey::from_pkcs8_for(algorithm, id(), &private).is_err(), "{algorithm} {other}");
            }
        }
    }
}
