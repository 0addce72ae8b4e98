//! The two tokens of a step-up. Each names what is kept of the step-up and nothing that is in it: they go through browsers and other people's
//! logs.

use countersign_domain::{
    clock::Timestamp,
    id::{StepUpId, UserId},
};
use serde::{Deserialize, Serialize};

use super::{
    jws::{self, NotOurs, UnverifiedJws},
    signing_key::{SigningKey, VerifyingKey},
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepUpTokenKind {
    /// What a backend gets, and the user's app begins with.
    Start,
    /// What the app gets once the user has passed, and the backend shows.
    Receipt,
}

impl StepUpTokenKind {
    /// The kind of these tokens (RFC 8725 §3.11): none can pass for another.
    const fn typ(self) -> &'static str {
        match self {
            Self::Start => "step-up-start+jwt",
            Self::Receipt => "step-up-receipt+jwt",
        }
    }

    /// Whom it is for: the address at which it is shown, below the issuer.
    const fn path(self) -> &'static str {
        match self {
            Self::Start => "/sign-in/step-up",
            Self::Receipt => "/v1/management/stepup/consume",
        }
    }
}

/// What such a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepUpToken {
    /// Which step-up it is of.
    pub id: StepUpId,
    /// Whom that is to be passed by, or was.
    pub user: UserId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    jti: String,
    iat: i64,
    exp: i64,
}

impl StepUpToken {
    /// Its text, signed.
    pub fn sign(&self, kind: StepUpTokenKind, issuer: &str, key: &SigningKey) -> String {
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: self.user.to_string(),
            aud: format!("{issuer}{}", kind.path()),
            jti: self.id.to_string(),
            iat: self.issued_at.seconds(),
            exp: self.expires_at.seconds(),
        };
        key.sign(kind.typ(), &claims)
    }

    /// What a token says, if `key` signed it as one of this kind and issuer. Whether it has expired or was used is for the caller to judge.
    pub fn verify(
        kind: StepUpTokenKind,
        issuer: &str,
        token: &UnverifiedJws<'_>,
        key: &VerifyingKey,
    ) -> Result<Self, NotOurs> {
        let payload = key.verify(kind.typ(), token)?;
        let claims: Claims = jws::object(&payload)?;
        if claims.iss != issuer || claims.aud.strip_prefix(issuer) != Some(kind.path()) {
            return Err(NotOurs);
        }
        Ok(Self {
            id: claims.jti.parse().map_err(|_| NotOurs)?,
            user: claims.sub.parse().map_err(|_| NotOurs)?,
            issued_at: Timestamp::from_seconds(claims.iat),
            expires_at: Timestamp::from_seconds(claims.exp),
        })
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::id::SigningKeyId;

    use super::*;
    use crate::jose::{access_token::AccessToken, client_token::ClientToken};

    const ISSUER: &str = "https://auth.example.com";

    fn token() -> StepUpToken {
        StepUpToken {
            id: StepUpId::from_bytes([3; 16]),
            user: UserId::from_bytes([4; 16]),
            issued_at: Timestamp::from_seconds(1_800_000_000),
            expires_at: Timestamp::from_seconds(1_800_000_060),
        }
    }

    #[test]
    fn each_kind_reads_back_as_itself_and_as_nothing_else() {
        let key = SigningKey::generate(SigningKeyId::from_bytes([1; 16])).unwrap();
        let public = key.verifying_key().unwrap();
        let other = SigningKey::generate(SigningKeyId::from_bytes([1; 16])).unwrap().verifying_key().unwrap();
        for (kind, another) in
            [(StepUpTokenKind::Start, StepUpTokenKind::Receipt), (StepUpTokenKind::Receipt, StepUpTokenKind::Start)]
        {
            let text = token().sign(kind, ISSUER, &key);
            let jws = UnverifiedJws::parse(&text).unwrap();
            assert_eq!(StepUpToken::verify(kind, ISSUER, &jws, &public), Ok(token()));
            assert_eq!(StepUpToken::verify(another, ISSUER, &jws, &public), Err(NotOurs));
            assert_eq!(StepUpToken::verify(kind, "https://auth.example.co", &jws, &public), Err(NotOurs));
            assert_eq!(StepUpToken::verify(kind, ISSUER, &jws, &other), Err(NotOurs));
            assert!(AccessToken::verify(&jws, &public).is_err() && ClientToken::verify(&jws, &public).is_err());
        }
    }
}
