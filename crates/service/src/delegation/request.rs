//! Requests in the older form, which say in themselves what they are. What they say must be what path and headers say, and each is taken once.

use countersign_crypto::{delegation::signature::SKEW, digest::sha256, encoding};
use countersign_domain::clock::Timestamp;
use countersign_storage::spent::Spend;

use super::subject::SubjectRefused;
use crate::{Service, error::Outage, proof::delegation::ServiceProvider};

const PURPOSE: &str = "delegation_jti";

/// What a request says of itself.
#[derive(Debug, Clone, Copy)]
pub struct SaidOfItself<'a> {
    /// What it asks for.
    pub action: &'a str,
    /// The client.
    pub sp_id: &'a str,
    /// What the client calls its key.
    pub sp_kid: Option<&'a str>,
    /// Different in each request.
    pub jti: &'a str,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
}

/// Why a request isn't taken, or can't be granted.
#[derive(Debug, thiserror::Error)]
pub enum RequestRefused {
    /// It asks for something else than its path does.
    #[error("`action` is another than the path's")]
    OtherAction,
    /// It says that it is somebody else's.
    #[error("`sp` is another than the headers'")]
    OtherProvider,
    /// It was made at another time.
    #[error("`iat` is too far from now")]
    OtherTime,
    /// It was taken before.
    #[error("`jti` was used before")]
    Replayed,
    /// Nobody is meant.
    #[error(transparent)]
    Subject(#[from] SubjectRefused),
    /// The user is locked out.
    #[error("the user is disabled")]
    UserDisabled,
    /// It would set what nobody has proved.
    #[error("the user's code is needed")]
    NotProved,
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Service {
    /// Takes a request, if it says of itself what is so. It is used up last: one that is wrong in anything uses nothing up.
    pub async fn take_request(
        &self,
        provider: &ServiceProvider,
        action: &str,
        said: &SaidOfItself<'_>,
    ) -> Result<(), RequestRefused> {
        if said.action != action {
            return Err(RequestRefused::OtherAction);
        }
        if said.sp_id != provider.client.as_str() || said.sp_kid != provider.said_key() {
            return Err(RequestRefused::OtherProvider);
        }
        if self.now().seconds().abs_diff(said.iat) > SKEW {
            return Err(RequestRefused::OtherTime);
        }
        // By client: whoever else calls theirs the same means another.
        let hash = encoding::encode(sha256(format!("{} {}", provider.client, said.jti)));
        let expires_at = Timestamp::from_seconds(said.iat.saturating_add_unsigned(SKEW + 1));
        let spend = Spend { purpose: PURPOSE, hash, expires_at };
        let is_first = self.db.spend(&provider.project.project.id, spend).await.map_err(Outage::from)?;
        if is_first { Ok(()) } else { Err(RequestRefused::Replayed) }
    }
}
