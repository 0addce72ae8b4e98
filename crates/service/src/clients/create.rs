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

use super::{
    pin::pin,
    set::{check_registration, check_rotation, check_scopes},
};
use crate::{
    Service,
    admin::{Deed, Refused},
    keys::signing::insert_missing,
    projects::set::SettingChanges,
};

impl Service {
    /// Makes a client with the settings of its project.
    pub async fn create_client(
        &self,
        project: &ProjectId,
        id: ClientId,
        name: Name,
        kind: ClientKind,
    ) -> Result<Client, Refused> {
        self.create_client_with(project, id, name, kind, SettingChanges::default()).await
    }

    /// Makes a client with settings of its own.
    pub async fn create_client_with(
        &self,
        project: &ProjectId,
        id: ClientId,
        name: Name,
        kind: ClientKind,
        settings: SettingChanges,
    ) -> Result<Client, Refused> {
        let now = self.now();
        let overrides = overrides_of(kind, &settings)?;
        let keys = self.keys_wanted(project, &settings, now)?;
        let client = Client {
            project: project.clone(),
            id,
            name,
            kind,
            overrides,
            generation: 0,
            created_at: now,
            updated_at: now,
            disabled_at: None,
        };
        let deed = Deed {
            project: project.clone(),
            act: Act::ClientCreated,
            subject: Subject { client: Some(client.id.clone()), ..Subject::default() },
            detail: [vec![("kind", kind.to_string())], settings.detail()].concat(),
        };
        let made = Arc::new((client.clone(), keys));
        self.administer(deed, move |conn| {
            let made = Arc::clone(&made);
            Box::pin(async move {
                let (mut client, keys) = (made.0.clone(), &made.1);
                if projects::find(conn, &client.project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", &client.project)));
                }
                if clients::find(conn, &client.project, &client.id).await?.is_some() {
                    return Ok(Err(Refused::exists("client", &client.id)));
                }
                if let Err(problem) = check_registration(&client) {
                    return Ok(Err(Refused::Invalid(problem)));
                }
                if let Some(keys) = keys {
                    insert_missing(conn, keys).await?;
                }
                if let Err(refused) = pin(conn, &mut client).await? {
                    return Ok(Err(refused));
                }
                clients::insert(conn, &client).await?;
                Ok(Ok(((), Self::project_news(&client.project, now))))
            })
        })
        .await?;
        Ok(client)
    }
}

fn overrides_of(kind: ClientKind, settings: &SettingChanges) -> Result<Overrides, Refused> {
    check_scopes(settings)?;
    check_rotation(kind, settings)?;
    let mut overrides = Overrides::new();
    settings.apply(&mut overrides)?;
    Ok(overrides)
}
