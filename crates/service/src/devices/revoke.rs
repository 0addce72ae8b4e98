//! Ending what a device opened, and keeping it out.

use std::sync::Arc;

use countersign_domain::{
    audit::Act,
    id::{PasskeyId, ProjectId, UserId},
};
use countersign_storage::{messages, passkeys};

use super::{Changed, DeviceRefused, Found, deed, outcome};
use crate::{
    Service,
    deliver::letter::{AccountNews, Letter},
    passkeys::By,
};

impl Service {
    /// Ends all sessions that were opened with a device, within a second on all nodes. It signs nobody in any more, until that is taken back.
    pub async fn revoke_device(
        &self,
        project: &ProjectId,
        user: UserId,
        id: PasskeyId,
        by: By<'_>,
    ) -> Result<Changed, DeviceRefused> {
        let device = self.device(project, user, id).await?;
        let letter = Letter::Account(AccountNews::DeviceRevoked { name: device.name });
        let notices = self.device_notices(project, user, by, &letter).await?;
        let plan = Arc::new((self.ending(project, user, id, by), notices));
        let deed = deed(project, user, id, Act::DeviceRevoked, by);
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (ending, notices) = &*plan;
                if !passkeys::revoke(conn, &ending.project, user, id, ending.now).await? {
                    let found = passkeys::find(conn, &ending.project, user, id).await?;
                    return Ok(Err(found.map_or(Found::Nothing, |_| Found::Already).refused(id)));
                }
                let news = ending.run(conn).await?;
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), news)))
            })
        });
        outcome(done.await)
    }
}
