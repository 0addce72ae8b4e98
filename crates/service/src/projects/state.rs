//! Closing a project, opening it again, ending all its sessions.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    id::ProjectId,
    project::Project,
};
use countersign_storage::projects;

use crate::{
    Service,
    admin::{Deed, Refused},
};

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange {
    /// End all sessions; new ones may be opened.
    Revoke,
    /// End all sessions, and open no new ones.
    Disable,
    /// Open new ones again. What was ended stays ended.
    Enable,
}

impl Service {
    /// Changes the state of a project.
    pub async fn change_project_state(&self, id: &ProjectId, change: StateChange) -> Result<Project, Refused> {
        let now = self.now();
        let act = match change {
            StateChange::Revoke => Act::ProjectRevoked,
            StateChange::Disable => Act::ProjectDisabled,
            StateChange::Enable => Act::ProjectEnabled,
        };
        let deed = Deed { project: id.clone(), act, subject: Subject::default(), detail: Vec::new() };
        let id = Arc::new(id.clone());
        self.administer(deed, move |conn| {
            let id = Arc::clone(&id);
            Box::pin(async move {
                let Some(mut project) = projects::find(conn, &id).await? else {
                    return Ok(Err(Refused::not_found("project", &id)));
                };
                if change != StateChange::Enable {
                    projects::raise_generation(conn, &id, now).await?;
                    project.generation += 1;
                }
                match change {
                    StateChange::Revoke => {}
                    StateChange::Disable => project.disabled_at = project.disabled_at.or(Some(now)),
                    StateChange::Enable => project.disabled_at = None,
                }
                project.updated_at = now;
                projects::update(conn, &project).await?;
                Ok(Ok((project, Self::project_news(&id, now))))
            })
        })
        .await
    }
}
