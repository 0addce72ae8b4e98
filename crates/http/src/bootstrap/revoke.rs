use axum::extract::State;
use countersign_wire::{
    bootstrap::{RevocationSchema, parse_revocation},
    oauth::error::ErrorBody,
};

use crate::{app::App, error::oauth::Failure, extract::signed_call::SignedCall};

/// Give a token back that one holds
///
/// Holding it is the authority; of one that is bound to a key, showing that key in `DPoP`. What isn't good is no mistake: nobody learns which it was. Clients
/// that can authenticate themselves use `/oauth2/revoke`.
#[utoipa::path(
    post, path = "/oauth/revoke", operation_id = "revokeHeldToken", tag = "Management",
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the session is bound (RFC 9449).")),
    request_body = RevocationSchema,
    responses(
        (status = 200, description = "It is worthless now, if it was the caller's to make so."),
        (status = 400, description = "`invalid_request`: the body won't do.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, call: SignedCall) -> Result<(), Failure> {
    let token = parse_revocation(&call.body)?;
    let (project, possession) = (call.config_id.as_deref(), call.possession.as_ref());
    Ok(app.service.revoke_held_token(&call.address, project, &token, possession, &call.caller).await?)
}
