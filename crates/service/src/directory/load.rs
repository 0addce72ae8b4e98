//! Reading a project from the database and making its keys ready.

use std::{collections::HashMap, sync::Arc};

use countersign_crypto::{
    encoding,
    jose::{
        jwk::JwkSet,
        signing_key::{SigningKey, VerifyingKey},
    },
    master_key::MasterKey,
    seal::Place,
    secret::SecretText,
    user_mac::HmacSecret,
};
use countersign_domain::{
    client_api_key::ClientApiKeyKind,
    clock::Timestamp,
    id::{MacKeyId, ProjectId},
    policy::Settings,
    project::Project,
};
use countersign_storage::{
    Conn, client_api_keys, client_api_keys::StoredClientApiKey, clients, error::Error as StorageError, mac_keys,
    projects, secret_keys, signing_keys, signing_keys::StoredSigningKey,
};

use super::{
    ClientView, ProjectView,
    view::{ClientApiKeys, UserKey},
};
use crate::config::Config;

/// Why a project can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The database didn't answer, or holds what this program can't read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Its own data makes no sense.
    #[error("project {project}: {problem}")]
    Unusable {
        /// The project.
        project: ProjectId,
        /// What is wrong with it.
        problem: String,
    },
}

/// The table and column in which private signing keys are sealed.
pub(crate) fn signing_key_place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "signing_keys", column: "sealed_private_key", row }
}

/// The table and column in which secrets are sealed that prove users.
pub(crate) fn hmac_secret_place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "client_api_keys", column: "material", row }
}

/// Reads a project; none where there is none of that id.
pub(crate) async fn load_project(
    conn: &mut Conn<'_>,
    id: &ProjectId,
    master_key: &MasterKey,
    config: &Config,
) -> Result<Option<ProjectView>, LoadError> {
    let Some(project) = projects::find(conn, id).await? else {
        return Ok(None);
    };
    let unusable = |problem: String| LoadError::Unusable { project: id.clone(), problem };
    let settings = Settings::resolve(&[&project.overrides]).map_err(|problem| unusable(problem.to_string()))?;
    let mut client_views = HashMap::new();
    for client in clients::list(conn, id).await? {
        let resolved = Settings::resolve(&[&client.overrides, &project.overrides]);
        let mut settings = resolved.map_err(|problem| unusable(format!("client {}: {problem}", client.id)))?;
        // RFC 9700 §2.2.2: whoever can't keep a secret rotates, whatever a row says.
        settings.refresh_rotation |= !client.kind.is_confidential();
        client_views.insert(client.id.clone(), ClientView { client, settings });
    }
    let stored = secret_keys::list(conn, id).await?;
    let keys = stored.into_iter().map(|stored| (stored.key.id, (stored.key, stored.hash))).collect();
    let client_api = open_client_api_keys(client_api_keys::list(conn, id).await?, master_key).map_err(unusable)?;
    let signing = open_signing_keys(&signing_keys::list(conn, id).await?, master_key).map_err(unusable)?;
    let mac = mac_keys::list(conn, id).await?;
    let live: Vec<MacKeyId> = mac.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.id).collect();
    let newest = live.last().copied().ok_or_else(|| unusable("it has no MAC key".to_owned()))?;
    let issuer: Arc<str> = issuer(&project, &settings, config).into();
    let audience = settings.audience.as_deref().map_or_else(|| Arc::clone(&issuer), Arc::from);
    Ok(Some(ProjectView {
        assertion_audience: assertion_audience(&settings, &audience),
        audience,
        issuer,
        jwks: signing.jwks,
        clients: client_views,
        keys,
        client_api,
        signing_key: signing.active,
        signs_since: signing.signs_since,
        verifying_keys: signing.verifying,
        mac_keys: live.iter().map(|key| (*key, master_key.refresh_token_key(id, *key))).collect(),
        mac_key: newest,
        last_mac_key: mac.last().map_or(newest, |key| key.id),
        caller_marks_key: master_key.caller_marks_key(id),
        dpop_nonce_key: master_key.dpop_nonce_key(id),
        settings,
        project,
    }))
}

/// A project's issuer is where it is found: at its own host name, at the root if that is its, or at its path.
fn issuer(project: &Project, settings: &Settings, config: &Config) -> String {
    match &settings.host {
        Some(host) => config.url_at(host),
        None if config.default_project.as_ref() == Some(&project.id) => config.public_url.clone(),
        None => format!("{}/p/{}", config.public_url, project.id),
    }
}

/// As the setting says, else the upstream's origin, else as in access tokens.
fn assertion_audience(settings: &Settings, audience: &Arc<str>) -> Arc<str> {
    match (&settings.gateway_audience, &settings.gateway_upstream) {
        (Some(said), _) => said.as_str().into(),
        (None, Some(upstream)) => upstream.origin().into(),
        (None, None) => Arc::clone(audience),
    }
}

fn open_client_api_keys(stored: Vec<StoredClientApiKey>, master_key: &MasterKey) -> Result<ClientApiKeys, String> {
    let mut keys = ClientApiKeys::default();
    for StoredClientApiKey { key, material } in stored {
        match key.kind {
            ClientApiKeyKind::Publishable => keys.publishable.push((key, material.into())),
            ClientApiKeyKind::Hmac => {
                let (project, id) = (key.project.to_string(), key.id.to_string());
                let opened = master_key.open(hmac_secret_place(&[&project, &id]), &material);
                let bytes = opened.map_err(|problem| format!("HMAC secret {id}: {problem}"))?;
                let text = String::from_utf8(bytes.to_vec()).map_err(|_| format!("HMAC secret {id} is no text"))?;
                keys.user_keys.push(UserKey { key, secret: HmacSecret::new(SecretText::new(text)) });
            }
        }
    }
    // The newest first: it is the likeliest to match.
    keys.user_keys.reverse();
    Ok(keys)
}

struct SigningKeys {
    active: SigningKey,
    signs_since: Timestamp,
    verifying: HashMap<String, VerifyingKey>,
    jwks: bytes::Bytes,
}

fn open_signing_keys(stored: &[StoredSigningKey], master_key: &MasterKey) -> Result<SigningKeys, String> {
    let active = stored.iter().find(|key| key.is_active()).ok_or("it has no active signing key")?;
    let row = [active.project.to_string(), active.id.to_string()];
    let place = [row[0].as_str(), row[1].as_str()];
    let opened = master_key.open(signing_key_place(&place), &active.sealed_private_key);
    let private = opened.map_err(|problem| format!("signing key {}: {problem}", active.id))?;
    let broken = |key: &StoredSigningKey| format!("signing key {} is no key", key.id);
    let mut verifying = HashMap::new();
    let mut keys = Vec::new();
    for key in stored {
        let point = encoding::decode(&key.public_key).ok_or_else(|| broken(key))?;
        let public = VerifyingKey::from_point(key.id, &point).map_err(|_| broken(key))?;
        keys.push(public.to_jwk());
        verifying.insert(key.id.to_string(), public);
    }
    let jwks = serde_json::to_vec(&JwkSet { keys }).map_err(|problem| problem.to_string())?;
    let signs_since = active.activated_at.unwrap_or(active.created_at);
    let active = SigningKey::from_pkcs8(active.id, &private).map_err(|_| broken(active))?;
    Ok(SigningKeys { active, signs_since, verifying, jwks: jwks.into() })
}
