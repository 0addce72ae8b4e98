//! Letting a device in again.

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
    /// Lets a device sign its user in again. What was ended stays ended.
    pub async fn unrevoke_device(
        &self,
        project: &ProjectId,
        user: UserId,
        id: PasskeyId,
        by: By<'_>,
    ) -> Result<Changed, DeviceRefused> {
        let device = self.device(project, user, id).await?;
        let letter = Letter::Account(AccountNews::DeviceRestored { name: device.name });
        let notices = self.device_notices(project, user, by, &letter).await?;
        let plan = Arc::new((project.clone(), notices));
        let deed = deed(project, user, id, Act::DeviceUnrevoked, by);
        let done = self.perform(deed, by.actor(user), by.caller(), move |conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, notices) = &*plan;
                if !passkeys::unrevoke(conn, project, user, id).await? {
                    let found = passkeys::find(conn, project, user, id).await?;
                    return Ok(Err(found.map_or(Found::Nothing, |_| Found::Already).refused(id)));
                }
                for notice in notices {
                    messages::insert(conn, notice).await?;
                }
                Ok(Ok(((), Vec::new())))
            })
        });
        outcome(done.await)
    }
}
