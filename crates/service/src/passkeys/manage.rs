//! Looking at passkeys, calling them something else, taking them away.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Actor, Subject},
    id::{PasskeyId, ProjectId, UserId},
    locale::Locale,
    passkey::Passkey,
    text::Name,
};
use countersign_storage::{
    identities,
    messages::{self, OutgoingMessage},
    passkeys,
};

use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    deliver::letter::Letter,
    error::Outage,
};

/// Who changes a user's passkeys.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// The user, who must have been proved lately.
    User {
        /// As the connection tells.
        caller: &'a Caller,
        /// In which language the user is told.
        locale: Locale,
    },
    /// Somebody at the command line of the server.
    Operator,
}

impl<'a> By<'a> {
    pub(crate) fn actor(self, user: UserId) -> Actor {
        match self {
            Self::User { .. } => Actor::User(user),
            Self::Operator => Actor::Operator,
        }
    }

    pub(crate) fn caller(self) -> Option<&'a Caller> {
        match self {
            Self::User { caller, .. } => Some(caller),
            Self::Operator => None,
        }
    }

    /// In which language the user is told.
    pub(crate) fn locale(self) -> Locale {
        match self {
            Self::User { locale, .. } => locale,
            Self::Operator => Locale::default(),
        }
    }
}

impl Service {
    /// All passkeys of a user, the oldest first.
    pub async fn list_passkeys(&self, project: &ProjectId, user: UserId) -> Result<Vec<Passkey>, Outage> {
        let mut reader = self.db.reader().await?;
        let stored = passkeys::list(&mut reader.conn(), project, user).await?;
        Ok(stored.into_iter().map(|stored| stored.passkey).collect())
    }

    /// Calls a user's passkey something else.
    pub async fn rename_passkey(
        &self,
        project: &ProjectId,
        user: UserId,
        id: PasskeyId,
        name: Name,
        by: By<'_>,
    ) -> Result<(), Refused> {
        let deed = deed(project, user, id, Act::PasskeyRenamed);
        let asked = Arc::new((project.clone(), name));
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let asked = Arc::clone(&asked);
            Box::pin(async move {
                let (project, name) = &*asked;
                let is_done = passkeys::rename(conn, project, user, id, name).await?;
                Ok(if is_done { Ok(((), Vec::new())) } else { Err(Refused::not_found("passkey", id)) })
            })
        });
        done.await
    }

    /// Takes a passkey from a user, who is told so, unless an operator does it. Sessions that were opened with it stay.
    pub async fn remove_passkey(
        &self,
        project: &ProjectId,
        user: UserId,
        id: PasskeyId,
        by: By<'_>,
    ) -> Result<(), Refused> {
        let notices = match by {
            By::User { locale, .. } => self.notices_of_removal(project, user, id, locale).await?,
            By::Operator => Vec::new(),
        };
        let plan = Arc::new((project.clone(), notices));
        let deed = deed(project, user, id, Act::PasskeyRemoved);
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, notices) = &*plan;
                if !passkeys::delete(conn, project, user, id).await? {
                    return Ok(Err(Refused::not_found("passkey", id)));
                }
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        });
        done.await
    }

    async fn notices_of_removal(
        &self,
        project: &ProjectId,
        user: UserId,
        id: PasskeyId,
        locale: Locale,
    ) -> Result<Vec<OutgoingMessage>, Refused> {
        let view = self.directory.load().project(project.as_str()).cloned();
        let view = view.ok_or_else(|| Refused::not_found("project", project))?;
        let having = self.list_passkeys(project, user).await?;
        let passkey = having.into_iter().find(|passkey| passkey.id == id);
        let letter = Letter::PasskeyRemoved { name: passkey.ok_or_else(|| Refused::not_found("passkey", id))?.name };
        let known_as = identities::list(&mut self.db.reader().await?.conn(), project, user).await?;
        Ok(self.account_notices(&view, &known_as, locale, &letter))
    }
}

fn deed(project: &ProjectId, user: UserId, id: PasskeyId, act: Act) -> Deed {
    let subject = Subject { user: Some(user), key: Some(id.to_string()), ..Subject::default() };
    Deed { project: project.clone(), act, subject, detail: Vec::new() }
}
