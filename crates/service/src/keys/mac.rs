//! The keys under which refresh tokens are authentic. A new one makes the tokens from now on; revoking one kills those that it made.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::{MacKeyId, ProjectId},
};
use countersign_storage::{mac_keys, projects};

use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Makes refresh tokens under a new key from now on. Those made before go on working.
    pub async fn rotate_mac_key(&self, project: &ProjectId) -> Result<MacKeyId, Refused> {
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyRotated,
            subject: Subject { key: Some("mac".to_owned()), ..Subject::default() },
            detail: Vec::new(),
        };
        let project = Arc::new(project.clone());
        self.administer(deed, move |conn| {
            let project = Arc::clone(&project);
            Box::pin(async move {
                if projects::find(conn, &project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", &project)));
                }
                let id = mac_keys::insert_next(conn, &project, now).await?;
                Ok(Ok((id, Self::project_news(&project, now))))
            })
        })
        .await
    }

    /// Kills every refresh token that was made under a key. The newest gets a successor first, so that there is always one.
    pub async fn revoke_mac_key(&self, project: &ProjectId, id: MacKeyId) -> Result<(), Refused> {
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyRevoked,
            subject: Subject { key: Some(id.to_string()), ..Subject::default() },
            detail: Vec::new(),
        };
        let project = Arc::new(project.clone());
        self.administer(deed, move |conn| {
            let project = Arc::clone(&project);
            Box::pin(async move {
                let keys = mac_keys::list(conn, &project).await?;
                if !mac_keys::revoke(conn, &project, id, now).await? {
                    return Ok(Err(Refused::not_found("live MAC key", id)));
                }
                if keys.iter().all(|key| key.id == id || key.revoked_at.is_some()) {
                    mac_keys::insert_next(conn, &project, now).await?;
                }
                Ok(Ok(((), Self::project_news(&project, now))))
            })
        })
        .await
    }
}
