//! Closing a client, opening it again, ending all its sessions.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    client::Client,
    id::{ClientId, ProjectId},
};
use countersign_storage::clients;

use crate::{
    Service,
    admin::{Deed, Refused},
    projects::state::StateChange,
};

impl Service {
    /// Changes the state of a client.
    pub async fn change_client_state(
        &self,
        project: &ProjectId,
        id: &ClientId,
        change: StateChange,
    ) -> Result<Client, Refused> {
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: match change {
                StateChange::Revoke => Act::ClientRevoked,
                StateChange::Disable => Act::ClientDisabled,
                StateChange::Enable => Act::ClientEnabled,
            },
            subject: Subject { client: Some(id.clone()), ..Subject::default() },
            detail: Vec::new(),
        };
        let target = Arc::new((project.clone(), id.clone()));
        self.administer(deed, move |conn| {
            let target = Arc::clone(&target);
            Box::pin(async move {
                let (project, id) = &*target;
                let Some(mut client) = clients::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("client", id)));
                };
                if change != StateChange::Enable {
                    clients::raise_generation(conn, project, id, now).await?;
                    client.generation += 1;
                }
                match change {
                    StateChange::Revoke => {}
                    StateChange::Disable => client.disabled_at = client.disabled_at.or(Some(now)),
                    StateChange::Enable => client.disabled_at = None,
                }
                client.updated_at = now;
                clients::update(conn, &client).await?;
                Ok(Ok((client, Self::project_news(project, now))))
            })
        })
        .await
    }
}
