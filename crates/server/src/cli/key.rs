//! `key`.

use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use countersign_domain::{
    client_api_key::ClientApiKeyKind,
    id::{ClientId, KeyId, MacKeyId, SigningKeyId},
    key::{ClientScope, KeyScope, ScopeChanges, SecretKey},
    proof::Level,
    signing_algorithm::SigningAlgorithm,
    text::Name,
};
use countersign_service::keys::{create::NewKey, list::Keys};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::{
    Desk, client_api_key, delegation_key,
    output::{optional_time, time},
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a key; a secret is printed once
    Create {
        /// The kind of key
        #[arg(long, value_enum, default_value = "secret")]
        kind: Created,
        /// What people call it
        #[arg(long, default_value = "")]
        name: Name,
        /// When it expires, as 90days [default: never]
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires: Option<Duration>,
        /// Of a signing key: EdDSA or RS256
        #[arg(long, value_name = "ALG", required_if_eq("kind", "signing"))]
        alg: Option<SigningAlgorithm>,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// List the keys of a project; no secret is shown
    List,
    /// Show a key, without its secret
    Show {
        /// The key: key_…
        id: KeyId,
    },
    /// Change what a secret key may do, or what a key is called
    Set {
        /// The key: key_…
        id: KeyId,
        /// What people call it
        #[arg(long)]
        name: Option<Name>,
        #[command(flatten)]
        scope: ScopeArgs,
        #[command(flatten)]
        wider: WiderArgs,
    },
    /// Make the successor of a key. The old one goes on working for the overlap
    Rotate {
        /// The key: key_…
        id: Option<KeyId>,
        /// Instead: the project's signing key, the key that authenticates refresh tokens, or our own pair for delegated calls
        #[arg(long, value_enum, conflicts_with = "id")]
        kind: Option<Rotated>,
        /// How long the old key goes on working
        #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span)]
        overlap: Duration,
        /// Of a signing key, its algorithm
        #[arg(long, value_name = "ALG", default_value = "ES256")]
        alg: SigningAlgorithm,
        /// Sign with the next signing key though it was published less than a day ago
        #[arg(long)]
        now: bool,
    },
    /// Make a key worthless: key_…, or sig_… and mac_… with everything that they made. Without our own pair for delegated calls the credentials
    /// are worthless that were made with it
    Revoke {
        /// The key
        id: String,
        /// End every session that the key vouched for, or under which its user was proved
        #[arg(long)]
        cascade: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Created {
    /// What a backend shows
    Secret,
    /// What an app names the project by
    Publishable,
    /// Under what a backend proves its users
    Hmac,
    /// What signs by another algorithm than ES256, for clients that want it
    Signing,
    /// By what a client's backend seals and signs its calls: its credential, and the same as PEM
    Delegation,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Rotated {
    /// What signs tokens
    Signing,
    /// What authenticates refresh tokens
    Mac,
    /// Our own pair for delegated calls, which new credentials are made with
    Delegation,
}

/// What a secret key may do.
#[derive(Args)]
pub(super) struct ScopeArgs {
    /// Only for this client; may be said several times [default: all]
    #[arg(long = "client", value_name = "ID")]
    clients: Vec<ClientId>,
    /// May not create users
    #[arg(long)]
    no_create_users: bool,
    /// Only from this network, as 192.0.2.0/24; may be said several times [default: all]
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<IpNet>,
    /// Requests per second [default: the project's `limits.key.rate`]
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// The highest `acr` that it may pass on
    #[arg(long, value_name = "ACR")]
    max_acr: Option<Level>,
}

/// What a secret key may do again.
#[derive(Args, Default)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(super) struct WiderArgs {
    /// For every client again
    #[arg(long, conflicts_with = "clients")]
    every_client: bool,
    /// May create users again
    #[arg(long, conflicts_with = "no_create_users")]
    create_users: bool,
    /// From every network again
    #[arg(long, conflicts_with = "networks")]
    every_network: bool,
    /// Requests per second as the project says again
    #[arg(long, conflicts_with = "rate")]
    project_rate: bool,
}

impl ScopeArgs {
    /// Does it say anything?
    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
            && self.networks.is_empty()
            && !self.no_create_users
            && self.rate.is_none()
            && self.max_acr.is_none()
    }

    /// The one client that is named, where nothing else is.
    fn only_client(&self) -> Option<&ClientId> {
        let says_more =
            !self.networks.is_empty() || self.no_create_users || self.rate.is_some() || self.max_acr.is_some();
        match self.clients.as_slice() {
            [client] if !says_more => Some(client),
            _ => None,
        }
    }

    fn into_scope(self) -> KeyScope {
        self.into_changes(&WiderArgs::default()).apply(&KeyScope::default())
    }

    fn into_changes(self, wider: &WiderArgs) -> ScopeChanges {
        let clients: BTreeSet<ClientId> = self.clients.into_iter().collect();
        let only = (!clients.is_empty()).then_some(ClientScope::Only(clients));
        let networks = (!self.networks.is_empty()).then_some(self.networks);
        ScopeChanges {
            clients: wider.every_client.then_some(ClientScope::Every).or(only),
            may_create_users: if wider.create_users { Some(true) } else { self.no_create_users.then_some(false) },
            networks: wider.every_network.then(Vec::new).or(networks),
            rate: if wider.project_rate { Some(None) } else { self.rate.map(Some) },
            max_level: self.max_acr,
        }
    }
}

/// A span of time, as `90days`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "must be a time like `24h` or `90days`".to_owned())
}

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let service = &desk.service;
        let project = desk.project().await?;
        let shown = match self {
            Self::Create { kind: Created::Signing, alg, .. } => {
                let alg = alg.unwrap_or(SigningAlgorithm::Es256);
                json!({ "id": service.create_signing_key(&project, alg).await?.to_string(), "alg": alg.as_str() })
            }
            Self::Create { kind: Created::Secret, name, expires, scope, .. } => {
                with_secret(&service.create_secret_key(&project, name, scope.into_scope(), expires).await?)
            }
            Self::Create { kind: Created::Publishable, name, expires, scope, .. } => {
                client_api_key::create(desk, ClientApiKeyKind::Publishable, name, expires, &scope).await?
            }
            Self::Create { kind: Created::Hmac, name, expires, scope, .. } => {
                client_api_key::create(desk, ClientApiKeyKind::Hmac, name, expires, &scope).await?
            }
            Self::Create { kind: Created::Delegation, expires, scope, .. } => {
                delegation_key::create(desk, scope.only_client(), expires).await?
            }
            Self::List => all(&service.list_keys(&project).await?),
            Self::Show { id } => match client_api_key::find(desk, id).await? {
                Some(key) => client_api_key::shown(&key),
                None => show(desk, id).await?,
            },
            Self::Set { id, name, scope, wider } => {
                if let Some(key) = client_api_key::find(desk, id).await? {
                    client_api_key::set(desk, &key, name, &scope).await?
                } else {
                    let scope = scope.into_changes(&wider);
                    secret_key(&service.set_secret_key(&project, id, name, scope).await?)
                }
            }
            Self::Rotate { id: Some(id), overlap, .. } => match client_api_key::find(desk, id).await? {
                Some(key) => {
                    client_api_key::with_text(&service.rotate_client_api_key(&project, key.id, overlap).await?)
                }
                None if delegation_key::find(desk, id).await?.is_some() => {
                    delegation_key::handed_over(&service.rotate_delegation_key(&project, id, overlap).await?)
                }
                None => with_secret(&service.rotate_secret_key(&project, id, overlap).await?),
            },
            Self::Rotate { kind: Some(Rotated::Signing), alg, now, .. } => {
                json!({ "id": service.rotate_signing_key_for(&project, alg, now).await?.to_string() })
            }
            Self::Rotate { kind: Some(Rotated::Mac), .. } => {
                json!({ "id": service.rotate_mac_key(&project).await?.to_string() })
            }
            Self::Rotate { kind: Some(Rotated::Delegation), .. } => {
                json!({ "id": service.rotate_idp_key(&project).await?.to_string() })
            }
            Self::Rotate { .. } => {
                return Err(Failure::Usage(
                    "say which: key_…, --kind signing, --kind mac or --kind delegation".to_owned(),
                ));
            }
            Self::Revoke { id, cascade } => return revoke(desk, &id, cascade).await,
        };
        desk.output.print(&shown)
    }
}

async fn show(desk: &Desk, id: KeyId) -> Result<Value, Failure> {
    if let Some(key) = delegation_key::find(desk, id).await? {
        return Ok(delegation_key::shown(&key));
    }
    if let Some(key) = delegation_key::find_own(desk, id).await? {
        return Ok(delegation_key::shown_own(&key));
    }
    let project = desk.project().await?;
    Ok(secret_key(&desk.service.show_secret_key(&project, id).await?))
}

async fn revoke(desk: &Desk, id: &str, cascade: bool) -> Result<(), Failure> {
    let project = desk.project().await?;
    if let Ok(key) = id.parse::<KeyId>() {
        if client_api_key::find(desk, key).await?.is_some() {
            let revoked = desk.service.revoke_client_api_key(&project, key, cascade).await?;
            return desk.output.print(&client_api_key::shown(&revoked));
        }
        if delegation_key::find(desk, key).await?.is_some() {
            let revoked = desk.service.revoke_delegation_key(&project, key).await?;
            return desk.output.print(&delegation_key::shown(&revoked));
        }
        if delegation_key::find_own(desk, key).await?.is_some() {
            desk.service.revoke_idp_key(&project, key).await?;
            return desk.output.print(&json!({ "id": id, "revoked": true }));
        }
        let key = desk.service.revoke_secret_key(&project, key, cascade).await?;
        return desk.output.print(&secret_key(&key));
    }
    if let Ok(key) = id.parse::<SigningKeyId>() {
        desk.service.revoke_signing_key(&project, key).await?;
    } else if let Ok(key) = id.parse::<MacKeyId>() {
        desk.service.revoke_mac_key(&project, key).await?;
    } else {
        return Err(Failure::Usage(format!("`{id}` is no key id: key_…, sig_… or mac_…")));
    }
    desk.output.print(&json!({ "id": id, "revoked": true }))
}

fn with_secret(new: &NewKey) -> Value {
    let mut shown = secret_key(&new.key);
    shown["secret"] = json!(new.secret.danger_expose());
    shown
}

fn secret_key(key: &SecretKey) -> Value {
    let clients = match &key.scope.clients {
        ClientScope::Every => Value::Null,
        ClientScope::Only(ids) => ids.iter().map(ClientId::as_str).collect(),
    };
    json!({
        "id": key.id.to_string(),
        "kind": "secret",
        "name": key.name.as_str(),
        "prefix": key.prefix,
        "clients": clients,
        "may_create_users": key.scope.may_create_users,
        "networks": key.scope.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rate": key.scope.rate,
        "max_acr": key.scope.max_level.as_str(),
        "created_at": time(key.created_at),
        "last_used_at": optional_time(key.last_used_at),
        "expires_at": optional_time(key.expires_at),
        "revoked_at": optional_time(key.revoked_at),
        "replaced_by": key.replaced_by.map(|id| id.to_string()),
    })
}

fn all(keys: &Keys) -> Value {
    let signing = keys.signing.iter().map(|key| {
        let state = if key.is_next() {
            "next"
        } else if key.is_active() {
            "active"
        } else {
            "retired"
        };
        json!({
            "id": key.id.to_string(),
            "kind": "signing",
            "alg": key.algorithm.as_str(),
            "state": state,
            "created_at": time(key.created_at),
            "activated_at": optional_time(key.activated_at),
            "retired_at": optional_time(key.retired_at),
        })
    });
    let mac = keys.mac.iter().map(|key| {
        json!({
            "id": key.id.to_string(),
            "kind": "mac",
            "created_at": time(key.created_at),
            "revoked_at": optional_time(key.revoked_at),
        })
    });
    json!({
        "client_api": keys.client_api.iter().map(client_api_key::listed).collect::<Vec<_>>(),
        "delegation": keys.delegation.iter().map(delegation_key::shown).collect::<Vec<_>>(),
        "idp": keys.idp.iter().map(delegation_key::shown_own).collect::<Vec<_>>(),
        "secret": keys.secret.iter().map(secret_key).collect::<Vec<_>>(),
        "signing": signing.collect::<Vec<_>>(),
        "mac": mac.collect::<Vec<_>>(),
    })
}
