//! Secrets of confidential clients. Each is shown once; two may live side by side while a deployment changes over.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{
    client_secret::{ClientSecretHash, generate, shown_prefix},
    secret::SecretText,
};
use countersign_domain::{
    audit::{Act, Subject},
    id::{ClientId, KeyId, ProjectId},
};
use countersign_storage::{
    client_secrets::{self, StoredClientSecret},
    clients,
};

use crate::{
    Service,
    admin::{Deed, Refused},
};

/// A secret that nobody can show again.
pub struct NewClientSecret {
    /// Its name, and what may be shown of it.
    pub stored: StoredClientSecret,
    /// The secret.
    pub secret: SecretText,
}

impl Service {
    /// Gives a confidential client another secret.
    pub async fn create_client_secret(
        &self,
        project: &ProjectId,
        client: &ClientId,
        lives_for: Option<Duration>,
    ) -> Result<NewClientSecret, Refused> {
        let now = self.now();
        let secret = generate(&self.entropy);
        let stored = StoredClientSecret {
            project: project.clone(),
            id: KeyId::new(now, self.entropy.bytes()),
            client: client.clone(),
            prefix: shown_prefix(&secret),
            hash: ClientSecretHash::of(secret.danger_expose()),
            created_at: now,
            expires_at: lives_for.map(|span| now.plus(span)),
            revoked_at: None,
        };
        let deed = secret_deed(project, client, Act::ClientSecretCreated, stored.id);
        let made = Arc::new(stored.clone());
        self.administer(deed, move |conn| {
            let made = Arc::clone(&made);
            Box::pin(async move {
                let Some(client) = clients::find(conn, &made.project, &made.client).await? else {
                    return Ok(Err(Refused::not_found("client", &made.client)));
                };
                if !client.kind.is_confidential() {
                    let only = "an app can't keep a secret: whoever has the app can read it (RFC 6749 §2.1)";
                    return Ok(Err(Refused::Invalid(only.to_owned())));
                }
                client_secrets::insert(conn, &made).await?;
                Ok(Ok(((), Self::project_news(&made.project, now))))
            })
        })
        .await?;
        Ok(NewClientSecret { stored, secret })
    }

    /// A client's secrets, those that no longer work included.
    pub async fn list_client_secrets(
        &self,
        project: &ProjectId,
        client: &ClientId,
    ) -> Result<Vec<StoredClientSecret>, Refused> {
        let all = client_secrets::list(&mut self.db.reader().await?.conn(), project).await?;
        Ok(all.into_iter().filter(|secret| secret.client == *client).collect())
    }

    /// Makes a client's secret worthless.
    pub async fn revoke_client_secret(&self, project: &ProjectId, client: &ClientId, id: KeyId) -> Result<(), Refused> {
        let now = self.now();
        let target = Arc::new((project.clone(), client.clone()));
        self.administer(secret_deed(project, client, Act::ClientSecretRevoked, id), move |conn| {
            let target = Arc::clone(&target);
            Box::pin(async move {
                let (project, client) = &*target;
                if !client_secrets::revoke(conn, project, client, id, now).await? {
                    return Ok(Err(Refused::not_found("live client secret", id)));
                }
                Ok(Ok(((), Self::project_news(project, now))))
            })
        })
        .await
    }
}

fn secret_deed(project: &ProjectId, client: &ClientId, act: Act, id: KeyId) -> Deed {
    let subject = Subject { client: Some(client.clone()), key: Some(id.to_string()), ..Subject::default() };
    Deed { project: project.clone(), act, subject, detail: Vec::new() }
}
