//! Keys of the client API: the publishable ones that apps carry, and the secrets under which backends prove users.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{
    api_key::{KeyText, generate},
    secret::SecretText,
    user_mac::{HmacSecret, UnverifiedUserMac},
};
use countersign_domain::{
    audit::{Act, Subject},
    client_api_key::{ClientApiKey, ClientApiKeyKind},
    clock::Timestamp,
    id::{KeyId, ProjectId},
    text::Name,
};
use countersign_storage::{client_api_keys, client_api_keys::StoredClientApiKey, projects};

use crate::{
    Service,
    admin::{Deed, Refused},
    directory::{UserKey, hmac_secret_place},
};

/// A key with its text: that of an HMAC secret is never shown again.
pub struct NewClientApiKey {
    /// The key.
    pub key: ClientApiKey,
    /// Its text.
    pub text: SecretText,
}

/// Two secrets are the same if they prove this alike.
const PROBE: &str = "probe";

impl Service {
    /// Makes a key.
    pub async fn create_client_api_key(
        &self,
        project: &ProjectId,
        kind: ClientApiKeyKind,
        name: Name,
        lives_for: Option<Duration>,
    ) -> Result<NewClientApiKey, Refused> {
        let now = self.now();
        let (stored, text) = self.new_client_api_key(project, kind, name, lives_for.map(|span| now.plus(span)), now);
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyCreated,
            subject: Subject { key: Some(stored.key.id.to_string()), ..Subject::default() },
            detail: vec![("kind", kind.as_str().to_owned())],
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
                client_api_keys::insert(conn, &stored).await?;
                Ok(Ok(((), Self::project_news(project, now))))
            })
        })
        .await?;
        Ok(NewClientApiKey { key, text })
    }

    /// Makes a key of the same kind and name, and lets the old one end after `overlap`: both work until then.
    pub async fn rotate_client_api_key(
        &self,
        project: &ProjectId,
        id: KeyId,
        overlap: Duration,
    ) -> Result<NewClientApiKey, Refused> {
        let now = self.now();
        let old = self.show_client_api_key(project, id).await?;
        let expires_at = old.expires_at.map(|end| now.plus(end.since(old.created_at)));
        let (successor, text) = self.new_client_api_key(project, old.kind, old.name, expires_at, now);
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyRotated,
            subject: Subject { key: Some(id.to_string()), ..Subject::default() },
            detail: vec![("successor", successor.key.id.to_string())],
        };
        let new = NewClientApiKey { key: successor.key.clone(), text };
        let successor = Arc::new(successor);
        self.administer(deed, move |conn| {
            let successor = Arc::clone(&successor);
            Box::pin(async move {
                let project = &successor.key.project;
                let Some(stored) = client_api_keys::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("key", id)));
                };
                let mut old = stored.key;
                if let Some(refused) = unfit(&old, now) {
                    return Ok(Err(refused));
                }
                let end = now.plus(overlap);
                old.expires_at = Some(old.expires_at.map_or(end, |earlier| earlier.min(end)));
                old.replaced_by = Some(successor.key.id);
                client_api_keys::update(conn, &old).await?;
                client_api_keys::insert(conn, &successor).await?;
                Ok(Ok(((), Self::project_news(project, now))))
            })
        })
        .await?;
        Ok(new)
    }

    /// Makes a key worthless; with `cascade`, also every session that was opened by a proof under it.
    pub async fn revoke_client_api_key(
        &self,
        project: &ProjectId,
        id: KeyId,
        cascade: bool,
    ) -> Result<ClientApiKey, Refused> {
        let deed = Deed {
            project: project.clone(),
            act: Act::KeyRevoked,
            subject: Subject { key: Some(id.to_string()), ..Subject::default() },
            detail: if cascade { vec![("cascade", "yes".to_owned())] } else { Vec::new() },
        };
        let change = move |key: &mut ClientApiKey, now| {
            key.revoked_at = key.revoked_at.or(Some(now));
            key.generation += u32::from(cascade);
        };
        self.change_client_api_key(deed, id, change).await
    }

    /// Gives a key another name.
    pub async fn rename_client_api_key(
        &self,
        project: &ProjectId,
        id: KeyId,
        name: Name,
    ) -> Result<ClientApiKey, Refused> {
        let deed = Deed {
            project: project.clone(),
            act: Act::KeySet,
            subject: Subject { key: Some(id.to_string()), ..Subject::default() },
            detail: Vec::new(),
        };
        self.change_client_api_key(deed, id, move |key, _| key.name = name.clone()).await
    }

    async fn change_client_api_key<C>(&self, deed: Deed, id: KeyId, change: C) -> Result<ClientApiKey, Refused>
    where
        C: Fn(&mut ClientApiKey, Timestamp) + Send + Sync + 'static,
    {
        let now = self.now();
        let wish = Arc::new((deed.project.clone(), change));
        self.administer(deed, move |conn| {
            let wish = Arc::clone(&wish);
            Box::pin(async move {
                let (project, change) = &*wish;
                let Some(stored) = client_api_keys::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("key", id)));
                };
                let mut key = stored.key;
                let generation = key.generation;
                change(&mut key, now);
                client_api_keys::update(conn, &key).await?;
                if key.generation > generation {
                    client_api_keys::raise_generation(conn, project, id).await?;
                }
                Ok(Ok((key, Self::project_news(project, now))))
            })
        })
        .await
    }

    /// A key, without its text.
    pub async fn show_client_api_key(&self, project: &ProjectId, id: KeyId) -> Result<ClientApiKey, Refused> {
        let found = client_api_keys::find(&mut self.db.reader().await?.conn(), project, id).await?;
        found.map(|stored| stored.key).ok_or_else(|| Refused::not_found("key", id))
    }

    /// Would an app with this key be listened to?
    pub fn knows_live_publishable_key(&self, text: &str) -> bool {
        let directory = self.directory.load();
        let key = directory.publishable_key(text).and_then(|(project, id)| project.publishable_key(id));
        key.is_some_and(|key| key.is_live(self.now()))
    }

    /// Would a user be proved under this secret?
    pub fn knows_live_hmac_secret(&self, project: &ProjectId, text: &SecretText) -> bool {
        let directory = self.directory.load();
        let Some(project) = directory.project(project.as_str()) else { return false };
        let shown = UnverifiedUserMac::V1(HmacSecret::new(text.clone()).v1(PROBE));
        let now = self.now();
        let proves = |it: &UserKey| it.key.is_live(now) && it.secret.proves(&project.project.id, PROBE, &shown);
        project.user_keys().iter().any(proves)
    }

    fn new_client_api_key(
        &self,
        project: &ProjectId,
        kind: ClientApiKeyKind,
        name: Name,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (StoredClientApiKey, SecretText) {
        let form = match kind {
            ClientApiKeyKind::Publishable => KeyText::Publishable,
            ClientApiKeyKind::Hmac => KeyText::Hmac,
        };
        let text = generate(form, &self.entropy);
        let key = ClientApiKey {
            project: project.clone(),
            id: KeyId::new(now, self.entropy.bytes()),
            kind,
            name,
            prefix: form.shown_prefix(&text),
            generation: 0,
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
            replaced_by: None,
        };
        let material = match kind {
            ClientApiKeyKind::Publishable => text.danger_expose().to_owned(),
            ClientApiKeyKind::Hmac => {
                let id = key.id.to_string();
                self.master_key.seal(hmac_secret_place(&[project.as_str(), &id]), text.danger_expose().as_bytes())
            }
        };
        (StoredClientApiKey { key, material }, text)
    }
}

fn unfit(key: &ClientApiKey, now: Timestamp) -> Option<Refused> {
    if !key.is_live(now) {
        return Some(Refused::Invalid(format!("key `{}` no longer works: create a new one", key.id)));
    }
    let successor = key.replaced_by?;
    Some(Refused::Invalid(format!("key `{}` has a successor already: `{successor}`", key.id)))
}
