//! The long way: one transaction that finds the user again, makes or completes it, ends the sessions that must go, and opens the new one.

use std::{num::NonZeroU32, sync::Arc};

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    audit::{Act, AuditEntry, Subject},
    clock::Timestamp,
    id::{AuditId, SessionId, UserId},
    identity::{IdentityRecord, IdentitySource},
    identity_join::{Asserted, Conflict},
    session::EndReason,
    user::User,
};
use countersign_storage::{
    Conn, audit,
    changes::{self, Change, What},
    error::Result,
    identities,
    sessions::{self, NewSession},
    users,
};

use super::{
    Names, VouchRefused,
    find::{FoundUser, Meant, find},
    open::Draft,
};
use crate::Service;

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
pub(super) struct Plan {
    pub(super) draft: Draft,
    pub(super) asserted: Vec<Asserted>,
    pub(super) create: Option<Names>,
    pub(super) may_create: bool,
    pub(super) reject_existing: bool,
    pub(super) cap: NonZeroU32,
    pub(super) new_user: UserId,
    pub(super) template: AuditEntry,
    pub(super) entropy: Entropy,
    pub(super) now: Timestamp,
}

pub(super) enum Done {
    Opened { draft: Box<Draft>, changes: Vec<Change> },
    Refused(Refused),
}

/// What only the transaction could know.
#[derive(Clone, Copy)]
pub(super) enum Refused {
    NoSuchUser,
    UserExists,
    UserDisabled,
    MayNotCreateUsers,
    Conflict(Conflict),
}

impl From<Refused> for VouchRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoSuchUser => Self::NoSuchUser,
            Refused::UserExists => Self::UserExists,
            Refused::UserDisabled => Self::UserDisabled,
            Refused::MayNotCreateUsers => Self::MayNotCreateUsers,
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
                Box::pin(async move {
                    Work {
                        plan: &plan,
                        entries: Vec::new(),
                        changes: Vec::new(),
                    }
                    .run(&mut conn)
                    .await
                })
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
            Meant::Nobody => match &self.plan.create {
                None => return Ok(Done::Refused(Refused::NoSuchUser)),
                Some(_) if !self.plan.may_create => return Ok(Done::Refused(Refused::MayNotCreateUsers)),
                Some(names) => self.create(conn, names).await?,
            },
        };
        let draft = self.open(conn, user, generation).await?;
        let entries: Vec<&AuditEntry> = self.entries.iter().collect();
        audit::insert_many(conn, &entries).await?;
        for change in &self.changes {
            changes::insert(conn, change).await?;
        }
        Ok(Done::Opened {
            draft: Box::new(draft),
            changes: self.changes,
        })
    }

    async fn create(&mut self, conn: &mut Conn<'_>, names: &Names) -> Result<(UserId, u32)> {
        let (plan, id) = (self.plan, self.plan.new_user);
        let user = User {
            project: plan.draft.session.project.clone(),
            id,
            given_name: names.given.clone(),
            family_name: names.family.clone(),
            generation: 0,
            created_at: plan.now,
            updated_at: plan.now,
            disabled_at: None,
            merged_into: None,
        };
        users::insert(conn, &user).await?;
        self.note(Act::UserCreated, id, None, Vec::new());
        for claim in &plan.asserted {
            self.add(conn, id, claim).await?;
        }
        Ok((id, 0))
    }

    async fn complete(&mut self, conn: &mut Conn<'_>, user: FoundUser) -> Result<(UserId, u32)> {
        for claim in &user.missing {
            self.add(conn, user.id, claim).await?;
            self.note(
                Act::IdentityAdded,
                user.id,
                None,
                vec![("kind", claim.identity.kind().to_string())],
            );
        }
        if !user.missing.is_empty() {
            self.change(What::UserChanged(user.id), self.plan.now);
        }
        Ok((user.id, user.generation))
    }

    async fn add(&self, conn: &mut Conn<'_>, user: UserId, claim: &Asserted) -> Result<()> {
        let record = IdentityRecord {
            identity: claim.identity.clone(),
            user,
            source: IdentitySource::Vouch,
            verified_at: claim.is_verified.then_some(self.plan.now),
            created_at: self.plan.now,
        };
        identities::insert(conn, &self.plan.draft.session.project, &record).await
    }

    /// Opens the session; first ends those that must make room. Nobody else counts this user's sessions meanwhile.
    async fn open(&mut self, conn: &mut Conn<'_>, user: UserId, generation: u32) -> Result<Draft> {
        let mut draft = self.plan.draft.clone();
        draft.session.user = user;
        draft.session.generations.user = generation;
        let (project, client) = (&draft.session.project, &draft.session.client);
        users::lock(conn, project, user).await?;
        if let Some(device) = &draft.session.device {
            let same = sessions::find_live_of_device(conn, project, user, client, device).await?;
            self.end(conn, user, same, EndReason::Replaced).await?;
        }
        let beyond = sessions::list_beyond(conn, project, user, client, self.plan.cap.get() - 1).await?;
        self.end(conn, user, beyond, EndReason::Cap).await?;
        let row = NewSession {
            session: draft.session.clone(),
            secret_hash: draft.secret.hash(),
        };
        sessions::insert_many(conn, &[&row]).await?;
        self.note(Act::SessionVouched, user, Some(draft.session.id), Vec::new());
        Ok(draft)
    }

    async fn end(&mut self, conn: &mut Conn<'_>, user: UserId, ended: Vec<SessionId>, reason: EndReason) -> Result<()> {
        let project = self.plan.draft.session.project.clone();
        for session in ended {
            if let Some(until) = sessions::end(conn, &project, session, reason, self.plan.now).await? {
                self.change(What::SessionEnded(session), until);
                self.note(
                    Act::SessionEnded,
                    user,
                    Some(session),
                    vec![("reason", reason.as_str().to_owned())],
                );
            }
        }
        Ok(())
    }

    fn change(&mut self, what: What, expires_at: Timestamp) {
        let project = self.plan.draft.session.project.clone();
        self.changes.push(Change {
            project,
            what,
            expires_at,
        });
    }

    fn note(&mut self, act: Act, user: UserId, session: Option<SessionId>, detail: Vec<(&'static str, String)>) {
        let client = Some(self.plan.draft.session.client.clone());
        self.entries.push(AuditEntry {
            id: AuditId::new(self.plan.now, self.plan.entropy.bytes()),
            act,
            subject: Subject {
                user: Some(user),
                client,
                session,
                key: None,
            },
            detail,
            ..self.plan.template.clone()
        });
    }
}
