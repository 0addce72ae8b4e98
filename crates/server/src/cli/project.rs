//! `project`.

use clap::Subcommand;
use countersign_domain::{
    id::ProjectId,
    policy::{DEFINITIONS, Overrides, Scope},
    project::Project,
    text::Name,
};
use countersign_service::{
    project_report::ClientApiReport,
    projects::{set::SettingChanges, state::StateChange},
};
use serde_json::{Value, json};

use super::{
    Desk,
    output::{optional_time, time},
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a project, with keys of its own
    Create {
        /// Its id, which stands in paths: lower-case letters, digits, `-` and `_`
        id: ProjectId,
        /// What people call it
        #[arg(long, default_value = "")]
        name: Name,
    },
    /// List all projects
    List,
    /// Show a project and every setting, with its value and meaning
    Show {
        /// The project [default: the only one]
        id: Option<ProjectId>,
    },
    /// Change settings: NAME=VALUE …; an empty value is the default again; `name` is what people call it
    Set {
        /// The project
        id: ProjectId,
        /// What to change
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// End all sessions of all users
    Revoke {
        /// The project
        id: ProjectId,
    },
    /// End all sessions, and open no new ones
    Disable {
        /// The project
        id: ProjectId,
    },
    /// Open sessions again; what was ended stays ended
    Enable {
        /// The project
        id: ProjectId,
    },
}

/// What the client API was used for in the last hours.
fn client_api(report: &ClientApiReport) -> Value {
    let counts = |counts: &[(String, i64)]| -> Value {
        counts.iter().map(|(name, count)| (name.clone(), json!(count))).collect::<serde_json::Map<_, _>>().into()
    };
    json!({
        "last_hour": counts(&report.last_hour),
        "last_day": counts(&report.last_day),
        "unproved_share_of_last_day": report.unproved_share,
        "users_made_unproved": report.users_made_unproved,
        "old_secret_last_used_at": optional_time(report.old_secret_last_used_at),
    })
}

/// `NAME=VALUE`.
pub(super) fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Settings as they were given, the name for people taken out.
pub(super) fn changes(given: Vec<(String, String)>) -> Result<SettingChanges, Failure> {
    let (names, settings): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| name == "name");
    let name = names.into_iter().next_back().map(|(_, value)| value.parse::<Name>());
    let name = name.transpose().map_err(|problem| Failure::Usage(format!("`name` {problem}")))?;
    Ok(SettingChanges { name, settings })
}

/// Every setting that has a meaning there, with its value, where that comes from, and what it means.
pub(super) fn settings(layers: &[(&str, &Overrides)], has: fn(Scope) -> bool) -> Value {
    let members = DEFINITIONS.iter().filter(|it| has(it.scope)).map(|definition| {
        let set_by = layers.iter().find(|(_, layer)| layer.contains_key(definition.name)).map(|(by, _)| *by);
        let only_layers: Vec<&Overrides> = layers.iter().map(|(_, layer)| *layer).collect();
        let value = json!({
            "value": definition.value(&only_layers),
            "set_by": set_by.unwrap_or("default"),
            "meaning": definition.meaning,
        });
        (definition.name.to_owned(), value)
    });
    Value::Object(members.collect())
}

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let service = &desk.service;
        let shown = match self {
            Self::Create { id, name } => summary(&service.create_project(id, name).await?),
            Self::List => service.list_projects().await?.iter().map(summary).collect(),
            Self::Show { id } => {
                let id = match id {
                    Some(id) => id,
                    None => desk.project().await?,
                };
                details(desk, &service.show_project(&id).await?).await?
            }
            Self::Set { id, settings } => details(desk, &service.set_project(&id, changes(settings)?).await?).await?,
            Self::Revoke { id } => summary(&service.change_project_state(&id, StateChange::Revoke).await?),
            Self::Disable { id } => summary(&service.change_project_state(&id, StateChange::Disable).await?),
            Self::Enable { id } => summary(&service.change_project_state(&id, StateChange::Enable).await?),
        };
        desk.output.print(&shown)
    }
}

fn summary(project: &Project) -> Value {
    json!({
        "id": project.id.as_str(),
        "name": project.name.as_str(),
        "created_at": time(project.created_at),
        "disabled_at": optional_time(project.disabled_at),
    })
}

async fn details(desk: &Desk, project: &Project) -> Result<Value, Failure> {
    let mut shown = summary(project);
    if let Some(issuer) = desk.service.issuer(&project.id) {
        shown["issuer"] = json!(issuer);
    }
    shown["client_api"] = client_api(&desk.service.client_api_report(&project.id).await?);
    shown["settings"] = settings(&[("project", &project.overrides)], Scope::has_projects);
    Ok(shown)
}
