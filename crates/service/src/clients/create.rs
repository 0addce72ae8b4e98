//! A new client.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    client::{Client, ClientKind},
    id::{ClientId, ProjectId},
    policy::Overrides,
    text::Name,
};
use countersign_storage::{clients, projects};

use crate::{
    Service,
    admin::{Deed, Refused},
};

impl Service {
    /// Makes a client.
    pub async fn create_client(
        &self,
        project: &ProjectId,
        id: ClientId,
        name: Name,
        kind: ClientKind,
    ) -> Result<Client, Refused> {
        let now = self.now();
        let client = Client {
            project: project.clone(),
            id,
            name,
            kind,
            overrides: Overrides::new(),
            generation: 0,
            created_at: now,
            updated_at: now,
            disabled_at: None,
        };
        let deed = Deed {
            project: project.clone(),
            act: Act::ClientCreated,
            subject: Subject { client: Some(client.id.clone()), ..Subject::default() },
            detail: vec![("kind", kind.to_string())],
        };
        let made = Arc::new(client.clone());
        self.administer(deed, move |conn| {
            let client = Arc::clone(&made);
            Box::pin(async move {
                if projects::find(conn, &client.project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", &client.project)));
                }
                if clients::find(conn, &client.project, &client.id).await?.is_some() {
                    return Ok(Err(Refused::exists("client", &client.id)));
                }
                clients::insert(conn, &client).await?;
                Ok(Ok(((), Self::project_news(&client.project, now))))
            })
        })
        .await?;
        Ok(client)
    }
}
