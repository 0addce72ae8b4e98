//! Looking at users.

use countersign_domain::{
    id::{ProjectId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord},
    user::User,
};
use countersign_storage::{identities, users};

use crate::{Service, admin::Refused};

/// A user, and what the user is found by.
pub struct KnownUser {
    /// The user.
    pub user: User,
    /// Identities, the newest first.
    pub identities: Vec<IdentityRecord>,
}

impl Service {
    /// Users in order of their making: those after `after`, at most `limit`.
    pub async fn list_users(
        &self,
        project: &ProjectId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<KnownUser>, Refused> {
        self.show_project(project).await?;
        let mut reader = self.db.reader().await?;
        let mut known = Vec::new();
        for user in users::list(&mut reader.conn(), project, after, limit).await? {
            let identities = identities::list(&mut reader.conn(), project, user.id).await?;
            known.push(KnownUser { user, identities });
        }
        Ok(known)
    }

    /// A user, by id or by whatever names the user: an e-mail address, a telephone number, an external id.
    pub async fn show_user(&self, project: &ProjectId, name: &str) -> Result<KnownUser, Refused> {
        let mut reader = self.db.reader().await?;
        let mut found = None;
        if let Ok(id) = name.parse::<UserId>() {
            found = users::find(&mut reader.conn(), project, id).await?;
        }
        for kind in [IdentityKind::Email, IdentityKind::Phone, IdentityKind::ExternalId] {
            let Some(identity) = Identity::parse(kind, name).ok().filter(|_| found.is_none()) else {
                continue;
            };
            if let Some(record) = identities::find(&mut reader.conn(), project, &identity).await? {
                found = users::find(&mut reader.conn(), project, record.user).await?;
            }
        }
        let user = found.ok_or_else(|| Refused::not_found("user", name))?;
        let identities = identities::list(&mut reader.conn(), project, user.id).await?;
        Ok(KnownUser { user, identities })
    }
}
