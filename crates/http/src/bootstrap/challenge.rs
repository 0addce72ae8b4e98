use axum::{Json, extract::State};
use countersign_wire::{
    bootstrap::{ChallengeBody, ChallengeSchema, parse_challenge},
    oauth::error::ErrorBody,
};

use crate::{app::App, error::oauth::Failure, extract::signed_call::SignedCall};

/// What is a client to sign?
///
/// The old way in of backends: a nonce for the assertion that goes to `/bootstrap/exchange`. Anybody may ask; whether there is such a client isn't said.
#[utoipa::path(
    post, path = "/bootstrap/challenge", operation_id = "bootstrapChallenge", tag = "Management",
    request_body = ChallengeSchema,
    responses(
        (status = 200, description = "What is to be signed.", body = ChallengeBody),
        (status = 400, description = "`invalid_request`: the body won't do, or the call is addressed to no project.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, call: SignedCall) -> Result<Json<ChallengeBody>, Failure> {
    parse_challenge(&call.body)?;
    let made = app.service.bootstrap_challenge(&call.address, call.config_id.as_deref());
    let made = made.map_err(|_| Failure::no_project())?;
    Ok(Json(ChallengeBody { nonce: made.nonce, aud: made.audience, scope: made.scope }))
}
