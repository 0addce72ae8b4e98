//! A client that signs an assertion (RFC 7523 §3).

use countersign_crypto::{encoding, jose::client_assertion::UnverifiedClientAssertion};
use countersign_domain::thumbprint::Thumbprint;
use countersign_storage::spent::Spend;

use super::{Endpoint, InvalidClient};
use crate::{
    Service,
    directory::{ClientView, ProjectView},
    error::Outage,
};

pub(super) const PURPOSE: &str = "client_assertion";

/// Which client an assertion claims to be from.
pub(super) fn claimed_client(assertion: &str) -> Result<String, InvalidClient> {
    Ok(UnverifiedClientAssertion::parse(assertion)?.unverified_client().to_owned())
}

impl Service {
    /// The visible list of what an assertion must pass. It is spent last: one that is wrong in anything uses nothing up.
    pub(super) async fn check_assertion(
        &self,
        project: &ProjectView,
        client: &ClientView,
        assertion: &str,
        endpoint: Endpoint,
    ) -> Result<Option<Thumbprint>, InvalidClient> {
        let unverified = UnverifiedClientAssertion::parse(assertion)?;
        let verified = unverified.verify(&client.keys, self.now())?;
        if !is_audience(project, client, &verified.audience, endpoint) {
            return Err(InvalidClient::OtherAudience);
        }
        let hash = encoding::encode(verified.hash);
        let spend = Spend { purpose: PURPOSE, hash, expires_at: verified.expires_at };
        let is_first = self.db.spend(&project.project.id, spend).await.map_err(Outage::from)?;
        if is_first { Ok(verified.confirmed_key) } else { Err(InvalidClient::Replayed) }
    }
}

/// The issuer. Old clients name the token endpoint: by registration, and good there only, so that no other server whose endpoint has the same
/// name in a client's configuration can pass an assertion on (RFC 9700 §2.5).
fn is_audience(project: &ProjectView, client: &ClientView, audience: &str, endpoint: Endpoint) -> bool {
    let is_issuer = audience == &*project.issuer;
    let is_legacy = client.settings.oauth_legacy && endpoint == Endpoint::Token;
    is_issuer || (is_legacy && audience.strip_prefix(&*project.issuer) == Some(Endpoint::Token.path()))
}
