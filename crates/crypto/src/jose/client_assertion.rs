//! Assertions by which a client proves who it is (RFC 7523 §2.2): a JWT that it signs, for one server, for a moment, once.
//!
//! [`UnverifiedClientAssertion::parse`] says who it claims to be from; [`verify`](UnverifiedClientAssertion::verify) whether it is, and what
//! it says. Whom it is for and whether it was used before is for the caller to judge.

use std::time::Duration;

use countersign_domain::{clock::Timestamp, thumbprint::Thumbprint};
use serde_json::{Map, Value};

use super::{client_jwks::ClientJwks, unambiguous::members};
use crate::{digest::sha256, encoding};

/// How long one may live, from its making to its end.
pub const LONGEST_LIFE: Duration = Duration::from_mins(2);
/// How far a client's clock may be ahead, or behind at the end.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(10);
/// Longer than any that a client needs.
const LONGEST: usize = 8 * 1024;
/// Room for any random text, and none for a caller to fill our database with: it is kept as a hash anyway.
const LONGEST_ID: usize = 255;

/// What stands before the signature was checked.
#[derive(Debug)]
pub struct UnverifiedClientAssertion<'a> {
    algorithm: String,
    kid: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
    unverified_client: String,
    unverified_subject: String,
}

/// What a client's own key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAssertion {
    /// Whom it is for.
    pub audience: String,
    /// From when on it is worthless, whatever clocks differ by.
    pub expires_at: Timestamp,
    /// What tells it from every other of this client: a hash.
    pub hash: [u8; 32],
    /// The key to which it wants its tokens bound (RFC 7800 §3.1).
    pub confirmed_key: Option<Thumbprint>,
    /// Whom it is about: the client, but where somebody else may be.
    pub subject: String,
    claims: Map<String, Value>,
}

impl ClientAssertion {
    /// What else it says under this name, where that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Does it say anything under this name?
    pub fn says(&self, name: &str) -> bool {
        self.claims.contains_key(name)
    }
}

/// Why an assertion proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClientAssertion {
    /// No JWS in its compact form, or its JSON isn't unambiguous.
    #[error("the assertion is no JWT")]
    Malformed,
    /// Another kind of token.
    #[error("the assertion is of another type")]
    Type,
    /// It must be understood in a way that isn't.
    #[error("the assertion has a critical extension")]
    Critical,
    /// `iss` and `sub` aren't the client.
    #[error("iss and sub of the assertion must be the client")]
    Issuer,
    /// None of the client's keys signed it, by the algorithm that it names.
    #[error("the assertion is not signed by a key of the client")]
    Signature,
    /// `aud` isn't one text.
    #[error("aud of the assertion must be a single string")]
    Audience,
    /// `iat` or `exp` is missing, or no time.
    #[error("iat and exp of the assertion must be times")]
    NoTime,
    /// It lives too long.
    #[error("the assertion must not live longer than 120 seconds")]
    TooLong,
    /// Its time is over.
    #[error("the assertion has expired")]
    Expired,
    /// It is from the future.
    #[error("the assertion is from the future")]
    Early,
    /// `jti` is missing, empty or too long.
    #[error("jti of the assertion must be 1 to 255 bytes")]
    Id,
    /// `cnf` isn't the thumbprint of a key.
    #[error("cnf of the assertion must be the thumbprint of a key")]
    Confirmation,
}

impl<'a> UnverifiedClientAssertion<'a> {
    /// Takes a text apart and believes none of it.
    pub fn parse(text: &'a str) -> Result<Self, InvalidClientAssertion> {
        let read = Self::parse_about_another(text)?;
        if read.unverified_subject == read.unverified_client { Ok(read) } else { Err(InvalidClientAssertion::Issuer) }
    }

    /// The same, of one that may be about somebody else than the client: a user, for whom it asks something.
    pub fn parse_about_another(text: &'a str) -> Result<Self, InvalidClientAssertion> {
        use InvalidClientAssertion::{Critical, Issuer, Malformed, Type};
        if text.len() > LONGEST {
            return Err(Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Malformed)?;
        let (head, payload) = signed.split_once('.').ok_or(Malformed)?;
        let part = |part: &str| encoding::decode(part).ok_or(Malformed);
        let head = members(&part(head)?).ok_or(Malformed)?;
        let says = |member: &str| head.get(member).and_then(Value::as_str);
        // `JWT` is what libraries write; the other is RFC 7523's successor. One of our own kinds is neither.
        let is_type = |kind: &str| kind.eq_ignore_ascii_case("JWT") || kind == "client-authentication+jwt";
        if head.contains_key("typ") && !says("typ").is_some_and(is_type) {
            return Err(Type);
        }
        if head.contains_key("crit") || head.contains_key("b64") {
            return Err(Critical);
        }
        let kid = match head.get("kid") {
            Some(kid) => Some(kid.as_str().ok_or(Malformed)?.to_owned()),
            None => None,
        };
        let algorithm = says("alg").ok_or(Malformed)?.to_owned();
        let claims = members(&part(payload)?).ok_or(Malformed)?;
        let party = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(Issuer);
        let (unverified_client, unverified_subject) = (party("iss")?, party("sub")?);
        let signature = part(signature)?;
        Ok(Self { algorithm, kid, signed, signature, claims, unverified_client, unverified_subject })
    }

    /// By which algorithm it says to be signed. True, once it is verified.
    pub fn unverified_algorithm(&self) -> &str {
        &self.algorithm
    }

    /// Does it name the key that signed it?
    pub fn names_key(&self) -> bool {
        self.kid.is_some()
    }

    /// Which client it claims to be.
    pub fn unverified_client(&self) -> &str {
        &self.unverified_client
    }

    /// What it says, if one of these keys signed it, and its time is now.
    pub fn verify(&self, keys: &ClientJwks, now: Timestamp) -> Result<ClientAssertion, InvalidClientAssertion> {
        use InvalidClientAssertion::{Audience, Confirmation, Early, Expired, Id, NoTime, Signature, TooLong};
        let signed = keys.verify(&self.algorithm, self.kid.as_deref(), self.signed.as_bytes(), &self.signature);
        signed.map_err(|_| Signature)?;
        let audience = self.claims.get("aud").and_then(Value::as_str).ok_or(Audience)?.to_owned();
        let time = |name: &str| self.claims.get(name).map(|value| seconds(value).ok_or(NoTime)).transpose();
        let issued_at = time("iat")?.ok_or(NoTime)?;
        let expires_at = time("exp")?.ok_or(NoTime)?;
        if expires_at.since(issued_at) > LONGEST_LIFE {
            return Err(TooLong);
        }
        let ahead = now.plus(CLOCKS_DIFFER);
        if issued_at > ahead || time("nbf")?.is_some_and(|begin| begin > ahead) {
            return Err(Early);
        }
        let expires_at = expires_at.plus(CLOCKS_DIFFER);
        if expires_at.is_past(now) {
            return Err(Expired);
        }
        let id = self.claims.get("jti").and_then(Value::as_str).filter(|id| (1..=LONGEST_ID).contains(&id.len()));
        let confirmed_key = match self.claims.get("cnf") {
            Some(cnf) => {
                let jkt = cnf.get("jkt").and_then(Value::as_str).and_then(encoding::decode_array);
                Some(Thumbprint(jkt.ok_or(Confirmation)?))
            }
            None => None,
        };
        let hash = sha256([self.unverified_client.as_bytes(), &[0], id.ok_or(Id)?.as_bytes()].concat());
        let (subject, claims) = (self.unverified_subject.clone(), self.claims.clone());
        Ok(ClientAssertion { audience, expires_at, hash, confirmed_key, subject, claims })
    }
}

/// Seconds since 1970, of which there may be fractions (RFC 7519 §2).
fn seconds(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64() {
        return Some(Timestamp::from_seconds(seconds));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a cast of floats stops at the ends")]
    value.as_f64().map(|seconds| Timestamp::from_seconds(seconds.floor() as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{client_key::ClientKey, public_key::Kind};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    struct Given {
        key: ClientKey,
        keys: ClientJwks,
    }

    fn given() -> Given {
        let key = ClientKey::generate(Kind::Es256).unwrap();
        let keys = ClientJwks::parse(json!({ "keys": [key.jwk()] }).to_string().as_bytes()).unwrap();
        Given { key, keys }
    }

    fn claims() -> Value {
        json!({"iss": "c4", "sub": "c4", "aud": "https://auth.example.com", "iat": 1_800_000_000, "exp": 1_800_000_060, "jti": "one"})
    }

    impl Given {
        fn read(&self, head: &Value, claims: &Value) -> Result<ClientAssertion, InvalidClientAssertion> {
            let text = self.key.sign(head.to_string().as_bytes(), claims.to_string().as_bytes());
            UnverifiedClientAssertion::parse(&text)?.verify(&self.keys, NOW)
        }

        fn with(&self, name: &str, value: Value) -> Result<ClientAssertion, InvalidClientAssertion> {
            let mut claims = claims();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value;
            }
            self.read(&json!({"alg": "ES256"}), &claims)
        }

        fn headed(&self, head: &Value) -> Result<ClientAssertion, InvalidClientAssertion> {
            self.read(head, &claims())
        }
    }

    #[test]
    fn what_a_client_signed_for_a_moment_says_for_whom_it_is() {
        let given = given();
        let read = given.headed(&json!({"alg": "ES256"})).unwrap();
        assert_eq!(read.audience, "https://auth.example.com");
        assert_eq!(read.confirmed_key, None);
        assert_eq!(given.headed(&json!({"alg": "ES256", "typ": "JWT"})).unwrap().hash, read.hash);
        assert_ne!(given.with("jti", json!("two")).unwrap().hash, read.hash);
        let jkt = encoding::encode([7; 32]);
        let bound = given.with("cnf", json!({ "jkt": jkt })).unwrap();
        assert_eq!(bound.confirmed_key, Some(Thumbprint([7; 32])));
    }

    #[test]
    fn a_signature_of_another_key_or_algorithm_is_refused() {
        let given = given();
        for head in [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": "EdDSA"}),
            json!({"alg": "RS256"}),
            json!({"alg": "ES256", "kid": "another"}),
        ] {
            assert_eq!(given.headed(&head), Err(InvalidClientAssertion::Signature), "{head}");
        }
        let stranger = ClientKey::generate(Kind::Es256).unwrap();
        let text = stranger.sign(br#"{"alg":"ES256"}"#, claims().to_string().as_bytes());
        let read = UnverifiedClientAssertion::parse(&text).unwrap().verify(&given.keys, NOW);
        assert_eq!(read, Err(InvalidClientAssertion::Signature));
        let none = UnverifiedClientAssertion::parse(&text).unwrap().verify(&ClientJwks::default(), NOW);
        assert_eq!(none, Err(InvalidClientAssertion::Signature));
    }

    #[test]
    fn a_header_that_leads_anywhere_or_is_of_another_kind_is_refused() {
        use InvalidClientAssertion::{Critical, Malformed, Type};
        let given = given();
        for (head, refused) in [
            (json!({"alg": "ES256", "typ": "at+jwt"}), Type),
            (json!({"alg": "ES256", "typ": "dpop+jwt"}), Type),
            (json!({"alg": "ES256", "typ": 1}), Type),
            (json!({"alg": "ES256", "crit": ["exp"]}), Critical),
            (json!({"alg": "ES256", "b64": false}), Critical),
            (json!({"alg": "ES256", "kid": 1}), Malformed),
            (json!({"kid": "a"}), Malformed),
        ] {
            assert_eq!(given.headed(&head), Err(refused), "{head}");
        }
        // A key that comes along is not looked at.
        let stranger = ClientKey::generate(Kind::Es256).unwrap();
        let head = json!({"alg": "ES256", "jwk": stranger.jwk(), "jku": "https://evil.example", "x5u": "https://evil.example"});
        let text = stranger.sign(head.to_string().as_bytes(), claims().to_string().as_bytes());
        let read = UnverifiedClientAssertion::parse(&text).unwrap().verify(&given.keys, NOW);
        assert_eq!(read, Err(InvalidClientAssertion::Signature));
    }

    #[test]
    fn a_claim_that_is_missing_or_wrong_is_named() {
        use InvalidClientAssertion::{Audience, Confirmation, Early, Expired, Id, Issuer, NoTime, TooLong};
        let given = given();
        let null = Value::Null;
        for (name, value, refused) in [
            ("iss", null.clone(), Issuer),
            ("iss", json!("c3"), Issuer),
            ("sub", null.clone(), Issuer),
            ("sub", json!("c3"), Issuer),
            ("aud", null.clone(), Audience),
            ("aud", json!(["https://auth.example.com"]), Audience),
            ("aud", json!({"a": "https://auth.example.com"}), Audience),
            ("iat", null.clone(), NoTime),
            ("iat", json!("now"), NoTime),
            ("exp", null.clone(), NoTime),
            ("nbf", json!("now"), NoTime),
            ("exp", json!(1_800_000_121), TooLong),
            ("exp", json!(1_799_999_990), Expired),
            ("nbf", json!(1_800_000_011), Early),
            ("jti", null, Id),
            ("jti", json!(""), Id),
            ("jti", json!("a".repeat(256)), Id),
            ("cnf", json!({}), Confirmation),
            ("cnf", json!({"jkt": "short"}), Confirmation),
            ("cnf", json!("jkt"), Confirmation),
        ] {
            assert_eq!(given.with(name, value.clone()), Err(refused), "{name} {value}");
        }
        let mut early = claims();
        early["iat"] = json!(1_800_000_011);
        assert_eq!(given.read(&json!({"alg": "ES256"}), &early), Err(Early));
        assert!(given.with("exp", json!(1_800_000_120)).is_ok());
        assert!(given.with("nbf", json!(1_800_000_010)).is_ok());
        assert!(given.with("exp", json!(1_799_999_991)).is_ok(), "clocks differ");
    }

    #[test]
    fn one_about_somebody_else_is_taken_only_where_it_may_be() {
        let given = given();
        let mut about = claims();
        about["sub"] = json!("ada@example.com");
        about["purpose"] = json!("mfa_change");
        let text = given.key.sign(br#"{"alg":"ES256"}"#, about.to_string().as_bytes());
        assert_eq!(UnverifiedClientAssertion::parse(&text).err(), Some(InvalidClientAssertion::Issuer));
        let read = UnverifiedClientAssertion::parse_about_another(&text).unwrap();
        assert_eq!((read.unverified_client(), read.unverified_algorithm(), read.names_key()), ("c4", "ES256", false));
        let read = read.verify(&given.keys, NOW).unwrap();
        assert_eq!((read.subject.as_str(), read.text("purpose")), ("ada@example.com", Some("mfa_change")));
        assert!(read.says("jti") && !read.says("receipt") && read.text("iat").is_none());
    }

    #[test]
    fn what_says_something_twice_or_is_no_jwt_is_refused() {
        let given = given();
        let doubled = claims().to_string().replacen("\"iss\"", "\"iss\":\"c3\",\"iss\"", 1);
        let text = given.key.sign(br#"{"alg":"ES256"}"#, doubled.as_bytes());
        assert_eq!(UnverifiedClientAssertion::parse(&text).err(), Some(InvalidClientAssertion::Malformed));
        let long = "a".repeat(LONGEST + 1);
        for text in ["", ".", "..", "a.b.c", "a.b.c.d.e", &long] {
            assert_eq!(UnverifiedClientAssertion::parse(text).err(), Some(InvalidClientAssertion::Malformed));
        }
    }
}
