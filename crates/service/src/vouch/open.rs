//! Opening the session: by the short way where nothing else changes, else in a transaction.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::UserId,
    session::Session,
};
use countersign_storage::{error::Error as StorageError, hot::Written, identities::Found};

use super::{
    Activation, Intent, Vouch, VouchRefused, asserted,
    find::{Meant, meant, wanted},
    proof,
    short_way::ShortWay,
    transaction::{Done, Plan},
};
use crate::{
    Service, caller::Caller, directory::ClientView, error::Outage, proof::secret_key::Backend, session::draft::Terms,
    token::TokenPair,
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
        let project = &backend.project;
        let terms = Terms {
            vouched_by: Some(backend.key),
            device: vouch.device.clone(),
            dpop_jkt: None,
            proof: proof(vouch, backend, now),
            longest: None,
        };
        let shown = intent.create.as_ref().and_then(|newcomer| newcomer.activation_code.as_deref());
        let short = Arc::new(ShortWay {
            activation: Activation::asked_by(&project.settings, shown),
            asserted: asserted(vouch, project.settings.vouch_email).into(),
            draft: self.draft(project, client, terms, now),
            create: intent.create.map(|newcomer| newcomer.names),
            may_create: backend.secret_key().is_some_and(|key| key.scope.may_create_users),
            new_user: UserId::new(now, self.entropy.bytes()),
            vouched: self.entry(backend, caller, Act::SessionVouched, now),
            created: self.entry(backend, caller, Act::UserCreated, now),
            may_find: !intent.reject_existing,
            cap: client.settings.session_cap,
        });
        for _ in 0..ATTEMPTS {
            let wanted = wanted(&project.project.id, &client.client.id, &short.asserted);
            let deciding = Arc::clone(&short);
            let opened = self.db.open_session(wanted, move |found| deciding.decide(found)).await;
            let (found, written) = opened.map_err(Outage::from)?;
            match (written, short.session(&found)) {
                (Written::Lost, _) => {}
                (Written::Done, Some(session)) => return Ok(self.first_pair(project, &short.draft, &session)?),
                (Written::Done, None) => return Err(Outage::Fault("a session was opened for nobody".to_owned()).into()),
                (Written::Nothing, _) => {
                    if let Some(session) = self.open_the_long_way(&short, &found).await? {
                        return Ok(self.first_pair(project, &short.draft, &session)?);
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
            Meant::Nobody if !short.creates_the_long_way() => return Err(short.nobody()),
            Meant::User(user) if user.disabled_at.is_some() => return Err(VouchRefused::UserDisabled),
            Meant::User(_) if !short.may_find => return Err(VouchRefused::UserExists),
            Meant::Nobody | Meant::User(_) => {}
        }
        let plan = Plan {
            draft: short.draft.clone(),
            asserted: Arc::clone(&short.asserted),
            reject_existing: !short.may_find,
            newcomer: short.creates_the_long_way().then(|| short.newcomer()).flatten(),
            activation: short.activation,
            created: short.created.clone(),
            cap: short.cap,
            template: short.vouched.clone(),
            entropy: self.entropy.clone(),
            now: short.draft.session.created_at,
        };
        let done = match self.run(plan).await {
            // On PostgreSQL another sign-up of the same user may have come first.
            Err(StorageError::Taken(_)) => return Ok(None),
            done => done.map_err(Outage::from)?,
        };
        match done {
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
