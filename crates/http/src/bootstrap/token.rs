use axum::{Json, extract::State};
use countersign_wire::{
    bootstrap::{DirectBody, DirectSchema, Exchange},
    oauth::error::ErrorBody,
};

use super::bootstrapped;
use crate::{app::App, error::oauth::Failure, extract::signed_call::SignedCall};

/// A bootstrap token at once
///
/// The same as `/bootstrap/exchange`, without a nonce.
#[utoipa::path(
    post, path = "/bootstrap/token", operation_id = "bootstrapToken", tag = "Management",
    request_body = DirectSchema,
    responses(
        (status = 200, description = "The token.", body = DirectBody),
        (status = 400, description = "`invalid_request`: the body won't do. `invalid_grant`: the key isn't what the assertion names. `invalid_scope`.", body = ErrorBody),
        (status = 401, description = "`invalid_client`: the client didn't prove that it is one.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, call: SignedCall) -> Result<Json<DirectBody>, Failure> {
    let granted = bootstrapped(&app, &call, &Exchange::parse_direct(&call.body)?, false).await?;
    Ok(Json(DirectBody {
        access_token: granted.token,
        token_type: granted.token_type,
        expires_in: granted.expires_in.as_secs(),
        scope: granted.scope,
    }))
}
