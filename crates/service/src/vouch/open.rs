//! Opening the session: by the short way where nothing else changes, else in a transaction.

use std::sync::Arc;

use countersign_crypto::refresh_token::RefreshSecret;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{SessionId, UserId},
    refresh::Rotation,
    session::Session,
};
use countersign_storage::{hot::Written, identities::Found};

use super::{
    Intent, Vouch, VouchRefused, asserted,
    find::{Meant, meant, wanted},
    proof,
    short_way::{Draft, ShortWay},
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

/// How often somebody else may come first before we give up.
const ATTEMPTS: usize = 16;

impl Service {
    pub(super) async fn open_vouched(
        &self,
        backend: &Backend,
        client: &ClientView,
        vouch: &Vouch,
        intent: Intent,
        caller: &Caller,
    ) -> Result<TokenPair, VouchRefused> {
        let now = self.now();
        let short = Arc::new(ShortWay {
            asserted: asserted(vouch, backend.project.settings.vouch_email).into(),
            draft: self.draft(backend, client, vouch, now),
            create: intent.create,
            may_create: backend.secret_key().is_some_and(|key| key.scope.may_create_users),
            new_user: UserId::new(now, self.entropy.bytes()),
            vouched: self.entry(backend, caller, Act::SessionVouched, now),
            created: self.entry(backend, caller, Act::UserCreated, now),
            may_find: !intent.reject_existing,
            cap: client.settings.session_cap,
        });
        for _ in 0..ATTEMPTS {
            let wanted = wanted(&backend.project.project.id, &client.client.id, &short.asserted);
            let deciding = Arc::clone(&short);
            let opened = self.db.open_session(wanted, move |found| deciding.decide(found)).await;
            let (found, written) = opened.map_err(Outage::from)?;
            match (written, short.session(&found)) {
                (Written::Lost, _) => {}
                (Written::Done, Some(session)) => return self.first_pair(backend, &short.draft, &session),
                (Written::Done, None) => return Err(Outage::Fault("a session was opened for nobody".to_owned()).into()),
                (Written::Nothing, _) => {
                    if let Some(session) = self.open_the_long_way(&short, &found).await? {
                        return self.first_pair(backend, &short.draft, &session);
                    }
                }
            }
        }
        Err(Outage::Unavailable("the user changes faster than it can be read".to_owned()).into())
    }

    /// Refuses what can be refused already; else a transaction looks again. None: begin again.
    async fn open_the_long_way(&self, short: &ShortWay, found: &[Found]) -> Result<Option<Session>, VouchRefused> {
        match meant(&short.asserted, found, Vec::new()) {
            Meant::Conflict(conflict) => return Err(VouchRefused::Conflict(conflict)),
            Meant::Nobody => return Err(short.nobody()),
            Meant::User(user) if user.disabled_at.is_some() => return Err(VouchRefused::UserDisabled),
            Meant::User(_) if !short.may_find => return Err(VouchRefused::UserExists),
            Meant::User(_) => {}
        }
        let plan = Plan {
            draft: short.draft.clone(),
            asserted: Arc::clone(&short.asserted),
            reject_existing: !short.may_find,
            cap: short.cap,
            template: short.vouched.clone(),
            entropy: self.entropy.clone(),
            now: short.draft.session.created_at,
        };
        match self.run(plan).await.map_err(Outage::from)? {
            Done::Opened { session, changes } => {
                for change in &changes {
                    self.apply(change).await;
                }
                Ok(Some(*session))
            }
            Done::Nobody => Ok(None),
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
        Draft { session, secret: RefreshSecret::generate(&self.entropy) }
    }

    fn first_pair(&self, backend: &Backend, draft: &Draft, session: &Session) -> Result<TokenPair, VouchRefused> {
        let Rotation { generation: number, mac_key, .. } = session.rotation;
        let generation = Generation { secret: &draft.secret, number, mac_key };
        let (ends, now) = (session.access_expires_at, session.created_at);
        let pair = self.issue(&backend.project, session, &generation, ends, now);
        pair.ok_or_else(|| VouchRefused::Outage(Outage::Fault("the newest MAC key is missing".to_owned())))
    }

    /// Who vouches, when, in which request; for whom is yet to be seen.
    fn entry(&self, backend: &Backend, caller: &Caller, act: Act, now: Timestamp) -> AuditEntry {
        AuditEntry {
            project: backend.project.project.id.clone(),
            id: self.audit_id(now),
            at: now,
            act,
            actor: Actor::SecretKey(backend.key),
            subject: Subject::default(),
            request: Some(caller.request_id.clone()),
            detail: Vec::new(),
        }
    }
}
