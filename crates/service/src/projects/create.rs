//! A new project: with keys of its own from the first moment.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::ProjectId,
    policy::Overrides,
    project::Project,
    signing_algorithm::SigningAlgorithm,
    text::Name,
};
use countersign_storage::{mac_keys, projects, signing_keys};

use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Makes a project.
    pub async fn create_project(&self, id: ProjectId, name: Name) -> Result<Project, Refused> {
        let now = self.now();
        let project = Project {
            id: id.clone(),
            name,
            overrides: Overrides::new(),
            generation: 0,
            created_at: now,
            updated_at: now,
            disabled_at: None,
        };
        let keys = self.new_signing_keys(&id, SigningAlgorithm::Es256, now)?;
        let made = Arc::new((project.clone(), keys));
        let deed = Deed { project: id, act: Act::ProjectCreated, subject: Subject::default(), detail: Vec::new() };
        self.administer(deed, move |conn| {
            let made = Arc::clone(&made);
            Box::pin(async move {
                let (project, keys) = &*made;
                if projects::find(conn, &project.id).await?.is_some() {
                    return Ok(Err(Refused::exists("project", &project.id)));
                }
                projects::insert(conn, project).await?;
                for key in keys {
                    signing_keys::insert(conn, key).await?;
                }
                mac_keys::insert_next(conn, &project.id, now).await?;
                Ok(Ok(((), Self::project_news(&project.id, now))))
            })
        })
        .await?;
        Ok(project)
    }
}
