//! A user's sessions, for the user and for the customer's backend.

use std::sync::Arc;

use countersign_domain::{
    id::{ProjectId, UserId},
    session::Session,
};
use countersign_storage::{sessions, users};

use crate::{
    Service,
    address::Address,
    admin::Refused,
    directory::ProjectView,
    error::Outage,
    proof::{access_token::Bearer, secret_key::Backend},
};

/// Who asks for a user's sessions.
pub enum Asker {
    /// The user, or an app in the user's name.
    User(Bearer),
    /// The customer's backend.
    Backend(Backend),
}

/// Why they aren't told.
#[derive(Debug, thiserror::Error)]
pub enum ListRefused {
    /// There is no such user, or not for this asker: which of the two is nobody's business.
    #[error("there is no such user")]
    NoSuchUser,
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// The most that are listed: the cap of a few clients.
const MOST: u32 = 1_000;

impl Service {
    /// The sessions of a user that are alive, the newest first; a key for some clients is told of those only.
    pub async fn list_sessions(
        &self,
        asker: &Asker,
        address: &Address,
        user: &str,
    ) -> Result<Vec<Session>, ListRefused> {
        let user: UserId = user.parse().map_err(|_| ListRefused::NoSuchUser)?;
        let project = match asker {
            Asker::User(bearer) if bearer.user() == user => &bearer.project,
            Asker::User(_) => return Err(ListRefused::NoSuchUser),
            Asker::Backend(backend) => self.own_project(backend, address)?,
        };
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let id = &project.project.id;
        let found = users::find(&mut reader.conn(), id, user).await.map_err(Outage::from)?;
        let found = found.ok_or(ListRefused::NoSuchUser)?;
        let sessions = sessions::list_live(&mut reader.conn(), id, user, MOST).await.map_err(Outage::from)?;
        drop(reader);
        let now = self.now();
        let is_its_business = |session: &Session| match asker {
            Asker::User(_) => true,
            Asker::Backend(backend) => backend.secret_key().is_some_and(|key| key.may_vouch_for(&session.client)),
        };
        let is_alive = |session: &Session| {
            let current = project.generations(found.generation, &session.client, session.vouched_by);
            session.over(now).is_none() && session.generations.overtaken_by(current).is_none()
        };
        Ok(sessions.into_iter().filter(is_alive).filter(is_its_business).collect())
    }

    /// The sessions of a user that haven't been ended one by one, for an operator.
    pub async fn sessions_of(&self, project: &ProjectId, user: UserId) -> Result<Vec<Session>, Refused> {
        Ok(sessions::list_live(&mut self.db.reader().await?.conn(), project, user, MOST).await?)
    }

    fn own_project<'b>(&self, backend: &'b Backend, address: &Address) -> Result<&'b Arc<ProjectView>, ListRefused> {
        let own = backend.project.project.id.as_str();
        match self.addressed(address, Some(own)) {
            Ok(_) => Ok(&backend.project),
            Err(_) => Err(ListRefused::NoSuchUser),
        }
    }
}
