//! Changing what a secret key may do, and what it is called.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::{KeyId, ProjectId},
    key::{ScopeChanges, SecretKey},
    text::Name,
};
use countersign_storage::secret_keys;

use super::create::check_scope;
use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Gives a key another name or scope; what isn't given stays.
    pub async fn set_secret_key(
        &self,
        project: &ProjectId,
        id: KeyId,
        name: Option<Name>,
        scope: ScopeChanges,
    ) -> Result<SecretKey, Refused> {
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::KeySet,
            subject: Subject { key: Some(id.to_string()), ..Subject::default() },
            detail: Vec::new(),
        };
        let wish = Arc::new((project.clone(), name, scope));
        self.administer(deed, move |conn| {
            let wish = Arc::clone(&wish);
            Box::pin(async move {
                let (project, name, scope) = &*wish;
                let Some(stored) = secret_keys::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("key", id)));
                };
                let mut key = stored.key;
                key.name = name.clone().unwrap_or(key.name);
                key.scope = scope.apply(&key.scope);
                if let Err(refused) = check_scope(conn, project, &key.scope).await? {
                    return Ok(Err(refused));
                }
                secret_keys::update(conn, &key).await?;
                Ok(Ok((key, Self::project_news(project, now))))
            })
        })
        .await
    }
}
