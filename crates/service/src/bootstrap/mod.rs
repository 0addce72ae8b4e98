//! Bootstrap, the old way in of customers' backends: a client proves itself by its key, and gets a token that says so, for two minutes. The provider takes
//! such a token beside a code and reads nothing in it; an API can have it introspected.

mod challenge;
mod exchange;
mod revoke;

pub use self::{
    challenge::BootstrapChallenge,
    exchange::{BootstrapCall, BootstrapGrant},
};

use std::time::Duration;

use countersign_crypto::{
    encoding,
    jose::{bootstrap_token::BootstrapToken, jws::UnverifiedJws},
};
use countersign_storage::spent::Spend;

use crate::{Service, client_auth::call::CallNotSigned, directory::ProjectView, error::Outage};

/// How long such a token lives.
pub const LIFETIME: Duration = Duration::from_mins(2);
/// What such a token may be asked for.
const SCOPE: &str = "bootstrap";
/// What a token that was given back is spent as.
const REVOKED: &str = "bootstrap_revoked";

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapRefused {
    /// The call isn't the client's.
    #[error(transparent)]
    Client(#[from] CallNotSigned),
    /// The nonce isn't one of ours, or too old.
    #[error("nonce of the assertion must be one that /bootstrap/challenge gave within ten minutes")]
    Nonce,
    /// The page isn't the one that the assertion names, or may not call.
    #[error("origin must be the one that the assertion names, and one from which pages may call")]
    Origin,
    /// The key isn't the one that the assertion names.
    #[error("dpop_jwk must be the key that cnf of the assertion names")]
    Key,
    /// More is asked for than there is.
    #[error("scope may be bootstrap, or nothing")]
    Scope,
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Service {
    /// What a bootstrap token says that is good. None: it isn't one of this project's, or its time is over, or it was given back.
    pub(crate) async fn live_bootstrap_token(
        &self,
        project: &ProjectView,
        text: &str,
    ) -> Result<Option<BootstrapToken>, Outage> {
        let Some(token) = self.bootstrap_token(project, text) else { return Ok(None) };
        let spend = revocation(text, &token);
        let mut reader = self.db.reader().await?;
        let hash = spend.hash.as_str();
        let is_revoked =
            countersign_storage::spent::is_spent(&mut reader.conn(), &project.project.id, REVOKED, hash).await?;
        Ok(Some(token).filter(|_| !is_revoked))
    }

    fn bootstrap_token(&self, project: &ProjectView, text: &str) -> Option<BootstrapToken> {
        let jws = UnverifiedJws::parse(text).ok()?;
        let key = project.verifying_key(&jws.unverified_header.kid)?;
        let token = BootstrapToken::verify(&project.issuer, &jws, key).ok()?;
        let client = project.client(&token.client)?;
        (client.client.disabled_at.is_none() && !token.expires_at.is_past(self.now())).then_some(token)
    }
}

fn revocation(text: &str, token: &BootstrapToken) -> Spend {
    let hash = encoding::encode(countersign_crypto::digest::sha256(text));
    Spend { purpose: REVOKED, hash, expires_at: token.expires_at }
}
