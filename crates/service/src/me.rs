//! Who the caller is, how that was proved, and by whose word.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, KeyId, ProjectId, SessionId, UserId},
    identity::{Identity, IdentityRecord},
    proof::Proof,
};
use countersign_storage::identities;
use quick_cache::sync::Cache;

use crate::{Service, error::Outage, proof::access_token::Bearer};

/// What there is to say about a caller.
pub struct Me {
    /// The user.
    pub user: UserId,
    /// The project.
    pub project: ProjectId,
    /// The client.
    pub client: ClientId,
    /// The session.
    pub session: SessionId,
    /// How the user was proven.
    pub proof: Proof,
    /// The key that vouched.
    pub vouched_by: Option<KeyId>,
    /// When the access token expires.
    pub expires_at: Timestamp,
    /// Who the user is known as.
    pub profile: Arc<Profile>,
}

/// Who a user is known as.
#[derive(Debug, Default)]
pub struct Profile {
    /// The e-mail address that was added last.
    pub email: Option<String>,
    /// The customer's own identifier.
    pub external_id: Option<String>,
}

/// Profiles that were read lately.
pub(crate) struct Profiles {
    by_user: Cache<UserId, Arc<Profile>>,
    /// Counts what was forgotten: a profile read before somebody's change must not be kept after it.
    forgotten: AtomicU64,
}

impl Profiles {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { by_user: Cache::new(capacity), forgotten: AtomicU64::new(0) }
    }

    pub(crate) fn forget(&self, user: UserId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.by_user.remove(&user);
    }

    pub(crate) fn clear(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.by_user.clear();
    }

    fn keep(&self, user: UserId, profile: &Arc<Profile>, forgotten_before: u64) {
        self.by_user.insert(user, Arc::clone(profile));
        if self.forgotten.load(Ordering::SeqCst) != forgotten_before {
            self.by_user.remove(&user);
        }
    }
}

impl Service {
    /// Says who the bearer is.
    pub async fn me(&self, bearer: &Bearer) -> Result<Me, Outage> {
        let token = &bearer.token;
        Ok(Me {
            user: token.user,
            project: bearer.project.project.id.clone(),
            client: token.client.clone(),
            session: token.session,
            proof: token.proof.clone(),
            vouched_by: token.vouched_by,
            expires_at: token.expires_at,
            profile: self.profile(bearer).await?,
        })
    }

    async fn profile(&self, bearer: &Bearer) -> Result<Arc<Profile>, Outage> {
        let user = bearer.token.user;
        if let Some(profile) = self.profiles.by_user.get(&user) {
            return Ok(profile);
        }
        let forgotten = self.profiles.forgotten.load(Ordering::SeqCst);
        let project = &bearer.project.project.id;
        let records = identities::list(&mut self.db.reader().await?.conn(), project, user).await?;
        let profile = Arc::new(Profile::of(&records));
        self.profiles.keep(user, &profile, forgotten);
        Ok(profile)
    }
}

impl Profile {
    /// Of identities, the newest first.
    fn of(records: &[IdentityRecord]) -> Self {
        let newest = |is_kind: fn(&Identity) -> bool| {
            records.iter().find(|record| is_kind(&record.identity)).map(|record| record.identity.value().to_owned())
        };
        Self {
            email: newest(|identity| matches!(identity, Identity::Email(_))),
            external_id: newest(|identity| matches!(identity, Identity::ExternalId(_))),
        }
    }
}
