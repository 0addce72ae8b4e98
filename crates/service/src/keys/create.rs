//! A new secret key. Its secret is shown once and kept nowhere.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{
    api_key::{KeyText, SecretKeyHash, generate},
    secret::SecretText,
};
use countersign_domain::{
    audit::{Act, Subject},
    clock::Timestamp,
    id::{KeyId, ProjectId},
    key::{ClientScope, KeyScope, SecretKey},
    text::Name,
};
use countersign_storage::{
    Conn, clients, error::Result as StorageResult, projects, secret_keys, secret_keys::StoredKey,
};

use crate::{
    Service,
    admin::{Deed, Refused},
};

/// A key with its secret, which nobody can show again.
pub struct NewKey {
    /// The key.
    pub key: SecretKey,
    /// Its secret.
    pub secret: SecretText,
}

impl Service {
    /// Makes a secret key.
    pub async fn create_secret_key(
        &self,
        project: &ProjectId,
        name: Name,
        scope: KeyScope,
        lives_for: Option<Duration>,
    ) -> Result<NewKey, Refused> {
        let now = self.now();
        let (stored, secret) = self.new_secret_key(project, name, scope, lives_for.map(|span| now.plus(span)), now);
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyCreated,
            subject: Subject { key: Some(stored.key.id.to_string()), ..Subject::default() },
            detail: Vec::new(),
        };
        let key = stored.key.clone();
        let stored = Arc::new(stored);
        self.administer(deed, move |conn| {
            let stored = Arc::clone(&stored);
            Box::pin(async move {
                let project = &stored.key.project;
                if projects::find(conn, project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", project)));
                }
                if let Err(refused) = check_scope(conn, project, &stored.key.scope).await? {
                    return Ok(Err(refused));
                }
                secret_keys::insert(conn, &stored).await?;
                Ok(Ok(((), Self::project_news(project, now))))
            })
        })
        .await?;
        Ok(NewKey { key, secret })
    }

    pub(crate) fn new_secret_key(
        &self,
        project: &ProjectId,
        name: Name,
        scope: KeyScope,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (StoredKey, SecretText) {
        let secret = generate(KeyText::Secret, &self.entropy);
        let key = SecretKey {
            project: project.clone(),
            id: KeyId::new(now, self.entropy.bytes()),
            name,
            prefix: KeyText::Secret.shown_prefix(&secret),
            scope,
            generation: 0,
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
            replaced_by: None,
        };
        (StoredKey { key, hash: SecretKeyHash::of(&secret) }, secret)
    }
}

/// Every client that a scope names must be there: a typing error would make a key that opens nothing.
pub(super) async fn check_scope(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    scope: &KeyScope,
) -> StorageResult<Result<(), Refused>> {
    if let ClientScope::Only(ids) = &scope.clients {
        for id in ids {
            if clients::find(conn, project, id).await?.is_none() {
                return Ok(Err(Refused::not_found("client", id)));
            }
        }
    }
    Ok(Ok(()))
}
