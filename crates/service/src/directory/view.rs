//! One project as every call sees it: immutable, complete, with its keys ready for use.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use countersign_crypto::{
    api_key::SecretKeyHash,
    caller_marks::CallerMarksKey,
    dpop_nonce::DpopNonceKey,
    jose::{
        client_jwks::ClientJwks,
        signing_key::{SigningKey, VerifyingKey},
    },
    refresh_token::RefreshTokenKey,
    user_mac::HmacSecret,
};
use countersign_domain::{
    client::Client,
    client_api_key::ClientApiKey,
    clock::Timestamp,
    gateway::routes::Routes,
    generations::Generations,
    id::{ClientId, KeyId, MacKeyId, SigningKeyId},
    key::SecretKey,
    policy::Settings,
    project::Project,
    signing_algorithm::SigningAlgorithm,
};
use countersign_storage::client_secrets::StoredClientSecret;

use super::delegation::DelegationKeys;
use crate::proof::possession::NoncePolicy;

/// A project.
pub struct ProjectView {
    /// The project.
    pub project: Project,
    /// Its settings.
    pub settings: Settings,
    /// The `iss` of its tokens.
    pub issuer: Arc<str>,
    /// The `aud` of its access tokens.
    pub audience: Arc<str>,
    /// What its API is called in assertions, where no route leads to another.
    pub assertion_audience: Arc<str>,
    /// Its JWK Set, as it is served.
    pub jwks: Bytes,
    /// What it says of its provider, once somebody has asked.
    pub(crate) metadata: OnceLock<Bytes>,
    pub(super) clients: HashMap<ClientId, ClientView>,
    pub(super) keys: HashMap<KeyId, (SecretKey, SecretKeyHash)>,
    pub(super) client_api: ClientApiKeys,
    /// Of each algorithm the one that signs now; of ES256 there always is one.
    pub(super) signing_keys: BTreeMap<SigningAlgorithm, ActiveKey>,
    /// Those that signed once, and still do for clients that know no other.
    pub(super) pinned_keys: HashMap<SigningKeyId, SigningKey>,
    pub(super) verifying_keys: HashMap<String, VerifyingKey>,
    /// By what delegated calls are proved and opened, and what signs the answers.
    pub(crate) delegation: DelegationKeys,
    pub(super) mac_keys: HashMap<MacKeyId, RefreshTokenKey>,
    pub(super) mac_key: MacKeyId,
    /// The highest number that any MAC key of the project was given, as far as the database knows.
    pub(super) last_mac_key: MacKeyId,
    pub(super) caller_marks_key: CallerMarksKey,
    pub(super) dpop_nonce_key: DpopNonceKey,
}

/// A key that signs, and since when.
pub(super) struct ActiveKey {
    pub(super) key: SigningKey,
    pub(super) since: Timestamp,
}

/// The keys of the client API.
#[derive(Default)]
pub(super) struct ClientApiKeys {
    /// With their texts.
    pub(super) publishable: Vec<(ClientApiKey, Box<str>)>,
    /// The newest first.
    pub(super) user_keys: Vec<UserKey>,
}

/// A key that proves users, ready for use.
pub(crate) struct UserKey {
    pub(crate) key: ClientApiKey,
    pub(crate) secret: HmacSecret,
}

/// A client, with the settings that hold for it.
pub struct ClientView {
    /// The client.
    pub client: Client,
    /// Its settings: its own, its project's, or the default.
    pub settings: Settings,
    /// The keys by which it signs assertions.
    pub(crate) keys: ClientJwks,
    /// Its secrets that haven't been revoked.
    pub(crate) secrets: Vec<StoredClientSecret>,
}

impl ClientView {
    /// Whether its proofs of possession must carry a nonce of ours.
    pub fn nonce_policy(&self) -> NoncePolicy {
        if self.settings.dpop_nonce { NoncePolicy::Required } else { NoncePolicy::Optional }
    }
}

impl ProjectView {
    /// All clients.
    pub(crate) fn clients(&self) -> impl Iterator<Item = &ClientView> {
        self.clients.values()
    }

    /// A client by its id.
    pub fn client(&self, id: &ClientId) -> Option<&ClientView> {
        self.clients.get(id)
    }

    /// The host names that are the gateway's alone.
    pub(crate) fn gateway_hosts(&self) -> impl Iterator<Item = &str> {
        self.settings.gateway_routes.iter().flat_map(Routes::hosts)
    }

    /// Is there an API behind the gateway?
    pub(super) fn has_gateway(&self) -> bool {
        self.settings.gateway_upstream.is_some() || self.settings.gateway_routes.is_some()
    }

    /// The longest that an access token of any client may live.
    pub(crate) fn longest_access_lifetime(&self) -> Duration {
        self.clients.values().map(|view| view.settings.access_lifetime).max().unwrap_or_default()
    }

    /// A secret key by its id.
    pub fn secret_key(&self, id: KeyId) -> Option<&SecretKey> {
        self.keys.get(&id).map(|(key, _)| key)
    }

    /// Is the project closed?
    pub fn is_disabled(&self) -> bool {
        self.project.disabled_at.is_some()
    }

    /// A publishable key by its id.
    pub(crate) fn publishable_key(&self, id: KeyId) -> Option<&ClientApiKey> {
        self.client_api.publishable.iter().map(|(key, _)| key).find(|key| key.id == id)
    }

    /// The publishable keys, those that no longer work included.
    pub(crate) fn publishable_keys(&self) -> impl Iterator<Item = (Box<str>, KeyId)> {
        self.client_api.publishable.iter().map(|(key, text)| (text.clone(), key.id))
    }

    /// The keys that prove users, those that no longer work included; the newest first.
    pub(crate) fn user_keys(&self) -> &[UserKey] {
        &self.client_api.user_keys
    }

    pub(super) fn key_hashes(&self) -> impl Iterator<Item = (SecretKeyHash, KeyId)> {
        self.keys.iter().map(|(id, (_, hash))| (*hash, *id))
    }

    pub(crate) fn key_hash(&self, id: KeyId) -> Option<SecretKeyHash> {
        self.keys.get(&id).map(|(_, hash)| *hash)
    }

    pub(super) fn key_ids(&self) -> impl Iterator<Item = String> {
        self.verifying_keys.keys().cloned()
    }

    /// The key that signs what any API may have to check: ES256.
    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.signing_keys[&SigningAlgorithm::Es256].key
    }

    /// The key that signs by an algorithm, where the project has one.
    pub(crate) fn signing_key_for(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        self.signing_keys.get(&algorithm).map(|active| &active.key)
    }

    /// The key that signs a client's id_tokens. One that was pinned and is gone, or is of another algorithm by now, signs nothing.
    pub(crate) fn signing_key_of(&self, client: &ClientView) -> Option<&SigningKey> {
        let settings = &client.settings;
        let pinned = settings.oauth_signing_key.and_then(|id| self.pinned_keys.get(&id));
        pinned
            .filter(|key| key.algorithm() == settings.oauth_id_token_alg)
            .or_else(|| self.signing_key_for(settings.oauth_id_token_alg))
    }

    /// By what it signs, and since when with the key that does so now.
    pub(crate) fn signing_algorithms(&self) -> impl Iterator<Item = (SigningAlgorithm, Timestamp)> {
        self.signing_keys.iter().map(|(algorithm, active)| (*algorithm, active.since))
    }

    /// The key that checks what `kid` signed.
    pub(crate) fn verifying_key(&self, kid: &str) -> Option<&VerifyingKey> {
        self.verifying_keys.get(kid)
    }

    /// The key under which refresh tokens are made now.
    pub(crate) fn mac_key(&self) -> MacKeyId {
        self.mac_key
    }

    /// A key under which refresh tokens are authentic.
    pub(crate) fn refresh_token_key(&self, id: MacKeyId) -> Option<&RefreshTokenKey> {
        self.mac_keys.get(&id)
    }

    /// Was a MAC key of this number made and forgotten? So it is after a restored backup, or a failover to a replica that lagged.
    pub(crate) fn has_forgotten_mac_key(&self, id: MacKeyId) -> bool {
        id.0 > self.last_mac_key.0
    }

    /// The counter of a key that vouched, or under which users are proved.
    fn key_generation(&self, id: KeyId) -> u32 {
        let user_key = || self.user_keys().iter().find(|it| it.key.id == id).map(|it| it.key.generation);
        self.secret_key(id).map(|key| key.generation).or_else(user_key).unwrap_or(0)
    }

    pub(crate) fn caller_marks_key(&self) -> &CallerMarksKey {
        &self.caller_marks_key
    }

    pub(crate) fn dpop_nonce_key(&self) -> &DpopNonceKey {
        &self.dpop_nonce_key
    }

    /// What the revocation counters stand at, for something of this user, client and key. The user's is the caller's to know.
    pub(crate) fn generations(&self, user: u32, client: &ClientId, key: Option<KeyId>) -> Generations {
        Generations {
            user,
            client: self.client(client).map_or(0, |view| view.client.generation),
            key: key.map_or(0, |id| self.key_generation(id)),
            project: self.project.generation,
        }
    }
}
