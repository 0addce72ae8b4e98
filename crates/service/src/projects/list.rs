//! Looking at projects.

use countersign_domain::{id::ProjectId, project::Project};
use countersign_storage::projects;

use crate::{Service, admin::Refused};

impl Service {
    /// All projects.
    pub async fn list_projects(&self) -> Result<Vec<Project>, Refused> {
        Ok(projects::list(&mut self.db.reader().await?.conn()).await?)
    }

    /// The `iss` of a project's tokens.
    pub fn issuer(&self, id: &ProjectId) -> Option<String> {
        self.directory.load().project(id.as_str()).map(|view| view.issuer.to_string())
    }

    /// A project.
    pub async fn show_project(&self, id: &ProjectId) -> Result<Project, Refused> {
        let found = projects::find(&mut self.db.reader().await?.conn(), id).await?;
        found.ok_or_else(|| Refused::not_found("project", id))
    }
}
