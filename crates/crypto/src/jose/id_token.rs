//! What a client is told of who signed in (OpenID Connect Core §2), and the same shown again as a hint (§3.1.2.1).

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, SessionId, UserId},
    proof::{Method, Proof},
};
use serde::{Deserialize, Serialize};

use super::{
    jws::{self, NotOurs, UnverifiedJws},
    signing_key::{SigningKey, VerifyingKey},
};

/// The kind of these tokens: what every client expects, and none of our own others has.
const TYPE: &str = "JWT";

/// What an id_token says.
#[derive(Debug, Clone, Copy)]
pub struct IdToken<'a> {
    /// The project's issuer.
    pub issuer: &'a str,
    /// The client that it is for.
    pub client: &'a ClientId,
    /// The user.
    pub user: UserId,
    /// The session in which it was issued.
    pub session: SessionId,
    /// The user's e-mail address, and whether it was proved.
    pub email: Option<(&'a str, bool)>,
    /// What the client wants to see again.
    pub nonce: Option<&'a str>,
    /// How the user was proved.
    pub proof: &'a Proof,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    amr: Vec<&'a str>,
    acr: &'a str,
    sid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// What an id_token of ours says of whom it names, however old it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The project's issuer.
    pub issuer: String,
    /// The client that it was for.
    pub client: ClientId,
    /// The user.
    pub user: UserId,
    /// The session in which it was issued.
    pub session: SessionId,
}

#[derive(Deserialize)]
struct HintClaims {
    iss: String,
    sub: String,
    aud: String,
    sid: String,
}

impl IdToken<'_> {
    /// Its text, signed. `iat` lies a second back, since checkers elsewhere allow no clock to differ.
    pub fn sign(&self, key: &SigningKey) -> String {
        let claims = Claims {
            iss: self.issuer,
            sub: self.user.to_string(),
            aud: self.client.as_str(),
            exp: self.expires_at.seconds(),
            iat: self.issued_at.seconds() - 1,
            auth_time: self.proof.at.seconds(),
            amr: self.proof.methods.iter().map(Method::as_str).collect(),
            acr: self.proof.level.as_str(),
            sid: self.session.to_string(),
            nonce: self.nonce,
            email: self.email.map(|(address, _)| address),
            email_verified: self.email.map(|(_, verified)| verified),
        };
        key.sign(TYPE, &claims)
    }
}

impl Hint {
    /// Whom an id_token names, if `key` signed it as one. It may have expired: a hint is no proof.
    pub fn verify(token: &UnverifiedJws<'_>, key: &VerifyingKey) -> Result<Self, NotOurs> {
        let payload = key.verify(TYPE, token)?;
        let claims: HintClaims = jws::object(&payload)?;
        Ok(Self {
            client: claims.aud.parse().map_err(|_| NotOurs)?,
            user: claims.sub.parse().map_err(|_| NotOurs)?,
            session: claims.sid.parse().map_err(|_| NotOurs)?,
            issuer: claims.iss,
        })
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::{id::SigningKeyId, proof::Level, signing_algorithm::SigningAlgorithm};
    use serde_json::{Value, json};

    use super::*;
    use crate::{encoding, jose::access_token::AccessToken};

    #[test]
    fn it_says_what_openid_says_by_each_algorithm_and_passes_for_no_access_token() {
        let client: ClientId = "c3".parse().unwrap();
        let proof = Proof {
            methods: vec![Method::vouch()],
            level: Level::OneFactor,
            at: Timestamp::from_seconds(1_699_999_990),
        };
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate_for(algorithm, SigningKeyId::from_bytes([1; 16])).unwrap();
            let token = IdToken {
                issuer: "https://auth.example.com",
                client: &client,
                user: UserId::from_bytes([2; 16]),
                session: SessionId::from_bytes([3; 16]),
                email: Some(("ada@example.com", true)),
                nonce: Some("n-1"),
                proof: &proof,
                issued_at: Timestamp::from_seconds(1_700_000_000),
                expires_at: Timestamp::from_seconds(1_700_000_600),
            };
            let text = token.sign(&key);
            let part = |number: usize| -> Value {
                serde_json::from_slice(&encoding::decode(text.split('.').nth(number).unwrap()).unwrap()).unwrap()
            };
            assert_eq!(part(0), json!({"alg": algorithm.as_str(), "typ": "JWT", "kid": key.id().to_string()}));
            let said = json!({
                "iss": "https://auth.example.com", "sub": UserId::from_bytes([2; 16]).to_string(), "aud": "c3",
                "exp": 1_700_000_600, "iat": 1_699_999_999, "auth_time": 1_699_999_990, "amr": ["vouch"],
                "acr": "urn:countersign:acr:one-factor", "sid": SessionId::from_bytes([3; 16]).to_string(),
                "nonce": "n-1", "email": "ada@example.com", "email_verified": true,
            });
            assert_eq!(part(1), said);
            let (jws, public) = (UnverifiedJws::parse(&text).unwrap(), key.verifying_key().unwrap());
            assert_eq!(AccessToken::verify(&jws, &public), Err(NotOurs));
            assert_eq!(Hint::verify(&jws, &public).unwrap().user, UserId::from_bytes([2; 16]));
            let bare = IdToken { email: None, nonce: None, ..token }.sign(&key);
            let bare: Value =
                serde_json::from_slice(&encoding::decode(bare.split('.').nth(1).unwrap()).unwrap()).unwrap();
            for absent in ["nonce", "email", "email_verified", "nbf"] {
                assert!(bare.get(absent).is_none(), "{absent}");
            }
        }
    }
}
