//! A user's devices.

use countersign_domain::{
    id::{PasskeyId, ProjectId, UserId},
    passkey::Passkey,
};
use countersign_storage::{identities, messages::OutgoingMessage, passkeys};

use super::DeviceRefused;
use crate::{Service, deliver::letter::Letter, error::Outage, passkeys::By};

impl Service {
    /// All devices of a user, the oldest first: what the user sees on their own page.
    pub async fn list_devices(&self, project: &ProjectId, user: UserId) -> Result<Vec<Passkey>, Outage> {
        self.list_passkeys(project, user).await
    }

    /// One of them.
    pub(super) async fn device(
        &self,
        project: &ProjectId,
        user: UserId,
        id: PasskeyId,
    ) -> Result<Passkey, DeviceRefused> {
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = passkeys::find(&mut reader.conn(), project, user, id).await.map_err(Outage::from)?;
        Ok(found.ok_or(DeviceRefused::NotFound)?.passkey)
    }

    /// What the user is told of a change, unless an operator makes it.
    pub(super) async fn device_notices(
        &self,
        project: &ProjectId,
        user: UserId,
        by: By<'_>,
        letter: &Letter,
    ) -> Result<Vec<OutgoingMessage>, DeviceRefused> {
        let view = self.directory.load().project(project.as_str()).cloned();
        let (Some(locale), Some(view)) = (by.tells(), view) else { return Ok(Vec::new()) };
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let known_as = identities::list(&mut reader.conn(), project, user).await.map_err(Outage::from)?;
        Ok(self.account_notices(&view, &known_as, locale, letter))
    }
}
