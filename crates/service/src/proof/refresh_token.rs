//! A refresh token is authentic when one of the project's MAC keys made it. What it is worth is for the session to say.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use countersign_crypto::refresh_token::{RefreshToken, UnverifiedRefreshToken};
use countersign_domain::audit::Act;

use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::ProjectView,
    limits::{Rate, TooMany},
    tally::Refusal,
};

/// An authentic refresh token, and the project whose it is.
pub(crate) struct AuthenticToken {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) token: RefreshToken,
}

/// Why a refresh token isn't authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthentic {
    /// It isn't one of the project that the call is addressed to.
    #[error("not a refresh token of this project")]
    NotOurs,
    /// The same, and from a network that has tried too often.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
}

/// Failures per minute from one network where no project is addressed, whose setting would say.
const FAILURES_AT_NO_PROJECT: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

impl Service {
    /// Refuses garbage without a look at the database. Only garbage counts against its network: an authentic token is served even when
    /// others there have failed too often.
    pub(crate) fn prove_refresh_token(
        &self,
        address: &Address,
        unverified: &str,
        caller: &Caller,
    ) -> Result<AuthenticToken, NotAuthentic> {
        self.authentic_refresh_token(address, unverified).ok_or_else(|| self.count_failure(address, caller))
    }

    /// The same, for who is to be told no reason and counts for nothing.
    pub(crate) fn authentic_refresh_token(&self, address: &Address, unverified: &str) -> Option<AuthenticToken> {
        let unverified = UnverifiedRefreshToken::parse(unverified).ok()?;
        let project = self.addressed(address, Some(unverified.unverified_project().as_str())).ok()?;
        let id = unverified.unverified_mac_key();
        let verified = match project.refresh_token_key(id) {
            Some(key) => unverified.verify(key),
            // The commit that made the key was lost, but not the master key of which it came: the apps that hold its tokens are honest.
            None if project.has_forgotten_mac_key(id) => {
                unverified.verify(&self.master_key.refresh_token_key(&project.project.id, id))
            }
            None => return None,
        };
        Some(AuthenticToken { token: verified.ok()?, project })
    }

    pub(crate) fn count_failure(&self, address: &Address, caller: &Caller) -> NotAuthentic {
        let project = self.addressed(address, None).ok();
        if let Some(project) = &project {
            let (project, reason) = (project.project.id.clone(), "not_authentic");
            self.tally.refused(Refusal { project, act: Act::RefreshRefused, reason, key: None });
        }
        match self.take_failure(project.as_deref(), caller.address) {
            Ok(()) => NotAuthentic::NotOurs,
            Err(too_many) => NotAuthentic::TooMany(too_many),
        }
    }

    /// Counts a failure of a caller's network; where no project is addressed by the default setting.
    pub(crate) fn take_failure(&self, project: Option<&ProjectView>, from: IpAddr) -> Result<(), TooMany> {
        let network = countersign_crypto::caller_marks::network_of(from);
        let limit = project.map_or(FAILURES_AT_NO_PROJECT, |project| project.settings.limit_failures);
        let id = project.map_or("", |project| project.project.id.as_str());
        self.limits.take(&("failures", id, network), Rate::per_minute(limit), self.time.monotonic())
    }
}
