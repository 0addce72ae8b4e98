//! A client's settings: what it does differently from its project.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Subject},
    client::Client,
    id::{ClientId, ProjectId},
    policy::{InvalidSetting, Scope, definition},
};
use countersign_storage::clients;

use crate::{
    Service,
    admin::{Deed, Refused},
    projects::set::SettingChanges,
};

impl Service {
    /// Changes a client's settings.
    pub async fn set_client(
        &self,
        project: &ProjectId,
        id: &ClientId,
        changes: SettingChanges,
    ) -> Result<Client, Refused> {
        for (name, _) in &changes.settings {
            let definition = definition(name)?;
            if definition.scope == Scope::Project {
                return Err(InvalidSetting::NotForClients(definition.name).into());
            }
        }
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::ClientSet,
            subject: Subject { client: Some(id.clone()), ..Subject::default() },
            detail: changes.detail(),
        };
        let wish = Arc::new((project.clone(), id.clone(), changes));
        self.administer(deed, move |conn| {
            let wish = Arc::clone(&wish);
            Box::pin(async move {
                let (project, id, changes) = &*wish;
                let Some(mut client) = clients::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("client", id)));
                };
                if changes.sets("refresh.rotation", "off") && !client.kind.is_confidential() {
                    let only = "`refresh.rotation=off` is for confidential clients only (RFC 9700 §2.2.2)";
                    return Ok(Err(Refused::Invalid(only.to_owned())));
                }
                if let Err(problem) = changes.apply(&mut client.overrides) {
                    return Ok(Err(problem.into()));
                }
                client.name = changes.name.clone().unwrap_or(client.name);
                client.updated_at = now;
                clients::update(conn, &client).await?;
                Ok(Ok((client, Self::project_news(project, now))))
            })
        })
        .await
    }
}
