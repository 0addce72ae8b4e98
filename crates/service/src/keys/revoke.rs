//! Making a secret key worthless, and, if wished, what it vouched for.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::{KeyId, ProjectId},
    key::SecretKey,
};
use countersign_storage::secret_keys;

use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Revokes a key; with `cascade`, also every session that it vouched for, even where the key was revoked before.
    pub async fn revoke_secret_key(&self, project: &ProjectId, id: KeyId, cascade: bool) -> Result<SecretKey, Refused> {
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyRevoked,
            subject: Subject { key: Some(id.to_string()), ..Subject::default() },
            detail: if cascade { vec![("cascade", "yes".to_owned())] } else { Vec::new() },
        };
        let project = Arc::new(project.clone());
        self.administer(deed, move |conn| {
            let project = Arc::clone(&project);
            Box::pin(async move {
                let Some(stored) = secret_keys::find(conn, &project, id).await? else {
                    return Ok(Err(Refused::not_found("key", id)));
                };
                let mut key = stored.key;
                key.revoked_at = key.revoked_at.or(Some(now));
                secret_keys::update(conn, &key).await?;
                if cascade {
                    secret_keys::raise_generation(conn, &project, id).await?;
                    key.generation += 1;
                }
                Ok(Ok((key, Self::project_news(&project, now))))
            })
        })
        .await
    }
}
