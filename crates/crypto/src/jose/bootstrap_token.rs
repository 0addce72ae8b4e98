//! Bootstrap tokens: what a backend got for its front end by the old way in. They say which client asked, and open nothing by themselves.

use countersign_domain::{clock::Timestamp, id::ClientId, thumbprint::Thumbprint};
use serde::{Deserialize, Serialize};

use super::{
    access_token::{bound_to, confirmation},
    jws::{self, NotOurs, UnverifiedJws},
    signing_key::{SigningKey, VerifyingKey},
    unambiguous::Object,
};
use crate::{encoding, entropy::Entropy};

/// The kind of these tokens (RFC 8725 §3.11).
const TYPE: &str = "bootstrap+jwt";
/// Whom they are for, below the issuer.
const PATH: &str = "/bootstrap";

/// What such a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootstrapToken {
    /// The client that asked for it.
    pub client: ClientId,
    /// What it was asked for, separated by spaces; nothing: empty.
    pub scope: String,
    /// The page that it is for, where one was named.
    pub origin: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
    /// The key without which it is worthless.
    pub bound_to: Option<Thumbprint>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cnf: Option<Object>,
}

impl BootstrapToken {
    /// Its text, signed.
    pub fn sign(&self, issuer: &str, key: &SigningKey, entropy: &Entropy) -> String {
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: self.client.to_string(),
            aud: format!("{issuer}{PATH}"),
            scope: self.scope.clone(),
            origin: self.origin.clone(),
            iat: self.issued_at.seconds(),
            exp: self.expires_at.seconds(),
            jti: encoding::encode(entropy.bytes::<16>()),
            cnf: self.bound_to.map(confirmation),
        };
        key.sign(TYPE, &claims)
    }

    /// What a token says, if `key` signed it as one of this issuer.
    pub fn verify(issuer: &str, token: &UnverifiedJws<'_>, key: &VerifyingKey) -> Result<Self, NotOurs> {
        let payload = key.verify(TYPE, token)?;
        let claims: Claims = jws::object(&payload)?;
        if claims.iss != issuer || claims.aud.strip_prefix(issuer) != Some(PATH) {
            return Err(NotOurs);
        }
        Ok(Self {
            client: claims.sub.parse().map_err(|_| NotOurs)?,
            scope: claims.scope,
            origin: claims.origin,
            issued_at: Timestamp::from_seconds(claims.iat),
            expires_at: Timestamp::from_seconds(claims.exp),
            bound_to: claims.cnf.as_ref().map(bound_to).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::id::SigningKeyId;

    use super::*;
    use crate::jose::{access_token::AccessToken, client_token::ClientToken};

    #[test]
    fn a_bootstrap_token_reads_back_and_passes_for_no_other() {
        const ISSUER: &str = "https://auth.example.com";
        let token = BootstrapToken {
            client: "c4".parse().unwrap(),
            scope: "read".to_owned(),
            origin: Some("https://app.example.com".to_owned()),
            issued_at: Timestamp::from_seconds(1_800_000_000),
            expires_at: Timestamp::from_seconds(1_800_000_120),
            bound_to: Some(Thumbprint([7; 32])),
        };
        let key = SigningKey::generate(SigningKeyId::from_bytes([1; 16])).unwrap();
        let text = token.sign(ISSUER, &key, &Entropy::system());
        let (jws, public) = (UnverifiedJws::parse(&text).unwrap(), key.verifying_key().unwrap());
        assert_eq!(BootstrapToken::verify(ISSUER, &jws, &public), Ok(token));
        assert_eq!(BootstrapToken::verify("https://auth.example.co", &jws, &public), Err(NotOurs));
        assert!(AccessToken::verify(&jws, &public).is_err() && ClientToken::verify(&jws, &public).is_err());
    }
}
