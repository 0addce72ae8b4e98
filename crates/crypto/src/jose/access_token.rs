//! Access tokens as any API can check them: RFC 9068, with two claims of ours, `vby` (the key that vouched) and `gen` (the revocation
//! counters of the moment). One that is bound to a key of its client says so in `cnf` (RFC 9449 §6.1).

use countersign_domain::{
    clock::Timestamp,
    generations::Generations,
    id::{ClientId, KeyId, SessionId, UserId},
    proof::{Level, Method, Proof},
    thumbprint::Thumbprint,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    jws::{self, NotOurs, UnverifiedJws},
    signing_key::{SigningKey, VerifyingKey},
    unambiguous::Object,
};
use crate::{encoding, entropy::Entropy};

/// The kind of these tokens (RFC 9068 §2.1).
const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The project's issuer.
    pub issuer: String,
    /// The API that it is for.
    pub audience: String,
    /// The user.
    pub user: UserId,
    /// The client that it was issued to.
    pub client: ClientId,
    /// The session in which it was issued.
    pub session: SessionId,
    /// Granted scopes, separated by spaces; none: empty.
    pub scope: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
    /// How the user was proven.
    pub proof: Proof,
    /// The key that vouched.
    pub vouched_by: Option<KeyId>,
    /// The revocation counters of the moment.
    pub generations: Generations,
    /// The key without which it is worthless; none: whoever holds it may use it.
    pub bound_to: Option<Thumbprint>,
}

/// The JSON of it. Claims that this program doesn't know are let pass: a newer node of the same deployment may have written them.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scope: String,
    iat: i64,
    exp: i64,
    jti: String,
    sid: String,
    amr: Vec<String>,
    acr: String,
    auth_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vby: Option<String>,
    #[serde(rename = "gen")]
    generations: [u32; 4],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cnf: Option<Object>,
}

/// How a token is bound (RFC 7800 §3.1).
pub(super) fn confirmation(key: Thumbprint) -> Object {
    Object([("jkt".to_owned(), encoding::encode(key.0).into())].into_iter().collect())
}

/// To which key it is bound. One that is bound in another way too, which only a newer node could mean, is unreadable: it must not pass for one
/// that isn't.
pub(super) fn bound_to(Object(cnf): &Object) -> Result<Thumbprint, NotOurs> {
    let jkt = cnf.get("jkt").filter(|_| cnf.len() == 1).and_then(Value::as_str);
    jkt.and_then(encoding::decode_array).map(Thumbprint).ok_or(NotOurs)
}

impl AccessToken {
    /// Its text, signed. Times are whole seconds; `iat` lies a second back, since checkers elsewhere allow no clock to differ.
    pub fn sign(&self, key: &SigningKey, entropy: &Entropy) -> String {
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: self.user.to_string(),
            aud: self.audience.clone(),
            client_id: self.client.to_string(),
            scope: self.scope.clone(),
            iat: self.issued_at.seconds() - 1,
            exp: self.expires_at.seconds(),
            jti: encoding::encode(entropy.bytes::<16>()),
            sid: self.session.to_string(),
            amr: self.proof.methods.iter().map(|method| method.as_str().to_owned()).collect(),
            acr: self.proof.level.to_string(),
            auth_time: self.proof.at.seconds(),
            vby: self.vouched_by.map(|key| key.to_string()),
            generations: self.generations.into(),
            cnf: self.bound_to.map(confirmation),
        };
        key.sign(TYPE, &claims)
    }

    /// What a token says, if `key` signed it as an access token. Whether it has expired, was revoked, and is this project's is for the caller
    /// to judge, each time anew.
    pub fn verify(token: &UnverifiedJws<'_>, key: &VerifyingKey) -> Result<Self, NotOurs> {
        let payload = key.verify(TYPE, token)?;
        let claims: Claims = jws::object(&payload)?;
        let methods: Result<Vec<Method>, _> = claims.amr.iter().map(|method| method.parse()).collect();
        Ok(Self {
            user: claims.sub.parse().map_err(|_| NotOurs)?,
            client: claims.client_id.parse().map_err(|_| NotOurs)?,
            session: claims.sid.parse().map_err(|_| NotOurs)?,
            issued_at: Timestamp::from_seconds(claims.iat.saturating_add(1)),
            expires_at: Timestamp::from_seconds(claims.exp),
            proof: Proof {
                methods: methods.map_err(|_| NotOurs)?,
                level: claims.acr.parse::<Level>().map_err(|_| NotOurs)?,
                at: Timestamp::from_seconds(claims.auth_time),
            },
            vouched_by: claims.vby.map(|key| key.parse()).transpose().map_err(|_| NotOurs)?,
            generations: claims.generations.into(),
            bound_to: claims.cnf.as_ref().map(bound_to).transpose()?,
            issuer: claims.iss,
            audience: claims.aud,
            scope: claims.scope,
        })
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::id::SigningKeyId;
    use serde_json::json;

    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::generate(SigningKeyId::from_bytes([n; 16])).unwrap()
    }

    fn token() -> AccessToken {
        AccessToken {
            issuer: "https://auth.example.com".to_owned(),
            audience: "https://api.example.com".to_owned(),
            user: UserId::from_bytes([1; 16]),
            client: "c1".parse().unwrap(),
            session: SessionId::from_bytes([2; 16]),
            scope: String::new(),
            issued_at: Timestamp::from_seconds(1_700_000_000),
            expires_at: Timestamp::from_seconds(1_700_000_900),
            proof: Proof {
                methods: vec![Method::vouch()],
                level: Level::Vouched,
                at: Timestamp::from_seconds(1_700_000_000),
            },
            vouched_by: Some(KeyId::from_bytes([3; 16])),
            generations: Generations { user: 1, client: 0, key: 2, project: 0 },
            bound_to: None,
        }
    }

    fn read(text: &str, key: &SigningKey) -> Result<AccessToken, NotOurs> {
        AccessToken::verify(&UnverifiedJws::parse(text)?, &key.verifying_key().unwrap())
    }

    /// The payload of a good token, signed by the right key under another header.
    fn under_header(key: &SigningKey, header: &Value) -> String {
        let good = token().sign(key, &Entropy::system());
        let payload = encoding::decode(good.split('.').nth(1).unwrap()).unwrap();
        key.sign_parts(header.to_string().as_bytes(), &payload)
    }

    #[test]
    fn a_token_reads_back() {
        let key = key(1);
        assert_eq!(read(&token().sign(&key, &Entropy::system()), &key), Ok(token()));
    }

    #[test]
    fn the_claims_are_those_of_rfc_9068() {
        let key = key(1);
        let text = token().sign(&key, &Entropy::new(|buffer| buffer.fill(7)));
        let part = |n: usize| -> Value {
            serde_json::from_slice(&encoding::decode(text.split('.').nth(n).unwrap()).unwrap()).unwrap()
        };
        assert_eq!(part(0), json!({"alg": "ES256", "typ": "at+jwt", "kid": key.id().to_string()}));
        let expected = json!({
            "iss": "https://auth.example.com", "sub": UserId::from_bytes([1; 16]).to_string(), "aud": "https://api.example.com",
            "client_id": "c1", "iat": 1_699_999_999, "exp": 1_700_000_900, "jti": "BwcHBwcHBwcHBwcHBwcHBw",
            "sid": SessionId::from_bytes([2; 16]).to_string(),
            "amr": ["vouch"], "acr": "urn:countersign:acr:vouched", "auth_time": 1_700_000_000,
            "vby": KeyId::from_bytes([3; 16]).to_string(), "gen": [1, 0, 2, 0],
        });
        assert_eq!(part(1), expected);
    }

    #[test]
    fn a_bound_token_says_to_which_key_and_reads_back() {
        let key = key(1);
        let bound = AccessToken { bound_to: Some(Thumbprint([0xd1; 32])), ..token() };
        let text = bound.sign(&key, &Entropy::system());
        let said: Value = serde_json::from_slice(&encoding::decode(text.split('.').nth(1).unwrap()).unwrap()).unwrap();
        assert_eq!(said["cnf"], json!({"jkt": "0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dE"}));
        assert_eq!(read(&text, &key), Ok(bound));
    }

    #[test]
    fn a_token_bound_in_another_way_passes_for_no_plain_one() {
        let key = key(1);
        let text = token().sign(&key, &Entropy::system());
        let payload = encoding::decode(text.split('.').nth(1).unwrap()).unwrap();
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.id().to_string()}).to_string();
        let under = |cnf: Value| {
            let mut claims: Value = serde_json::from_slice(&payload).unwrap();
            claims["cnf"] = cnf;
            read(&key.sign_parts(header.as_bytes(), claims.to_string().as_bytes()), &key)
        };
        assert!(under(json!({"jkt": "0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dE"})).is_ok());
        for cnf in [
            json!({}),
            json!({"x5t#S256": "0dHR"}),
            json!({"jkt": ""}),
            json!({"jkt": "0dHR"}),
            json!({"jkt": "0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dE", "x5t#S256": "0dHR"}),
            json!("jkt"),
            json!([]),
            json!(["0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dE"]),
        ] {
            assert_eq!(under(cnf.clone()), Err(NotOurs), "{cnf}");
        }
    }

    #[test]
    fn a_token_of_another_key_is_refused() {
        let text = token().sign(&key(1), &Entropy::system());
        assert_eq!(read(&text, &key(2)), Err(NotOurs));
        // The same key id, but another key.
        assert_eq!(read(&text, &key(1)), Err(NotOurs));
    }

    #[test]
    fn a_header_that_leads_anywhere_is_refused() {
        let key = key(1);
        let kid = key.id().to_string();
        assert!(read(&under_header(&key, &json!({"alg": "ES256", "typ": "at+jwt", "kid": kid})), &key).is_ok());
        let headers = [
            json!({"alg": "none", "typ": "at+jwt", "kid": kid}),
            json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}),
            json!({"alg": "ES256", "typ": "JWT", "kid": kid}),
            json!({"alg": "ES256", "kid": kid}),
            json!({"alg": "ES256", "typ": "at+jwt"}),
            json!({"alg": "ES256", "typ": "at+jwt", "kid": "../../etc/passwd"}),
            json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "b64": false, "crit": ["b64"]}),
            json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "jku": "https://evil.example"}),
            json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "x5u": "https://evil.example"}),
            json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": {}}),
        ];
        for header in headers {
            assert_eq!(read(&under_header(&key, &header), &key), Err(NotOurs), "{header}");
        }
    }

    #[test]
    fn duplicate_members_are_refused_though_the_right_key_signed_them() {
        let key = key(1);
        let text = token().sign(&key, &Entropy::system());
        let payload = encoding::decode(text.split('.').nth(1).unwrap()).unwrap();
        let doubled = String::from_utf8(payload).unwrap().replacen("\"sub\":", "\"sub\":\"x\",\"sub\":", 1);
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.id().to_string()}).to_string();
        assert_eq!(read(&key.sign_parts(header.as_bytes(), doubled.as_bytes()), &key), Err(NotOurs));
    }

    #[test]
    fn a_list_is_no_object_though_the_right_key_signed_it() {
        let key = key(1);
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.id().to_string()}).to_string();
        assert_eq!(read(&under_header(&key, &json!(["ES256", "at+jwt", key.id().to_string()])), &key), Err(NotOurs));
        let id = |prefix: &str| format!("{prefix}{}", "0".repeat(26));
        let claims = json!([
            "iss",
            id("u_"),
            "aud",
            "c1",
            "scope",
            1,
            2,
            "jti",
            id("ses_"),
            ["vouch"],
            "urn:countersign:acr:vouched",
            3,
            null,
            [0, 0, 0, 0]
        ]);
        assert_eq!(read(&key.sign_parts(header.as_bytes(), claims.to_string().as_bytes()), &key), Err(NotOurs));
    }

    #[test]
    fn no_byte_of_a_token_can_be_changed() {
        let key = key(1);
        let text = token().sign(&key, &Entropy::system());
        for position in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            assert_eq!(read(&String::from_utf8(bytes).unwrap(), &key), Err(NotOurs), "changed at {position}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let long = "a".repeat(20_000);
        for text in ["", ".", "..", "...", "a.b.c", "a.b.c.d", &long] {
            assert_eq!(read(text, &key(1)), Err(NotOurs));
        }
    }
}
