//! Who the caller is, how that was proved, and by whose word.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, KeyId, ProjectId, SessionId, UserId},
    identity::{Identity, IdentityRecord},
    proof::{Level, Method},
};
use countersign_storage::identities;
use quick_cache::sync::Cache;

use crate::{
    Service,
    directory::ProjectView,
    error::Outage,
    proof::{
        access_token::Bearer,
        actor::Actor,
        client_call::{ClientUser, UserProof},
    },
};

/// What there is to say about a user who calls.
pub struct Me {
    /// The user.
    pub user: UserId,
    /// The project.
    pub project: ProjectId,
    /// The client.
    pub client: Option<ClientId>,
    /// The session.
    pub session: Option<SessionId>,
    /// How the user was proven.
    pub methods: Vec<String>,
    /// How strongly.
    pub level: Option<Level>,
    /// The key that vouched, or under which the user was proved.
    pub vouched_by: Option<KeyId>,
    /// When the access token, or the proof, expires.
    pub expires_at: Option<Timestamp>,
    /// The user's e-mail address.
    pub email: Option<String>,
    /// The customer's own id of the user.
    pub external_id: Option<String>,
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
    /// Says who the user is that calls; a backend is none.
    pub async fn me(&self, actor: &Actor) -> Result<Option<Me>, Outage> {
        match actor {
            Actor::Bearer(bearer) => Ok(Some(self.me_by_token(bearer).await?)),
            Actor::Client(client) => Ok(Some(self.me_by_call(client).await?)),
            Actor::Backend(_) => Ok(None),
        }
    }

    async fn me_by_token(&self, bearer: &Bearer) -> Result<Me, Outage> {
        let token = &bearer.token;
        let profile = self.profile(&bearer.project, token.user).await?;
        Ok(Me {
            user: token.user,
            project: bearer.project.project.id.clone(),
            client: Some(token.client.clone()),
            session: Some(token.session),
            methods: token.proof.methods.iter().map(Method::as_str).map(str::to_owned).collect(),
            level: Some(token.proof.level),
            vouched_by: token.vouched_by,
            expires_at: Some(token.expires_at),
            email: profile.email.clone(),
            external_id: profile.external_id.clone(),
        })
    }

    async fn me_by_call(&self, client: &ClientUser) -> Result<Me, Outage> {
        let (key, expires_at) = match &client.proof {
            UserProof::Mac { key, mac } => (Some(*key), mac.expires_at()),
            UserProof::Unproved => (None, None),
        };
        Ok(Me {
            user: client.user(),
            project: client.project.project.id.clone(),
            client: None,
            session: None,
            methods: vec![client.method().to_owned()],
            // A MAC is a backend's word.
            level: key.map(|_| Level::Vouched),
            vouched_by: key,
            expires_at,
            email: self.profile(&client.project, client.user()).await?.email.clone(),
            external_id: Some(client.external_id.as_str().to_owned()),
        })
    }

    pub(crate) async fn profile(&self, project: &ProjectView, user: UserId) -> Result<Arc<Profile>, Outage> {
        if let Some(profile) = self.profiles.by_user.get(&user) {
            return Ok(profile);
        }
        let forgotten = self.profiles.forgotten.load(Ordering::SeqCst);
        let project = &project.project.id;
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
