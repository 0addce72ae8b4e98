//! `client`.

use std::time::Duration;

use clap::Subcommand;
use countersign_domain::{
    client::{Client, ClientKind},
    id::{ClientId, KeyId},
    policy::Scope,
    text::Name,
};
use countersign_service::projects::state::StateChange;
use countersign_storage::client_secrets::StoredClientSecret;
use serde_json::{Value, json};

use super::{
    Desk,
    key::span,
    output::{optional_time, time},
    project::{changes, setting, settings},
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a client
    Create {
        /// Its id, unique in the project: lower-case letters, digits, `-` and `_`
        id: ClientId,
        /// What runs it: ios, android, web or backend
        #[arg(long)]
        kind: ClientKind,
        /// What people call it
        #[arg(long, default_value = "")]
        name: Name,
        /// Settings in which it differs from its project
        #[arg(value_name = "NAME=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// List all clients
    List,
    /// Show a client and its settings
    Show {
        /// The client
        id: ClientId,
    },
    /// Change settings: NAME=VALUE …; an empty value is the project's again; `name` is what people call it
    Set {
        /// The client
        id: ClientId,
        /// What to change
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// Secrets of a client that authenticates itself by one
    Secret {
        #[command(subcommand)]
        verb: SecretVerb,
    },
    /// End all its sessions
    Revoke {
        /// The client
        id: ClientId,
    },
    /// End all its sessions, and open no new ones
    Disable {
        /// The client
        id: ClientId,
    },
    /// Open sessions again; what was ended stays ended
    Enable {
        /// The client
        id: ClientId,
    },
}

#[derive(Subcommand)]
pub(super) enum SecretVerb {
    /// Give a client another secret: it is printed once
    Create {
        /// The client
        id: ClientId,
        /// When it expires, as 90days [default: never]
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires: Option<Duration>,
    },
    /// List a client's secrets; none is shown
    List {
        /// The client
        id: ClientId,
    },
    /// Make a secret worthless
    Revoke {
        /// The client
        id: ClientId,
        /// The secret's name: key_…
        secret: KeyId,
    },
}

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let service = &desk.service;
        let project = desk.project().await?;
        let change = |id: ClientId, change: StateChange| {
            let project = project.clone();
            async move { service.change_client_state(&project, &id, change).await }
        };
        let shown = match self {
            Self::Create { id, kind, name, settings } => {
                let settings = changes(settings)?;
                summary(&service.create_client_with(&project, id, name, kind, settings).await?)
            }
            Self::Secret { verb } => secrets(desk, verb).await?,
            Self::List => service.list_clients(&project).await?.iter().map(summary).collect(),
            Self::Show { id } => details(desk, &service.show_client(&project, &id).await?).await?,
            Self::Set { id, settings } => {
                details(desk, &service.set_client(&project, &id, changes(settings)?).await?).await?
            }
            Self::Revoke { id } => summary(&change(id, StateChange::Revoke).await?),
            Self::Disable { id } => summary(&change(id, StateChange::Disable).await?),
            Self::Enable { id } => summary(&change(id, StateChange::Enable).await?),
        };
        desk.output.print(&shown)
    }
}

async fn secrets(desk: &Desk, verb: SecretVerb) -> Result<Value, Failure> {
    let (service, project) = (&desk.service, desk.project().await?);
    Ok(match verb {
        SecretVerb::Create { id, expires } => {
            let made = service.create_client_secret(&project, &id, expires).await?;
            let mut shown = secret(&made.stored);
            shown["secret"] = json!(made.secret.danger_expose());
            shown
        }
        SecretVerb::List { id } => {
            service.show_client(&project, &id).await?;
            service.list_client_secrets(&project, &id).await?.iter().map(secret).collect()
        }
        SecretVerb::Revoke { id, secret } => {
            service.revoke_client_secret(&project, &id, secret).await?;
            json!({ "id": secret.to_string(), "revoked": true })
        }
    })
}

fn secret(stored: &StoredClientSecret) -> Value {
    json!({
        "id": stored.id.to_string(),
        "client": stored.client.as_str(),
        "prefix": stored.prefix,
        "created_at": time(stored.created_at),
        "expires_at": optional_time(stored.expires_at),
        "revoked_at": optional_time(stored.revoked_at),
    })
}

fn summary(client: &Client) -> Value {
    json!({
        "id": client.id.as_str(),
        "kind": client.kind.as_str(),
        "name": client.name.as_str(),
        "created_at": time(client.created_at),
        "disabled_at": optional_time(client.disabled_at),
    })
}

async fn details(desk: &Desk, client: &Client) -> Result<Value, Failure> {
    let project = desk.service.show_project(&client.project).await?;
    let mut shown = summary(client);
    let layers = [("client", &client.overrides), ("project", &project.overrides)];
    shown["settings"] = settings(&layers, Scope::has_clients);
    Ok(shown)
}
