//! The long way: one transaction that finds the user again, completes it, ends the sessions that must go, and opens the new one.

use std::{num::NonZeroU32, sync::Arc};

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    audit::{Act, AuditEntry, Subject},
    clock::Timestamp,
    id::{AuditId, SessionId, UserId},
    identity_join::{Asserted, Conflict},
    session::Session,
};
use countersign_storage::{
    Conn, audit,
    changes::{self, Change, What},
    error::Result,
    hot::Newcomer,
    identities,
    sessions::{self, NewSession},
    users,
};

use super::{
    Activation, VouchRefused,
    find::{FoundUser, Meant, find},
    short_way::record,
};
use crate::{
    Service,
    session::{
        draft::Draft,
        room::{MadeRoom, make_room},
    },
};

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
pub(super) struct Plan {
    pub(super) draft: Draft,
    pub(super) asserted: Arc<[Asserted]>,
    pub(super) reject_existing: bool,
    /// Who comes to be here, if there is nobody.
    pub(super) newcomer: Option<Newcomer>,
    pub(super) activation: Activation,
    pub(super) created: AuditEntry,
    pub(super) cap: NonZeroU32,
    pub(super) template: AuditEntry,
    pub(super) entropy: Entropy,
    pub(super) now: Timestamp,
}

pub(super) enum Done {
    Opened {
        session: Box<Session>,
        changes: Vec<Change>,
    },
    /// The user is gone, or was never there: begin again.
    Nobody,
    Refused(Refused),
}

/// What only the transaction could know.
#[derive(Clone, Copy)]
pub(super) enum Refused {
    UserExists,
    UserDisabled,
    ActivationCode,
    Conflict(Conflict),
}

impl From<Refused> for VouchRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::UserExists => Self::UserExists,
            Refused::UserDisabled => Self::UserDisabled,
            Refused::ActivationCode => Self::ActivationCode,
            Refused::Conflict(conflict) => Self::Conflict(conflict),
        }
    }
}

impl Service {
    pub(super) async fn run(&self, plan: Plan) -> Result<Done> {
        let plan = Arc::new(plan);
        self.db
            .write(move |mut conn| {
                let plan = Arc::clone(&plan);
                Box::pin(
                    async move { Work { plan: &plan, entries: Vec::new(), changes: Vec::new() }.run(&mut conn).await },
                )
            })
            .await
    }
}

/// One run of the transaction.
struct Work<'p> {
    plan: &'p Plan,
    entries: Vec<AuditEntry>,
    changes: Vec<Change>,
}

impl Work<'_> {
    async fn run(mut self, conn: &mut Conn<'_>) -> Result<Done> {
        let session = &self.plan.draft.session;
        let (user, generation) = match find(conn, &session.project, &session.client, &self.plan.asserted).await? {
            Meant::Conflict(conflict) => return Ok(Done::Refused(Refused::Conflict(conflict))),
            Meant::User(user) if user.disabled_at.is_some() => return Ok(Done::Refused(Refused::UserDisabled)),
            Meant::User(_) if self.plan.reject_existing => return Ok(Done::Refused(Refused::UserExists)),
            Meant::User(user) => self.complete(conn, user).await?,
            Meant::Nobody => match self.create(conn).await? {
                Ok(user) => (user, 0),
                Err(done) => return Ok(done),
            },
        };
        let session = self.open(conn, user, generation).await?;
        let entries: Vec<&AuditEntry> = self.entries.iter().collect();
        audit::insert_many(conn, &entries).await?;
        for change in &self.changes {
            changes::insert(conn, change).await?;
        }
        Ok(Done::Opened { session: Box::new(session), changes: self.changes })
    }

    /// Who comes to be, with the activation code that lets them.
    async fn create(&mut self, conn: &mut Conn<'_>) -> Result<std::result::Result<UserId, Done>> {
        let Some(newcomer) = &self.plan.newcomer else { return Ok(Err(Done::Nobody)) };
        let project = &newcomer.user.project;
        if !self.plan.activation.spend(conn, project, self.plan.now).await? {
            return Ok(Err(self.without_activation(conn).await?));
        }
        users::insert_many(conn, &[&newcomer.user]).await?;
        let identities: Vec<_> = newcomer.identities.iter().map(|identity| (project, identity)).collect();
        identities::insert_many(conn, &identities).await?;
        let subject = Subject { user: Some(newcomer.user.id), ..Subject::default() };
        self.entries.push(AuditEntry { subject, ..self.plan.created.clone() });
        Ok(Ok(newcomer.user.id))
    }

    /// On PostgreSQL the code may have been used up, while we waited for it, by another sign-up of the same newcomer, who is there now.
    async fn without_activation(&self, conn: &mut Conn<'_>) -> Result<Done> {
        let session = &self.plan.draft.session;
        match find(conn, &session.project, &session.client, &self.plan.asserted).await? {
            Meant::Nobody => Ok(Done::Refused(Refused::ActivationCode)),
            Meant::User(_) | Meant::Conflict(_) => Ok(Done::Nobody),
        }
    }

    async fn complete(&mut self, conn: &mut Conn<'_>, user: FoundUser) -> Result<(UserId, u32)> {
        let project = &self.plan.draft.session.project;
        for claim in &user.missing {
            identities::insert_many(conn, &[(project, &record(claim, user.id, self.plan.now))]).await?;
            self.note(Act::IdentityAdded, user.id, None, vec![("kind", claim.identity.kind().to_string())]);
        }
        if !user.missing.is_empty() {
            self.changes.push(Service::user_news(project, user.id, self.plan.now));
        }
        Ok((user.id, user.generation))
    }

    /// Opens the session; first ends those that must make room.
    async fn open(&mut self, conn: &mut Conn<'_>, user: UserId, generation: u32) -> Result<Session> {
        let draft = &self.plan.draft;
        let session = draft.of(user, generation);
        for MadeRoom { session, reason, until } in make_room(conn, &session, self.plan.cap).await? {
            self.change(What::SessionEnded(session), until);
            self.note(Act::SessionEnded, user, Some(session), vec![("reason", reason.as_str().to_owned())]);
        }
        let row = NewSession { session, secret_hash: draft.secret.hash() };
        sessions::insert_many(conn, &[&row]).await?;
        let session = row.session;
        self.note(Act::SessionVouched, user, Some(session.id), Vec::new());
        Ok(session)
    }

    fn change(&mut self, what: What, expires_at: Timestamp) {
        let project = self.plan.draft.session.project.clone();
        self.changes.push(Change { project, what, expires_at });
    }

    fn note(&mut self, act: Act, user: UserId, session: Option<SessionId>, detail: Vec<(&'static str, String)>) {
        let client = Some(self.plan.draft.session.client.clone());
        self.entries.push(AuditEntry {
            id: AuditId::new(self.plan.now, self.plan.entropy.bytes()),
            act,
            subject: Subject { user: Some(user), client, session, key: None },
            detail,
            ..self.plan.template.clone()
        });
    }
}
