//! A project's settings.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    gateway::routes::Routes,
    id::ProjectId,
    policy::{InvalidSetting, Overrides, definition},
    project::Project,
    text::Name,
};
use countersign_storage::projects;

use crate::{
    Service,
    admin::{Deed, Refused},
};

/// What to change: settings by name, where an empty value means the default again; and the name for people.
#[derive(Debug, Clone, Default)]
pub struct SettingChanges {
    /// The name for people.
    pub name: Option<Name>,
    /// Settings.
    pub settings: Vec<(String, String)>,
}

impl SettingChanges {
    /// Applies the changes to what was set before.
    pub(crate) fn apply(&self, overrides: &mut Overrides) -> Result<(), InvalidSetting> {
        for (name, value) in &self.settings {
            let definition = definition(name)?;
            if value.is_empty() {
                overrides.remove(definition.name);
            } else {
                definition.check(value)?;
                overrides.insert(definition.name.to_owned(), value.clone());
            }
        }
        Ok(())
    }

    /// As the trail has it.
    pub(crate) fn detail(&self) -> Vec<(&'static str, String)> {
        let set = |(name, value): &(String, String)| Some((definition(name).ok()?.name, value.clone()));
        self.settings.iter().filter_map(set).collect()
    }

    pub(crate) fn sets(&self, name: &str, value: &str) -> bool {
        self.settings.iter().any(|(n, v)| n == name && v == value)
    }
}

impl Service {
    /// Changes a project's settings.
    pub async fn set_project(&self, id: &ProjectId, changes: SettingChanges) -> Result<Project, Refused> {
        if changes.sets("refresh.rotation", "off") {
            let only =
                "`refresh.rotation=off` is for confidential clients only: set it on the client (RFC 9700 §2.2.2)";
            return Err(Refused::Invalid(only.to_owned()));
        }
        for (name, _) in &changes.settings {
            let definition = definition(name)?;
            if !definition.scope.has_projects() {
                return Err(InvalidSetting::NotForProjects(definition.name).into());
            }
        }
        let now = self.now();
        let deed =
            Deed { project: id.clone(), act: Act::ProjectSet, subject: Subject::default(), detail: changes.detail() };
        let wish = Arc::new((id.clone(), changes, self.config.public_url.clone()));
        self.administer(deed, move |conn| {
            let wish = Arc::clone(&wish);
            Box::pin(async move {
                let (id, changes, public_url) = &*wish;
                let Some(mut project) = projects::find(conn, id).await? else {
                    return Ok(Err(Refused::not_found("project", id)));
                };
                if let Err(problem) = changes.apply(&mut project.overrides) {
                    return Ok(Err(problem.into()));
                }
                if let Some(other) = taken_host(&project, &projects::list(conn).await?) {
                    let taken = format!("project `{other}` is served at that host name");
                    return Ok(Err(Refused::Invalid(taken)));
                }
                if let Some(host) = hidden_host(&project.overrides, public_url) {
                    let hidden = format!("`gateway.routes` would hide everything else that is served at `{host}`");
                    return Ok(Err(Refused::Invalid(hidden)));
                }
                project.name = changes.name.clone().unwrap_or(project.name);
                project.updated_at = now;
                projects::update(conn, &project).await?;
                Ok(Ok((project, Self::project_news(id, now))))
            })
        })
        .await
    }
}

/// The host names that settings claim: the project's own, and those of its routes.
fn hosts(overrides: &Overrides) -> Vec<String> {
    let own = overrides.get("host").cloned();
    let routes = overrides.get("gateway.routes").and_then(|text| text.parse::<Routes>().ok()).unwrap_or_default();
    own.into_iter().chain(routes.hosts().map(str::to_owned)).collect()
}

/// Another project that is served at one of these host names.
fn taken_host(project: &Project, all: &[Project]) -> Option<ProjectId> {
    let claimed = hosts(&project.overrides);
    let claims = |other: &&Project| hosts(&other.overrides).iter().any(|host| claimed.contains(host));
    all.iter().filter(|other| other.id != project.id).find(claims).map(|other| other.id.clone())
}

/// A host name of our own must lead to our doors.
fn hidden_host(overrides: &Overrides, public_url: &str) -> Option<String> {
    let routes = overrides.get("gateway.routes")?.parse::<Routes>().ok()?;
    let authority = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    let public = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let is_ours = |host: &&str| overrides.get("host").is_some_and(|own| own == host) || *host == public;
    routes.hosts().find(is_ours).map(str::to_owned)
}
