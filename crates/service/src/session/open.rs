//! Opening a session for a user who is known and was proved in some way of a door's own.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use countersign_crypto::entropy::Entropy;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    generations::Generations,
    id::{AuditId, ClientId, KeyId, SessionId, UserId},
    proof::Proof,
    session::Session,
    thumbprint::Thumbprint,
};
use countersign_storage::{
    Conn, audit,
    changes::{self, Change, What},
    error::Result,
    sessions::{self, NewSession},
    spent, users,
};

use super::{
    draft::{Draft, Terms},
    room::{MadeRoom, make_room},
};
use crate::{Service, caller::Caller, directory::ProjectView, error::Outage, token::TokenPair};

/// A session to be opened.
pub struct Opening {
    /// The app that gets the tokens.
    pub client: ClientId,
    /// Whose it will be.
    pub user: UserId,
    /// How the user was proven.
    pub proof: Proof,
    /// The key by whose word.
    pub vouched_by: Option<KeyId>,
    /// The key of the app's without which the tokens are worthless; none: whoever holds them may use them.
    pub dpop_jkt: Option<Thumbprint>,
    /// How long it may live, where that is shorter than the client's setting.
    pub longest: Option<Duration>,
    /// What was granted, separated by spaces (RFC 6749 §3.3).
    pub scope: String,
    /// Its identifier, where that was chosen before.
    pub session: Option<SessionId>,
    /// The revocation counters when the user was proved, where that was a while ago: nobody may have raised one since.
    pub as_of: Option<Generations>,
    /// What it is bought with. They are spent in this order, and where one was spent before, those after it are not.
    pub spends: Vec<Spend>,
}

/// Something that works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// What for: hashes of different purposes are told apart.
    pub purpose: &'static str,
    /// What it is known by: a hash, in base64url.
    pub hash: String,
    /// From when on it wouldn't be taken anyway.
    pub expires_at: Timestamp,
}

/// Why no session is opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenRefused {
    /// There is no such user any more.
    #[error("there is no such user")]
    NoSuchUser,
    /// The user is locked out.
    #[error("the user is disabled")]
    UserDisabled,
    /// The project has no such client, or it is closed.
    #[error("there is no such client")]
    UnknownClient,
    /// What it was to be bought with was spent before.
    #[error("this was used before")]
    Spent,
    /// The user, client or project was revoked since the user was proved.
    #[error("this was revoked since")]
    Revoked,
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Service {
    /// Opens a session, in one transaction with what it is bought with, and what must make room for it.
    pub async fn open_session(
        &self,
        project: &ProjectView,
        opening: Opening,
        caller: &Caller,
    ) -> std::result::Result<TokenPair, OpenRefused> {
        let now = self.now();
        let client = project.client(&opening.client).filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or(OpenRefused::UnknownClient)?;
        let terms = Terms {
            vouched_by: opening.vouched_by,
            device: None,
            dpop_jkt: opening.dpop_jkt,
            proof: opening.proof,
            longest: opening.longest,
        };
        let mut draft = self.draft(project, client, terms, now);
        draft.session.scope = opening.scope;
        draft.session.id = opening.session.unwrap_or(draft.session.id);
        let plan = Arc::new(Plan {
            draft,
            as_of: opening.as_of,
            user: opening.user,
            spends: opening.spends,
            cap: client.settings.session_cap,
            entropy: self.entropy.clone(),
            request: caller.request_id.clone(),
        });
        let working = Arc::clone(&plan);
        let done = self.db.write(move |mut conn| {
            let plan = Arc::clone(&working);
            Box::pin(async move { plan.run(&mut conn).await })
        });
        match done.await.map_err(Outage::from)? {
            Done::Opened { session, changes } => {
                for change in &changes {
                    self.apply(change).await;
                }
                Ok(self.first_pair(project, &plan.draft, &session)?)
            }
            Done::NoSuchUser => Err(OpenRefused::NoSuchUser),
            Done::UserDisabled => Err(OpenRefused::UserDisabled),
            Done::Spent => Err(OpenRefused::Spent),
            Done::Revoked => Err(OpenRefused::Revoked),
        }
    }
}

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
struct Plan {
    draft: Draft,
    as_of: Option<Generations>,
    user: UserId,
    spends: Vec<Spend>,
    cap: NonZeroU32,
    entropy: Entropy,
    request: String,
}

enum Done {
    Opened { session: Box<Session>, changes: Vec<Change> },
    NoSuchUser,
    UserDisabled,
    Spent,
    Revoked,
}

impl Plan {
    async fn run(&self, conn: &mut Conn<'_>) -> Result<Done> {
        let project = &self.draft.session.project;
        let session = match users::find(conn, project, self.user).await? {
            None => return Ok(Done::NoSuchUser),
            Some(user) if user.merged_into.is_some() => return Ok(Done::NoSuchUser),
            Some(user) if user.disabled_at.is_some() => return Ok(Done::UserDisabled),
            Some(user) => self.draft.of(user.id, user.generation),
        };
        if self.as_of.is_some_and(|before| before.overtaken_by(session.generations).is_some()) {
            return Ok(Done::Revoked);
        }
        for Spend { purpose, hash, expires_at } in &self.spends {
            if !spent::spend(conn, project, purpose, hash, *expires_at).await? {
                return Ok(Done::Spent);
            }
        }
        let gone = make_room(conn, &session, self.cap).await?;
        let row = NewSession { session, secret_hash: self.draft.secret.hash() };
        sessions::insert_many(conn, &[&row]).await?;
        let session = row.session;
        let entries = self.entries(&session, &gone);
        audit::insert_many(conn, &entries.iter().collect::<Vec<_>>()).await?;
        let news = |made: MadeRoom| Change {
            project: session.project.clone(),
            what: What::SessionEnded(made.session),
            expires_at: made.until,
        };
        let changes: Vec<Change> = gone.into_iter().map(news).collect();
        for change in &changes {
            changes::insert(conn, change).await?;
        }
        Ok(Done::Opened { session: Box::new(session), changes })
    }

    fn entries(&self, session: &Session, gone: &[MadeRoom]) -> Vec<AuditEntry> {
        let ended = |made: &MadeRoom| {
            let reason = vec![("reason", made.reason.as_str().to_owned())];
            self.entry(session, Act::SessionEnded, made.session, reason)
        };
        let bound = ("bound", session.dpop_jkt.is_some().to_string());
        let opened = self.entry(session, Act::SessionOpened, session.id, vec![bound]);
        gone.iter().map(ended).chain([opened]).collect()
    }

    fn entry(&self, opened: &Session, act: Act, id: SessionId, detail: Vec<(&'static str, String)>) -> AuditEntry {
        AuditEntry {
            project: opened.project.clone(),
            id: AuditId::new(opened.created_at, self.entropy.bytes()),
            at: opened.created_at,
            act,
            actor: Actor::User(opened.user),
            subject: Subject {
                user: Some(opened.user),
                client: Some(opened.client.clone()),
                session: Some(id),
                key: opened.vouched_by.map(|key| key.to_string()),
            },
            request: Some(self.request.clone()),
            detail,
        }
    }
}
