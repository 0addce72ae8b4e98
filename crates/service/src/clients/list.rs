//! Looking at clients.

use countersign_domain::{
    client::Client,
    id::{ClientId, ProjectId},
};
use countersign_storage::clients;

use crate::{Service, admin::Refused};

impl Service {
    /// All clients of a project.
    pub async fn list_clients(&self, project: &ProjectId) -> Result<Vec<Client>, Refused> {
        self.show_project(project).await?;
        Ok(clients::list(&mut self.db.reader().await?.conn(), project).await?)
    }

    /// A client.
    pub async fn show_client(&self, project: &ProjectId, id: &ClientId) -> Result<Client, Refused> {
        let found = clients::find(&mut self.db.reader().await?.conn(), project, id).await?;
        found.ok_or_else(|| Refused::not_found("client", id))
    }
}
