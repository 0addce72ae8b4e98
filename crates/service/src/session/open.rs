//! Opening a session for a user who is known and was proved in some way of a door's own.

use std::{sync::Arc, time::Duration};

use countersign_domain::{
    generations::Generations,
    id::{ClientId, KeyId, SessionId, UserId},
    proof::Proof,
    thumbprint::Thumbprint,
};
use countersign_storage::{
    Conn,
    error::Result,
    spent::{self, Spend},
    users,
};

use super::{
    draft::Terms,
    write::{Writing, WrittenSession},
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
        let mut writing = self.writing(project, client, terms, caller, now);
        writing.draft.session.scope = opening.scope;
        writing.draft.session.id = opening.session.unwrap_or(writing.draft.session.id);
        let plan = Arc::new(Plan { writing, as_of: opening.as_of, user: opening.user, spends: opening.spends });
        let working = Arc::clone(&plan);
        let done = self.db.write(move |mut conn| {
            let plan = Arc::clone(&working);
            Box::pin(async move { plan.run(&mut conn).await })
        });
        match done.await.map_err(Outage::from)? {
            Done::Opened(written) => Ok(self.written(project, &plan.writing, &written).await?),
            Done::NoSuchUser => Err(OpenRefused::NoSuchUser),
            Done::UserDisabled => Err(OpenRefused::UserDisabled),
            Done::Spent => Err(OpenRefused::Spent),
            Done::Revoked => Err(OpenRefused::Revoked),
        }
    }
}

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
struct Plan {
    writing: Writing,
    as_of: Option<Generations>,
    user: UserId,
    spends: Vec<Spend>,
}

enum Done {
    Opened(Box<WrittenSession>),
    NoSuchUser,
    UserDisabled,
    Spent,
    Revoked,
}

impl Plan {
    async fn run(&self, conn: &mut Conn<'_>) -> Result<Done> {
        let project = &self.writing.draft.session.project;
        let user = match users::find(conn, project, self.user).await? {
            None => return Ok(Done::NoSuchUser),
            Some(user) if user.merged_into.is_some() => return Ok(Done::NoSuchUser),
            Some(user) if user.disabled_at.is_some() => return Ok(Done::UserDisabled),
            Some(user) => user,
        };
        let generations = self.writing.draft.of(user.id, user.generation).generations;
        if self.as_of.is_some_and(|before| before.overtaken_by(generations).is_some()) {
            return Ok(Done::Revoked);
        }
        for Spend { purpose, hash, expires_at } in &self.spends {
            if !spent::spend(conn, project, purpose, hash, *expires_at).await? {
                return Ok(Done::Spent);
            }
        }
        Ok(Done::Opened(Box::new(self.writing.run(conn, user.id, user.generation).await?)))
    }
}
