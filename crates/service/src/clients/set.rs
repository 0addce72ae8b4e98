//! A client's settings: what it does differently from its project.

use std::sync::Arc;

use countersign_crypto::jose::client_jwks::ClientJwks;
use countersign_domain::{
    audit::{Act, Subject},
    client::{Client, ClientKind},
    clock::Timestamp,
    id::{ClientId, ProjectId},
    oauth::registration::contradiction,
    policy::{InvalidSetting, Settings, definition},
    signing_algorithm::SigningAlgorithm,
};
use countersign_storage::{clients, signing_keys::StoredSigningKey};

use super::pin::pin;
use crate::{
    Service,
    admin::{Deed, Refused},
    keys::signing::insert_missing,
    projects::set::SettingChanges,
};

impl Service {
    /// Changes a client's settings.
    ///
    /// A client whose id_tokens are signed by another algorithm than ES256 gives its project keys of that algorithm, where it has none.
    pub async fn set_client(
        &self,
        project: &ProjectId,
        id: &ClientId,
        changes: SettingChanges,
    ) -> Result<Client, Refused> {
        check_scopes(&changes)?;
        let now = self.now();
        let deed = Deed {
            project: project.clone(),
            act: Act::ClientSet,
            subject: Subject { client: Some(id.clone()), ..Subject::default() },
            detail: changes.detail(),
        };
        let keys = self.keys_wanted(project, &changes, now)?;
        let wish = Arc::new((project.clone(), id.clone(), changes, keys));
        self.administer(deed, move |conn| {
            let wish = Arc::clone(&wish);
            Box::pin(async move {
                let (project, id, changes, keys) = &*wish;
                let Some(mut client) = clients::find(conn, project, id).await? else {
                    return Ok(Err(Refused::not_found("client", id)));
                };
                if let Err(refused) = check_rotation(client.kind, changes) {
                    return Ok(Err(refused));
                }
                if let Err(problem) = changes.apply(&mut client.overrides) {
                    return Ok(Err(problem.into()));
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
                client.name = changes.name.clone().unwrap_or(client.name);
                client.updated_at = now;
                clients::update(conn, &client).await?;
                Ok(Ok((client, Self::project_news(project, now))))
            })
        })
        .await
    }

    /// Keys of the algorithm that a client is to have, where its project has none: drawn up before the transaction.
    pub(super) fn keys_wanted(
        &self,
        project: &ProjectId,
        changes: &SettingChanges,
        now: Timestamp,
    ) -> Result<Option<[StoredSigningKey; 2]>, Refused> {
        let wanted = changes.settings.iter().rev().find(|(name, _)| name == "oauth.id_token_alg");
        let Some(algorithm) = wanted.and_then(|(_, value)| value.parse::<SigningAlgorithm>().ok()) else {
            return Ok(None);
        };
        let directory = self.directory.load();
        let view = directory.project(project.as_str());
        if view.is_none_or(|view| view.signing_key_for(algorithm).is_some()) {
            return Ok(None);
        }
        self.new_signing_keys(project, algorithm, now).map(Some)
    }
}

/// Are they all settings that a client may have?
pub(super) fn check_scopes(changes: &SettingChanges) -> Result<(), InvalidSetting> {
    for (name, _) in &changes.settings {
        let definition = definition(name)?;
        if !definition.scope.has_clients() {
            return Err(InvalidSetting::NotForClients(definition.name));
        }
    }
    Ok(())
}

pub(super) fn check_rotation(kind: ClientKind, changes: &SettingChanges) -> Result<(), Refused> {
    if changes.sets("refresh.rotation", "off") && !kind.is_confidential() {
        let only = "`refresh.rotation=off` is for confidential clients only (RFC 9700 §2.2.2)";
        return Err(Refused::Invalid(only.to_owned()));
    }
    Ok(())
}

/// What is fine setting by setting must make sense together.
pub(super) fn check_registration(client: &Client) -> Result<(), String> {
    let settings = Settings::resolve(&[&client.overrides]).map_err(|problem| problem.to_string())?;
    if let Some(problem) = contradiction(client.kind, &settings) {
        return Err(problem.to_owned());
    }
    if let Some(json) = &settings.oauth_jwks {
        ClientJwks::parse(json.as_bytes()).map_err(|problem| format!("`oauth.jwks` {problem}"))?;
    }
    Ok(())
}
