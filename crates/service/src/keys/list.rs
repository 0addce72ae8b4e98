//! Looking at keys. None of what is shown here is a secret.

use countersign_crypto::api_key::SecretKeyHash;
use countersign_domain::{
    client_api_key::{ClientApiKey, ClientApiKeyKind},
    delegation_key::DelegationKey,
    id::{KeyId, ProjectId},
    key::SecretKey,
};
use countersign_storage::{
    client_api_keys::{self, StoredClientApiKey},
    delegation_keys,
    mac_keys::{self, StoredMacKey},
    secret_keys, signing_keys,
    signing_keys::StoredSigningKey,
};

use super::delegation::IdpKey;
use crate::{Service, admin::Refused};

/// All keys of a project.
pub struct Keys {
    /// What backends show.
    pub secret: Vec<SecretKey>,
    /// What apps name the project by, and under what backends prove users; publishable keys with their text, which is no secret.
    pub client_api: Vec<(ClientApiKey, Option<String>)>,
    /// By what service providers sign delegated calls.
    pub delegation: Vec<DelegationKey>,
    /// What opens those calls, and signs the answers.
    pub idp: Vec<IdpKey>,
    /// What signs.
    pub signing: Vec<StoredSigningKey>,
    /// Under what refresh tokens are authentic.
    pub mac: Vec<StoredMacKey>,
}

fn with_public_text(stored: StoredClientApiKey) -> (ClientApiKey, Option<String>) {
    let is_public = stored.key.kind == ClientApiKeyKind::Publishable;
    (stored.key, is_public.then_some(stored.material))
}

impl Service {
    /// All keys of a project, the oldest of each kind first.
    pub async fn list_keys(&self, project: &ProjectId) -> Result<Keys, Refused> {
        self.show_project(project).await?;
        let idp = self.list_idp_keys(project).await?;
        let mut reader = self.db.reader().await?;
        let secret = secret_keys::list(&mut reader.conn(), project).await?;
        let client_api = client_api_keys::list(&mut reader.conn(), project).await?;
        let delegation = delegation_keys::list(&mut reader.conn(), project).await?;
        Ok(Keys {
            delegation: delegation.into_iter().map(|stored| stored.key).collect(),
            idp,
            client_api: client_api.into_iter().map(with_public_text).collect(),
            secret: secret.into_iter().map(|stored| stored.key).collect(),
            signing: signing_keys::list(&mut reader.conn(), project).await?,
            mac: mac_keys::list(&mut reader.conn(), project).await?,
        })
    }

    /// Would a backend with this secret get in now?
    pub fn knows_live_key(&self, hash: &SecretKeyHash) -> bool {
        let directory = self.directory.load();
        let key = directory.secret_key(hash).and_then(|(project, id)| project.secret_key(id).cloned());
        key.is_some_and(|key| key.is_live(self.now()))
    }

    /// The public half of the key that signs by ES256 now, in PEM; none where there is no such project.
    pub fn public_key_pem(&self, project: &ProjectId) -> Option<String> {
        let directory = self.directory.load();
        let view = directory.project(project.as_str())?;
        view.signing_key().verifying_key().ok()?.to_pem().ok()
    }

    /// A secret key, without its secret.
    pub async fn show_secret_key(&self, project: &ProjectId, id: KeyId) -> Result<SecretKey, Refused> {
        let found = secret_keys::find(&mut self.db.reader().await?.conn(), project, id).await?;
        found.map(|stored| stored.key).ok_or_else(|| Refused::not_found("key", id))
    }
}
