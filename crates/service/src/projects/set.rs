//! A project's settings.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
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
        let now = self.now();
        let deed =
            Deed { project: id.clone(), act: Act::ProjectSet, subject: Subject::default(), detail: changes.detail() };
        let wish = Arc::new((id.clone(), changes));
        self.administer(deed, move |conn| {
            let wish = Arc::clone(&wish);
            Box::pin(async move {
                let (id, changes) = &*wish;
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
                project.name = changes.name.clone().unwrap_or(project.name);
                project.updated_at = now;
                projects::update(conn, &project).await?;
                Ok(Ok((project, Self::project_news(id, now))))
            })
        })
        .await
    }
}

/// Another project that is served at the same host name.
fn taken_host(project: &Project, all: &[Project]) -> Option<ProjectId> {
    let host = project.overrides.get("host")?;
    let other = all.iter().find(|other| other.id != project.id && other.overrides.get("host") == Some(host));
    other.map(|other| other.id.clone())
}
