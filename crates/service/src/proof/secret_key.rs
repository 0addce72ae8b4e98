//! A secret key makes its caller the project's backend.

use std::sync::Arc;

use countersign_crypto::api_key::SecretKeyHash;
use countersign_domain::{
    audit::Act,
    id::KeyId,
    key::{KeyRefusal, SecretKey},
};

use crate::{
    Service,
    caller::Caller,
    directory::ProjectView,
    error::Outage,
    limits::{Rate, TooMany},
    tally::Refusal,
    verdicts::{ACCEPTED, Proof},
};

/// A customer's backend: whoever holds a secret key of the project.
pub struct Backend {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) key: KeyId,
}

/// Why a caller isn't a backend.
#[derive(Debug, thiserror::Error)]
pub enum NotABackend {
    /// There is no key in the call, or more than one.
    #[error("no secret key was shown")]
    Missing,
    /// What was shown is no key of this server.
    #[error("the secret key is not known")]
    Unknown,
    /// The key is one, but not now or not from there.
    #[error("the secret key can't be used")]
    Unusable(KeyRefusal),
    /// The call comes from a page in a browser: the secret is in an app, where anybody can read it.
    #[error("the secret key was shown by a browser")]
    FromBrowser,
    /// The project is closed.
    #[error("the project is closed")]
    ProjectClosed,
    /// The key has been used too often.
    #[error("the secret key is over its limit")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Backend {
    pub(crate) fn secret_key(&self) -> Option<&SecretKey> {
        self.project.secret_key(self.key)
    }
}

impl Service {
    /// Who shows a secret key is a backend of the key's project.
    pub fn prove_secret_key(&self, unverified: Option<&str>, caller: &Caller) -> Result<Backend, NotABackend> {
        let proved = self.fresh().map_err(NotABackend::Outage).and_then(|()| self.backend(unverified, caller));
        let reason = proved.as_ref().map_or_else(NotABackend::reason, |_| ACCEPTED);
        Proof::SecretKey.count(reason);
        proved
    }

    fn backend(&self, unverified: Option<&str>, caller: &Caller) -> Result<Backend, NotABackend> {
        let unverified = unverified.ok_or(NotABackend::Missing)?;
        let (project, id) = self.find_secret_key(unverified).ok_or(NotABackend::Unknown)?;
        let key = project.secret_key(id).ok_or(NotABackend::Unknown)?;
        let backend = Backend { project: Arc::clone(&project), key: id };
        self.check_use(key, &project, caller).inspect_err(|refused| {
            let act = match refused {
                NotABackend::FromBrowser => Act::SecretInBrowser,
                _ => Act::VouchRefused,
            };
            self.refused(&backend, act, refused.reason());
        })?;
        self.tally.used(&project.project.id, id, self.now());
        Ok(backend)
    }

    /// The key that a text is, and its project. Whether it may be used is another matter.
    pub(crate) fn find_secret_key(&self, unverified: &str) -> Option<(Arc<ProjectView>, KeyId)> {
        let hash = SecretKeyHash::of_unverified(unverified)?;
        let directory = self.directory.load();
        let (project, id) = directory.secret_key(&hash)?;
        let is_same = project.key_hash(id).is_some_and(|known| known.matches(&hash));
        is_same.then(|| (Arc::clone(project), id))
    }

    fn check_use(&self, key: &SecretKey, project: &ProjectView, caller: &Caller) -> Result<(), NotABackend> {
        self.check_standing(key, project, caller)?;
        let settings = &project.settings;
        let per_second = key.scope.rate.unwrap_or(settings.limit_key_rate);
        let rate = Rate::per_second(per_second, settings.limit_key_burst.max(per_second));
        self.limits.take(&("key", key.id), rate, self.time.monotonic()).map_err(NotABackend::TooMany)
    }

    /// The visible list of what a live key must pass.
    pub(crate) fn check_standing(
        &self,
        key: &SecretKey,
        project: &ProjectView,
        caller: &Caller,
    ) -> Result<(), NotABackend> {
        if project.is_disabled() {
            return Err(NotABackend::ProjectClosed);
        }
        // Before all that only narrows where and when: a secret in an app is to be heard of, even where it can't be used.
        if caller.origin.is_some() {
            return Err(NotABackend::FromBrowser);
        }
        key.check(self.now(), caller.address).map_err(NotABackend::Unusable)
    }

    /// Counts a refusal of a backend whose key was right.
    pub(crate) fn refused(&self, backend: &Backend, act: Act, reason: &'static str) {
        let project = backend.project.project.id.clone();
        self.tally.refused(Refusal { project, act, reason, key: Some(backend.key) });
    }
}

impl NotABackend {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Unusable(KeyRefusal::Revoked) => "revoked",
            Self::Unusable(KeyRefusal::Expired) => "expired",
            Self::Unusable(KeyRefusal::ForeignNetwork) => "foreign_network",
            Self::FromBrowser => "from_browser",
            Self::ProjectClosed => "project_closed",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
