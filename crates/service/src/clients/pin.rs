//! A client that knows one key and doesn't look for others: its id_tokens are signed by that key, through all rotations, until an operator pins
//! another.

use countersign_domain::{
    client::Client,
    id::SigningKeyId,
    policy::{PINNED, SIGNING_KEY, Settings},
};
use countersign_storage::{Conn, error::Result as StorageResult, signing_keys};

use crate::admin::Refused;

/// Makes of the wish for a pinned key the name of the one that signs now, and of a name that is no key's an error.
pub(super) async fn pin(conn: &mut Conn<'_>, client: &mut Client) -> StorageResult<Result<(), Refused>> {
    let Some(said) = client.overrides.get(SIGNING_KEY).cloned() else {
        return Ok(Ok(()));
    };
    let algorithm = match Settings::resolve(&[&client.overrides]) {
        Ok(settings) => settings.oauth_id_token_alg,
        Err(problem) => return Ok(Err(problem.into())),
    };
    let mut keys = signing_keys::list(conn, &client.project).await?;
    keys.retain(|key| key.algorithm == algorithm && key.activated_at.is_some());
    let meant = said.parse::<SigningKeyId>().ok();
    let found = match meant {
        None => keys.iter().find(|key| said == PINNED && key.is_active()),
        Some(id) => keys.iter().find(|key| key.id == id),
    };
    let Some(key) = found else {
        let problem = format!(
            "`{SIGNING_KEY}` must be a key that signs, or has signed, {algorithm}; `{PINNED}` is the one that does now"
        );
        return Ok(Err(Refused::Invalid(problem)));
    };
    client.overrides.insert(SIGNING_KEY.to_owned(), key.id.to_string());
    Ok(Ok(()))
}
