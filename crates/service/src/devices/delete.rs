//! Forgetting a device.

use std::sync::Arc;

use countersign_domain::{
    audit::Act,
    id::{PasskeyId, ProjectId, UserId},
};
use countersign_storage::{device_sessions, messages, passkeys};

use super::{Changed, DeviceRefused, Found, deed, outcome};
use crate::{Service, deliver::letter::Letter, passkeys::By};

impl Service {
    /// Forgets a device, and ends all sessions that were opened with it: nobody could find them by it afterwards.
    pub async fn delete_device(
        &self,
        project: &ProjectId,
        user: UserId,
        id: PasskeyId,
        by: By<'_>,
    ) -> Result<Changed, DeviceRefused> {
        let device = self.device(project, user, id).await?;
        let notices = self.device_notices(project, user, by, &Letter::PasskeyRemoved { name: device.name }).await?;
        let plan = Arc::new((self.ending(project, user, id, by), notices));
        let deed = deed(project, user, id, Act::PasskeyRemoved, by);
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (ending, notices) = &*plan;
                if !passkeys::delete(conn, &ending.project, user, id).await? {
                    return Ok(Err(Found::Nothing.refused(id)));
                }
                let news = ending.run(conn).await?;
                device_sessions::delete_of_passkey(conn, &ending.project, id).await?;
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), news)))
            })
        });
        outcome(done.await)
    }
}
