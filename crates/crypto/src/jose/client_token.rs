//! Access tokens of clients that act for themselves (RFC 6749 §4.4, RFC 9068). They name no user and no session, so that none can pass for
//! one that does, in either direction.

use countersign_domain::{clock::Timestamp, id::ClientId, thumbprint::Thumbprint};
use serde::{Deserialize, Serialize};

use super::{
    access_token::{bound_to, confirmation},
    jws::{self, NotOurs, UnverifiedJws},
    signing_key::{SigningKey, VerifyingKey},
    unambiguous::Object,
};
use crate::{encoding, entropy::Entropy};

/// The kind of these tokens (RFC 9068 §2.1).
const TYPE: &str = "at+jwt";

/// What such a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken {
    /// The project's issuer.
    pub issuer: String,
    /// The API that it is for.
    pub audience: String,
    /// The client, which is its own subject (RFC 9068 §2.2).
    pub client: ClientId,
    /// Granted scopes, separated by spaces; none: empty.
    pub scope: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
    /// The revocation counters of client and project.
    pub generations: [u32; 2],
    /// The key without which it is worthless.
    pub bound_to: Option<Thumbprint>,
}

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
    /// Another name than in tokens of users.
    cgen: [u32; 2],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cnf: Option<Object>,
}

impl ClientToken {
    /// Its text, signed. `iat` lies a second back, since checkers elsewhere allow no clock to differ.
    pub fn sign(&self, key: &SigningKey, entropy: &Entropy) -> String {
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: self.client.to_string(),
            aud: self.audience.clone(),
            client_id: self.client.to_string(),
            scope: self.scope.clone(),
            iat: self.issued_at.seconds() - 1,
            exp: self.expires_at.seconds(),
            jti: encoding::encode(entropy.bytes::<16>()),
            cgen: self.generations,
            cnf: self.bound_to.map(confirmation),
        };
        key.sign(TYPE, &claims)
    }

    /// What a token says, if `key` signed it as one of a client. Whether it has expired, was revoked, and is this project's is for the caller
    /// to judge.
    pub fn verify(token: &UnverifiedJws<'_>, key: &VerifyingKey) -> Result<Self, NotOurs> {
        let payload = key.verify(TYPE, token)?;
        let claims: Claims = jws::object(&payload)?;
        if claims.sub != claims.client_id {
            return Err(NotOurs);
        }
        Ok(Self {
            client: claims.client_id.parse().map_err(|_| NotOurs)?,
            issued_at: Timestamp::from_seconds(claims.iat.saturating_add(1)),
            expires_at: Timestamp::from_seconds(claims.exp),
            generations: claims.cgen,
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

    use super::*;
    use crate::jose::access_token::AccessToken;

    fn token() -> ClientToken {
        ClientToken {
            issuer: "https://auth.example.com".to_owned(),
            audience: "https://api.example.com".to_owned(),
            client: "c4".parse().unwrap(),
            scope: "read".to_owned(),
            issued_at: Timestamp::from_seconds(1_700_000_000),
            expires_at: Timestamp::from_seconds(1_700_000_900),
            generations: [3, 4],
            bound_to: Some(Thumbprint([7; 32])),
        }
    }

    #[test]
    fn a_clients_token_reads_back_and_passes_for_no_users() {
        let key = SigningKey::generate(SigningKeyId::from_bytes([1; 16])).unwrap();
        let text = token().sign(&key, &Entropy::system());
        let (jws, public) = (UnverifiedJws::parse(&text).unwrap(), key.verifying_key().unwrap());
        assert_eq!(ClientToken::verify(&jws, &public), Ok(token()));
        assert_eq!(AccessToken::verify(&jws, &public), Err(NotOurs));
        let other = SigningKey::generate(SigningKeyId::from_bytes([1; 16])).unwrap().verifying_key().unwrap();
        assert_eq!(ClientToken::verify(&jws, &other), Err(NotOurs));
    }
}
