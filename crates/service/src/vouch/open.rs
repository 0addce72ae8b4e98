//! Opening the session: by the short way where nothing else changes, else in a transaction.

use countersign_crypto::refresh_token::RefreshSecret;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{SessionId, UserId},
    identity_join::Asserted,
    refresh::Rotation,
    session::Session,
};
use countersign_storage::{
    sessions::NewSession,
    writer::{HotRow, HotUnit},
};

use super::{
    Intent, Vouch, VouchRefused, asserted,
    find::{FoundUser, Meant, find},
    proof,
    transaction::{Done, Plan},
};
use crate::{
    Service,
    caller::Caller,
    directory::ClientView,
    error::Outage,
    proof::secret_key::Backend,
    token::{Generation, TokenPair, access_expiry},
};

/// A session that is to be, for a user who may not be known yet.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) session: Session,
    pub(super) secret: RefreshSecret,
}

/// So many vouches for one user may be under way at once before the cap is counted exactly.
const CAP_MARGIN: u32 = 16;

impl Service {
    pub(super) async fn open_vouched(
        &self,
        backend: &Backend,
        client: &ClientView,
        vouch: &Vouch,
        intent: Intent,
        caller: &Caller,
    ) -> Result<TokenPair, VouchRefused> {
        let (project, now) = (&backend.project.project.id, self.now());
        let asserted = asserted(vouch, backend.project.settings.vouch_email);
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let meant = find(&mut reader.conn(), project, &client.client.id, &asserted)
            .await
            .map_err(Outage::from)?;
        drop(reader);
        let user = match &meant {
            Meant::Conflict(conflict) => return Err(VouchRefused::Conflict(*conflict)),
            Meant::User(user) if user.disabled_at.is_some() => return Err(VouchRefused::UserDisabled),
            Meant::User(_) if intent.reject_existing => return Err(VouchRefused::UserExists),
            Meant::User(user) => Some(user),
            Meant::Nobody if intent.create.is_none() => return Err(VouchRefused::NoSuchUser),
            Meant::Nobody => None,
        };
        let draft = self.draft(backend, client, vouch, now);
        match user.filter(|user| changes_nothing_else(user, vouch, client)) {
            Some(user) => self.open_hot(backend, draft, user, caller, now).await,
            None => {
                self.open_in_transaction(backend, client, draft, asserted, intent, caller, now)
                    .await
            }
        }
    }

    /// One row among many.
    async fn open_hot(
        &self,
        backend: &Backend,
        mut draft: Draft,
        user: &FoundUser,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<TokenPair, VouchRefused> {
        draft.session.user = user.id;
        draft.session.generations.user = user.generation;
        let entry = self.vouched_entry(backend, &draft.session, caller, now);
        let row = NewSession {
            session: draft.session.clone(),
            secret_hash: draft.secret.hash(),
        };
        let unit = HotUnit {
            row: HotRow::NewSession(Box::new(row)),
            audit: vec![entry],
        };
        // Signing goes on while the row is on its way to the disk.
        let signing = async { self.first_pair(backend, &draft, now) };
        let (written, pair) = futures_util::future::join(self.db.write_hot(unit), signing).await;
        written.map_err(Outage::from)?;
        pair
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the plan of one transaction, drawn up here and nowhere else"
    )]
    async fn open_in_transaction(
        &self,
        backend: &Backend,
        client: &ClientView,
        draft: Draft,
        asserted: Vec<Asserted>,
        intent: Intent,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<TokenPair, VouchRefused> {
        let may_create = backend.secret_key().is_some_and(|key| key.scope.may_create_users);
        let plan = Plan {
            draft,
            asserted,
            create: intent.create,
            may_create,
            reject_existing: intent.reject_existing,
            cap: client.settings.session_cap,
            new_user: UserId::new(now, self.entropy.bytes()),
            template: self.vouched_entry_template(backend, caller, now),
            entropy: self.entropy.clone(),
            now,
        };
        match self.run(plan).await.map_err(Outage::from)? {
            Done::Opened { draft, changes } => {
                for change in &changes {
                    self.apply(change).await;
                }
                self.first_pair(backend, &draft, now)
            }
            Done::Refused(refused) => Err(refused.into()),
        }
    }

    fn draft(&self, backend: &Backend, client: &ClientView, vouch: &Vouch, now: Timestamp) -> Draft {
        let settings = &client.settings;
        let project = &backend.project;
        let expires_at = now.plus(settings.refresh_lifetime);
        let nobody_yet = UserId::from_bytes([0; 16]);
        let session = Session {
            project: project.project.id.clone(),
            id: SessionId::new(now, self.entropy.bytes()),
            user: nobody_yet,
            client: client.client.id.clone(),
            vouched_by: Some(backend.key),
            device: vouch.device.clone(),
            proof: proof(vouch, backend, now),
            scope: String::new(),
            generations: project.generations(0, &client.client.id, Some(backend.key)),
            rotation: Rotation::first(now, project.mac_key()),
            created_at: now,
            idle_expires_at: now.plus(settings.session_idle),
            expires_at,
            access_expires_at: access_expiry(settings.access_lifetime, expires_at, now),
            ended: None,
        };
        Draft {
            session,
            secret: RefreshSecret::generate(&self.entropy),
        }
    }

    fn first_pair(&self, backend: &Backend, draft: &Draft, now: Timestamp) -> Result<TokenPair, VouchRefused> {
        let Draft { session, secret } = draft;
        let generation = Generation {
            secret,
            number: session.rotation.generation,
            mac_key: session.rotation.mac_key,
        };
        let pair = self.issue(&backend.project, session, &generation, session.access_expires_at, now);
        pair.ok_or_else(|| VouchRefused::Outage(Outage::Fault("the newest MAC key is missing".to_owned())))
    }

    fn vouched_entry(&self, backend: &Backend, session: &Session, caller: &Caller, now: Timestamp) -> AuditEntry {
        AuditEntry {
            id: self.audit_id(now),
            subject: Subject {
                user: Some(session.user),
                client: Some(session.client.clone()),
                session: Some(session.id),
                key: None,
            },
            ..self.vouched_entry_template(backend, caller, now)
        }
    }

    /// Who vouches, when, in which request.
    fn vouched_entry_template(&self, backend: &Backend, caller: &Caller, now: Timestamp) -> AuditEntry {
        AuditEntry {
            project: backend.project.project.id.clone(),
            id: self.audit_id(now),
            at: now,
            act: Act::SessionVouched,
            actor: Actor::SecretKey(backend.key),
            subject: Subject::default(),
            request: Some(caller.request_id.clone()),
            detail: Vec::new(),
        }
    }
}

/// Is a new row all there is to do?
fn changes_nothing_else(user: &FoundUser, vouch: &Vouch, client: &ClientView) -> bool {
    let far_from_cap = user.sessions.saturating_add(CAP_MARGIN) < client.settings.session_cap.get();
    user.missing.is_empty() && vouch.device.is_none() && far_from_cap
}
