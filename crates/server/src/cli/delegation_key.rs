//! Keys of delegated calls, as `key` shows them.

use std::time::Duration;

use countersign_domain::{
    delegation_key::DelegationKey,
    id::{ClientId, KeyId},
};
use countersign_service::{
    admin::Refused,
    keys::delegation::{IdpKey, NewDelegationKey},
};
use serde_json::{Value, json};

use super::{
    Desk,
    output::{optional_time, time},
};
use crate::error::Failure;

/// Makes one, and shows what its holder needs.
pub(super) async fn create(
    desk: &Desk,
    client: Option<&ClientId>,
    expires: Option<Duration>,
) -> Result<Value, Failure> {
    let client =
        client.ok_or_else(|| Failure::Usage("say whose it is, once and nothing else: --client ID".to_owned()))?;
    let project = desk.project().await?;
    Ok(handed_over(&desk.service.create_delegation_key(&project, client, expires).await?))
}

/// The key, if it is of this kind.
pub(super) async fn find(desk: &Desk, id: KeyId) -> Result<Option<DelegationKey>, Failure> {
    match desk.service.show_delegation_key(&desk.project().await?, id).await {
        Ok(key) => Ok(Some(key)),
        Err(Refused::NotFound { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// The key, if it is one of our own.
pub(super) async fn find_own(desk: &Desk, id: KeyId) -> Result<Option<IdpKey>, Failure> {
    let own = desk.service.list_idp_keys(&desk.project().await?).await?;
    Ok(own.into_iter().find(|key| key.id == id))
}

/// What is shown once: nobody keeps a copy.
pub(super) fn handed_over(new: &NewDelegationKey) -> Value {
    let mut shown = shown(&new.key);
    shown["credential"] = json!(new.credential.danger_expose());
    shown["sp_signing_key_pem"] = json!(new.pem.sp_signing_key.danger_expose());
    shown["sp_encryption_key_pem"] = json!(new.pem.sp_encryption_key.danger_expose());
    shown["idp_verify_key_pem"] = json!(new.pem.idp_verify_key);
    shown["idp_encryption_key_pem"] = json!(new.pem.idp_encryption_key);
    shown
}

pub(super) fn shown(key: &DelegationKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "kind": "delegation",
        "client": key.client.as_str(),
        "idp_key": key.idp_key.to_string(),
        "created_at": time(key.created_at),
        "expires_at": optional_time(key.expires_at),
        "revoked_at": optional_time(key.revoked_at),
        "replaced_by": key.replaced_by.map(|id| id.to_string()),
    })
}

pub(super) fn shown_own(key: &IdpKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "kind": "idp",
        "created_at": time(key.created_at),
        "revoked_at": optional_time(key.revoked_at),
        "verify_key_pem": key.verify_key,
        "encryption_key_pem": key.encryption_key,
    })
}
