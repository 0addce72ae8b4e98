//! `client`.

use clap::Subcommand;
use countersign_domain::{
    client::{Client, ClientKind},
    id::ClientId,
    policy::Scope,
    text::Name,
};
use countersign_service::projects::state::StateChange;
use serde_json::{Value, json};

use super::{
    Desk,
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

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let service = &desk.service;
        let project = desk.project().await?;
        let change = |id: ClientId, change: StateChange| {
            let project = project.clone();
            async move { service.change_client_state(&project, &id, change).await }
        };
        let shown = match self {
            Self::Create { id, kind, name } => summary(&service.create_client(&project, id, name, kind).await?),
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
    shown["settings"] = settings(&layers, Some(Scope::Client));
    Ok(shown)
}
