//! Keys of the client API, as `key` shows them.

use std::time::Duration;

use countersign_domain::{
    client_api_key::{ClientApiKey, ClientApiKeyKind},
    id::KeyId,
    text::Name,
};
use countersign_service::{admin::Refused, keys::client_api::NewClientApiKey};
use serde_json::{Value, json};

use super::{
    Desk,
    key::ScopeArgs,
    output::{optional_time, time},
};
use crate::error::Failure;

/// Makes one, and shows its text.
pub(super) async fn create(
    desk: &Desk,
    kind: ClientApiKeyKind,
    name: Name,
    expires: Option<Duration>,
    scope: &ScopeArgs,
) -> Result<Value, Failure> {
    refuse_scope(scope)?;
    let project = desk.project().await?;
    Ok(with_text(&desk.service.create_client_api_key(&project, kind, name, expires).await?))
}

/// The key, if it is of this kind.
pub(super) async fn find(desk: &Desk, id: KeyId) -> Result<Option<ClientApiKey>, Failure> {
    match desk.service.show_client_api_key(&desk.project().await?, id).await {
        Ok(key) => Ok(Some(key)),
        Err(Refused::NotFound { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Gives it another name.
pub(super) async fn set(
    desk: &Desk,
    key: &ClientApiKey,
    name: Option<Name>,
    scope: &ScopeArgs,
) -> Result<Value, Failure> {
    refuse_scope(scope)?;
    match name {
        None => Ok(shown(key)),
        Some(name) => Ok(shown(&desk.service.rename_client_api_key(&key.project, key.id, name).await?)),
    }
}

/// Only what backends show has a scope.
fn refuse_scope(scope: &ScopeArgs) -> Result<(), Failure> {
    if scope.is_empty() { Ok(()) } else { Err(Failure::Usage("only a secret key has a scope".to_owned())) }
}

pub(super) fn with_text(new: &NewClientApiKey) -> Value {
    let mut shown = shown(&new.key);
    let member = if new.key.kind == ClientApiKeyKind::Publishable { "key" } else { "secret" };
    shown[member] = json!(new.text.danger_expose());
    shown
}

/// A publishable key is no secret, so it can be looked up again.
pub(super) fn listed((key, text): &(ClientApiKey, Option<String>)) -> Value {
    let mut shown = shown(key);
    if let Some(text) = text {
        shown["key"] = json!(text);
    }
    shown
}

pub(super) fn shown(key: &ClientApiKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "kind": key.kind.as_str(),
        "name": key.name.as_str(),
        "prefix": key.prefix,
        "created_at": time(key.created_at),
        "last_used_at": optional_time(key.last_used_at),
        "expires_at": optional_time(key.expires_at),
        "revoked_at": optional_time(key.revoked_at),
        "replaced_by": key.replaced_by.map(|id| id.to_string()),
    })
}
