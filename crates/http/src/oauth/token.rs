use axum::{Json, extract::State};
use countersign_service::oauth::token::TokenCall;
use countersign_wire::oauth::{
    error::ErrorBody,
    token::{TokenBody, TokenSchema},
};

use crate::{
    app::App,
    dpop_nonce::NextNonce,
    error::oauth::Failure,
    extract::{
        address::AddressOf,
        caller::CallerOf,
        client::{ClientCall, ClientForm},
        possession::PossessionOf,
    },
};

/// Tokens for a code, a refresh token, or for the client itself
///
/// The client authenticates in the way that it registered: by nothing but its verifier, by a secret in `Authorization: Basic` or in the form, or by
/// an assertion. A code works once and for a minute; one that comes twice ends what it began. A `DPoP` proof binds the tokens to its key.
#[utoipa::path(
    post, path = "/oauth2/token", operation_id = "token", tag = "OpenID provider",
    security(("client_secret_basic" = []), ("client" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the tokens are to be bound (RFC 9449).")),
    request_body(content = TokenSchema, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens.", body = TokenBody),
        (status = 400, description = "`invalid_request`, `invalid_grant`, `unauthorized_client`, `unsupported_grant_type`, `invalid_scope`; `invalid_dpop_proof`, or `use_dpop_nonce` with `DPoP-Nonce`.", body = ErrorBody),
        (status = 401, description = "`invalid_client`: the client didn't prove that it is one.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    PossessionOf(possession): PossessionOf,
    ClientForm(ClientCall { form, credentials }): ClientForm,
) -> Result<(NextNonce, Json<TokenBody>), Failure> {
    let call = TokenCall { credentials: &credentials, possession: possession.as_ref() };
    let answer = app.service.token(&address, &form, call, &caller).await;
    let answer = answer.map_err(|refused| Failure::of_grant(refused, &credentials))?;
    let body = TokenBody {
        access_token: answer.access_token,
        token_type: answer.token_type.as_str(),
        expires_in: answer.expires_in.as_secs(),
        scope: answer.scope,
        refresh_token: answer.refresh_token.map(|token| token.danger_expose().to_owned()),
        id_token: answer.id_token,
    };
    Ok((NextNonce(answer.dpop_nonce), Json(body)))
}
