//! Reading a project from the database and making its keys ready.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use countersign_crypto::{
    encoding,
    jose::{
        client_jwks::ClientJwks,
        jwk::JwkSet,
        signing_key::{SigningKey, VerifyingKey},
    },
    master_key::MasterKey,
    seal::Place,
    secret::SecretText,
    user_mac::HmacSecret,
};
use countersign_domain::{
    client::Client,
    client_api_key::ClientApiKeyKind,
    id::{MacKeyId, ProjectId, SigningKeyId},
    oauth::registration::{PkcePolicy, contradiction},
    policy::Settings,
    project::Project,
    signing_algorithm::SigningAlgorithm,
};
use countersign_storage::{
    Conn, client_api_keys, client_api_keys::StoredClientApiKey, client_secrets, client_secrets::StoredClientSecret,
    clients, delegation_keys, error::Error as StorageError, idp_keys, mac_keys, projects, secret_keys, signing_keys,
    signing_keys::StoredSigningKey,
};

use super::{
    ClientView, ProjectView,
    delegation::DelegationKeys,
    view::{ActiveKey, ClientApiKeys, UserKey},
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
    let secrets = client_secrets::list(conn, id).await?;
    for client in clients::list(conn, id).await? {
        let problem = |problem: String| unusable(format!("client {}: {problem}", client.id));
        let view = client_view(client.clone(), &project, &secrets).map_err(problem)?;
        client_views.insert(client.id, view);
    }
    let stored = secret_keys::list(conn, id).await?;
    let keys = stored.into_iter().map(|stored| (stored.key.id, (stored.key, stored.hash))).collect();
    let client_api = open_client_api_keys(client_api_keys::list(conn, id).await?, master_key).map_err(unusable)?;
    let pinned = client_views.values().filter_map(|view: &ClientView| view.settings.oauth_signing_key).collect();
    let signing = signing_keys::list(conn, id).await?;
    let signing = open_signing_keys(&signing, &pinned, master_key).map_err(unusable)?;
    let delegation =
        DelegationKeys::open(&delegation_keys::list(conn, id).await?, &idp_keys::list(conn, id).await?, master_key);
    let delegation = delegation.map_err(unusable)?;
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
        metadata: OnceLock::new(),
        clients: client_views,
        keys,
        client_api,
        signing_keys: signing.active,
        pinned_keys: signing.pinned,
        verifying_keys: signing.verifying,
        delegation,
        mac_keys: live.iter().map(|key| (*key, master_key.refresh_token_key(id, *key))).collect(),
        mac_key: newest,
        last_mac_key: mac.last().map_or(newest, |key| key.id),
        caller_marks_key: master_key.caller_marks_key(id),
        dpop_nonce_key: master_key.dpop_nonce_key(id),
        settings,
        project,
    }))
}

fn client_view(client: Client, project: &Project, secrets: &[StoredClientSecret]) -> Result<ClientView, String> {
    let resolved = Settings::resolve(&[&client.overrides, &project.overrides]);
    let mut settings = resolved.map_err(|problem| problem.to_string())?;
    // RFC 9700 §2.2.2: whoever can't keep a secret rotates, whatever a row says.
    settings.refresh_rotation |= !client.kind.is_confidential();
    if !settings.oauth_auth_method.proves() {
        settings.oauth_pkce = PkcePolicy::Required;
    }
    // No setting by itself, so that a registration that makes no sense closes one client and not its project.
    if contradiction(client.kind, &settings).is_some() {
        settings.oauth_grants.clear();
    }
    let keys = settings.oauth_jwks.as_deref().map(|json| ClientJwks::parse(json.as_bytes())).transpose();
    let keys = keys.map_err(|problem| format!("`oauth.jwks` {problem}"))?.unwrap_or_default();
    let secrets = secrets.iter().filter(|secret| secret.client == client.id && secret.revoked_at.is_none());
    Ok(ClientView { secrets: secrets.cloned().collect(), client, settings, keys })
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
    active: BTreeMap<SigningAlgorithm, ActiveKey>,
    pinned: HashMap<SigningKeyId, SigningKey>,
    verifying: HashMap<String, VerifyingKey>,
    jwks: bytes::Bytes,
}

fn open_signing_keys(
    stored: &[StoredSigningKey],
    wanted: &HashSet<SigningKeyId>,
    master_key: &MasterKey,
) -> Result<SigningKeys, String> {
    let broken = |key: &StoredSigningKey| format!("signing key {} is no key", key.id);
    let mut active = BTreeMap::new();
    let (mut pinned, mut verifying) = (HashMap::new(), HashMap::new());
    let mut keys = Vec::new();
    for key in stored {
        let public = encoding::decode(&key.public_key).ok_or_else(|| broken(key))?;
        let public = VerifyingKey::from_public(key.algorithm, key.id, &public).map_err(|_| broken(key))?;
        keys.push(public.to_jwk());
        verifying.insert(key.id.to_string(), public);
        if key.is_active() {
            active.insert(key.algorithm, open_active(key, master_key)?);
        }
        if wanted.contains(&key.id) {
            pinned.insert(key.id, open_active(key, master_key)?.key);
        }
    }
    if !active.contains_key(&SigningAlgorithm::Es256) {
        return Err("it has no active signing key".to_owned());
    }
    let jwks = serde_json::to_vec(&JwkSet { keys }).map_err(|problem| problem.to_string())?;
    Ok(SigningKeys { active, pinned, verifying, jwks: jwks.into() })
}

fn open_active(key: &StoredSigningKey, master_key: &MasterKey) -> Result<ActiveKey, String> {
    let row = [key.project.to_string(), key.id.to_string()];
    let place = [row[0].as_str(), row[1].as_str()];
    let opened = master_key.open(signing_key_place(&place), &key.sealed_private_key);
    let private = opened.map_err(|problem| format!("signing key {}: {problem}", key.id))?;
    let signing = SigningKey::from_pkcs8_for(key.algorithm, key.id, &private);
    let signing = signing.map_err(|_| format!("signing key {} is no key", key.id))?;
    Ok(ActiveKey { key: signing, since: key.activated_at.unwrap_or(key.created_at) })
}
