//! Looking at a user.

use countersign_storage::users::{self, UserRecord};

use super::{UserRefused, own};
use crate::{Service, error::Outage, proof::actor::Actor};

impl Service {
    /// A user: the caller, or, for a backend, any.
    pub async fn show_client_user(&self, actor: &Actor, id: &str) -> Result<UserRecord, UserRefused> {
        let id = own(actor, id)?;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = users::find_record(&mut reader.conn(), &actor.project().project.id, id).await;
        found.map_err(Outage::from)?.ok_or(UserRefused::NoSuchUser)
    }
}
