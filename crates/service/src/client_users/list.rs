//! Going through all users.

use countersign_domain::id::UserId;
use countersign_storage::users::{self, UserRecord};

use crate::{Service, error::Outage, proof::secret_key::Backend};

/// Some users, and whether there are more.
pub struct UserPage {
    /// The users, the newest first.
    pub users: Vec<UserRecord>,
    /// Are there others after these?
    pub has_more: bool,
}

impl Service {
    /// Users of a backend's project, the newest first: those made before `after`.
    pub async fn list_client_users(
        &self,
        backend: &Backend,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<UserPage, Outage> {
        let mut reader = self.db.reader().await?;
        let project = &backend.project.project.id;
        let mut users = users::list_records(&mut reader.conn(), project, after, limit + 1).await?;
        let has_more = users.len() > limit as usize;
        users.truncate(limit as usize);
        Ok(UserPage { users, has_more })
    }
}
