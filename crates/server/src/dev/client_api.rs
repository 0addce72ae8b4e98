//! The keys of the client API in development.

use countersign_crypto::secret::SecretText;
use countersign_domain::{client_api_key::ClientApiKeyKind, id::ProjectId};
use countersign_service::Service;

use super::{
    files::{ClientApi, DevFiles},
    name,
};
use crate::error::Failure;

/// Those that an earlier start wrote down, where they still work; else new ones.
pub(super) async fn prepare(
    service: &Service,
    project: &ProjectId,
    known: Option<&DevFiles>,
) -> Result<ClientApi, Failure> {
    let known = known.and_then(|files| files.client_api.as_ref());
    let publishable = known.map(|keys| &keys.publishable_key).filter(|key| service.knows_live_publishable_key(key));
    let hmac = known.map(|keys| &keys.hmac_secret);
    let hmac = hmac.filter(|text| service.knows_live_hmac_secret(project, &SecretText::new((*text).clone())));
    Ok(ClientApi {
        publishable_key: match publishable {
            Some(key) => key.clone(),
            None => new_key(service, project, ClientApiKeyKind::Publishable).await?,
        },
        hmac_secret: match hmac {
            Some(text) => text.clone(),
            None => new_key(service, project, ClientApiKeyKind::Hmac).await?,
        },
    })
}

async fn new_key(service: &Service, project: &ProjectId, kind: ClientApiKeyKind) -> Result<String, Failure> {
    let made = service.create_client_api_key(project, kind, name("Development")?, None).await?;
    Ok(made.text.danger_expose().to_owned())
}
