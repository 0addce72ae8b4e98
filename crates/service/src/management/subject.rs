//! Whom a call is about.

use countersign_domain::{
    id::{ProjectId, UserId},
    identity::Identity,
};
use countersign_storage::{identities, users};

use super::{ManagedUser, ManagementRefused};
use crate::Service;

impl Service {
    /// A user by e-mail address, uid or the customer's own id. A text that means one user in one way and another in another means nobody.
    pub(crate) async fn managed_user(
        &self,
        project: &ProjectId,
        userid: &str,
    ) -> Result<ManagedUser, ManagementRefused> {
        let mut reader = self.db.reader().await?;
        let known_as = [userid.parse().ok().map(Identity::Email), userid.parse().ok().map(Identity::ExternalId)];
        let mut meant: Vec<UserId> = userid.parse().ok().into_iter().collect();
        for identity in known_as.iter().flatten() {
            let found = identities::find(&mut reader.conn(), project, identity).await?;
            meant.extend(found.map(|record| record.user));
        }
        let mut found = None;
        for id in meant {
            let Some(user) = users::find(&mut reader.conn(), project, id).await? else { continue };
            match found {
                None => found = Some(ManagedUser { id, is_disabled: user.disabled_at.is_some() }),
                Some(ManagedUser { id: other, .. }) if other == id => {}
                Some(_) => return Err(ManagementRefused::Ambiguous),
            }
        }
        found.ok_or(ManagementRefused::NoSuchUser)
    }
}
