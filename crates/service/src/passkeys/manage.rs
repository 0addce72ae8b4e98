//! Looking at passkeys, and calling them something else. They are taken away as [`devices`](crate::devices).

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Actor, Subject},
    id::{ClientId, PasskeyId, ProjectId, UserId},
    locale::Locale,
    passkey::Passkey,
    text::Name,
};
use countersign_storage::passkeys;

use crate::{
    Service,
    admin::{Deed, Refused},
    caller::Caller,
    error::Outage,
    proof::delegation::ServiceProvider,
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
    /// The customer's backend, by a delegated call.
    Backend {
        /// Which.
        provider: &'a ServiceProvider,
        /// As the connection tells.
        caller: &'a Caller,
        /// In which language the user is told.
        locale: Locale,
        /// Why, where that was said.
        said: Option<Said<'a>>,
    },
    /// Somebody at the command line of the server.
    Operator,
}

/// Why a backend changes something, for the trail.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Why.
    pub reason: &'a str,
    /// At whose wish.
    pub requested_by: &'a str,
}

impl<'a> By<'a> {
    pub(crate) fn actor(self, user: UserId) -> Actor {
        match self {
            Self::User { .. } => Actor::User(user),
            Self::Backend { provider, .. } => provider.actor(),
            Self::Operator => Actor::Operator,
        }
    }

    /// In which language the user is told; none: the user isn't.
    pub(crate) const fn tells(self) -> Option<Locale> {
        match self {
            Self::User { locale, .. } | Self::Backend { locale, .. } => Some(locale),
            Self::Operator => None,
        }
    }

    /// The client whose backend it is.
    pub(crate) fn client(self) -> Option<ClientId> {
        match self {
            Self::Backend { provider, .. } => Some(provider.client().clone()),
            Self::User { .. } | Self::Operator => None,
        }
    }

    /// What else the trail has of it.
    pub(crate) fn detail(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Backend { said: Some(Said { reason, requested_by }), .. } => {
                vec![("reason", reason.to_owned()), ("requested_by", requested_by.to_owned())]
            }
            Self::Backend { said: None, .. } | Self::User { .. } | Self::Operator => Vec::new(),
        }
    }

    pub(crate) fn caller(self) -> Option<&'a Caller> {
        match self {
            Self::User { caller, .. } | Self::Backend { caller, .. } => Some(caller),
            Self::Operator => None,
        }
    }

    /// In which language the user is told.
    pub(crate) fn locale(self) -> Locale {
        self.tells().unwrap_or_default()
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
}

fn deed(project: &ProjectId, user: UserId, id: PasskeyId, act: Act) -> Deed {
    let subject = Subject { user: Some(user), key: Some(id.to_string()), ..Subject::default() };
    Deed { project: project.clone(), act, subject, detail: Vec::new() }
}
