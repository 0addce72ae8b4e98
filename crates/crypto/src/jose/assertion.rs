//! Assertions: what the gateway says of a caller to the API behind it, as a signed JWT that lives for a minute.

use countersign_domain::{clock::Timestamp, id::ProjectId};
use serde::Serialize;

use super::{
    jws::{NotOurs, UnverifiedJws},
    signing_key::{SigningKey, VerifyingKey},
};

/// The kind of these tokens (RFC 8725 §3.11): none can pass for an access token.
const TYPE: &str = "caller-assertion+jwt";

/// What is asserted of a caller. What isn't known is left out.
#[derive(Debug, Clone, Copy)]
pub struct Assertion<'a> {
    /// The project's issuer.
    pub issuer: &'a str,
    /// The API that it is for.
    pub audience: &'a str,
    /// The user; of a backend, its key.
    pub subject: &'a str,
    /// The project.
    pub project: &'a ProjectId,
    /// The customer's own id of the user.
    pub external_id: Option<&'a str>,
    /// How the caller was proved.
    pub methods: &'a [&'a str],
    /// The session.
    pub session: Option<&'a str>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    project: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    amr: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    iat: i64,
    exp: i64,
}

/// The claims of an assertion as JSON, if `key` signed it. Whose it is, for whom, and until when is for the caller to judge.
pub fn verified_claims(token: &UnverifiedJws<'_>, key: &VerifyingKey) -> Result<Vec<u8>, NotOurs> {
    key.verify(TYPE, token)
}

impl Assertion<'_> {
    /// Its text, signed. `iat` lies a second back, since checkers elsewhere allow no clock to differ.
    pub fn sign(&self, key: &SigningKey) -> String {
        let claims = Claims {
            iss: self.issuer,
            aud: self.audience,
            sub: self.subject,
            project: self.project.as_str(),
            external_id: self.external_id,
            amr: self.methods,
            sid: self.session,
            iat: self.issued_at.seconds() - 1,
            exp: self.expires_at.seconds(),
        };
        key.sign(TYPE, &claims)
    }
}
