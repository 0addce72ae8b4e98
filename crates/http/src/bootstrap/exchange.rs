use axum::{Json, extract::State};
use countersign_wire::{
    bootstrap::{Exchange, ExchangeSchema, ExchangedBody},
    oauth::error::ErrorBody,
};

use super::bootstrapped;
use crate::{app::App, error::oauth::Failure, extract::signed_call::SignedCall};

/// A bootstrap token for a signed challenge
///
/// It says which client asked, lives for two minutes, and opens nothing by itself: `/oauth2/introspect` knows it.
#[utoipa::path(
    post, path = "/bootstrap/exchange", operation_id = "bootstrapExchange", tag = "Management",
    request_body = ExchangeSchema,
    responses(
        (status = 200, description = "The token.", body = ExchangedBody),
        (status = 400, description = "`invalid_request`: the body won't do. `invalid_grant`: nonce, origin or key isn't what the assertion names. `invalid_scope`.", body = ErrorBody),
        (status = 401, description = "`invalid_client`: the client didn't prove that it is one.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, call: SignedCall) -> Result<Json<ExchangedBody>, Failure> {
    let granted = bootstrapped(&app, &call, &Exchange::parse(&call.body)?, true).await?;
    Ok(Json(ExchangedBody {
        frontend_access_token: granted.token,
        token_type: granted.token_type,
        expires_in: granted.expires_in.as_secs(),
        scope: granted.scope,
    }))
}
