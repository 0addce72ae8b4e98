use axum::{Json, extract::State};
use countersign_service::token::TokenType;
use countersign_wire::vouch::{
    error::ErrorBody,
    refresh::{self, RefreshSchema, RefreshedTokens},
};

use crate::{
    app::App,
    dpop_nonce::NextNonce,
    error::vouch::Failure,
    extract::{address::AddressOf, body::ShortBody, caller::CallerOf, possession::PossessionOf},
};

/// Refresh a session
///
/// The app shows its newest refresh token and gets the next pair. An answer that was lost can be asked for again with the same token. On
/// `replaced`, read the storage again: another part of the app was faster. On `ended`, ask the host application again. A session that is bound
/// to a key is refreshed with a proof of that key, and keeps its refresh token.
#[utoipa::path(
    post, path = "/auth/v1/refreshtoken", operation_id = "refresh", tag = "Vouch",
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the session is bound (RFC 9449).")),
    request_body = RefreshSchema,
    responses(
        (status = 200, description = "The next pair.", body = RefreshedTokens),
        (status = 400, description = "100003: no JSON object. 100017: idle for too long. 100049: the session is over, or another part of the \
            app holds a newer token (`reason`). 100050: `refreshToken` is missing.", body = ErrorBody),
        (status = 401, description = "10002: the proof of the session's key can't be taken; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorBody),
        (status = 408, description = "100003: the body took too long.", body = ErrorBody),
        (status = 413, description = "100003: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "100009: too many failed calls from this network; authentic tokens are served even then.", body = ErrorBody),
        (status = 500, description = "13001: the server failed.", body = ErrorBody),
        (status = 503, description = "13001: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    PossessionOf(possession): PossessionOf,
    ShortBody(body): ShortBody,
) -> Result<(NextNonce, Json<RefreshedTokens>), Failure> {
    let unverified = refresh::parse(&body)?;
    let pair = app.service.refresh(&address, &unverified, possession.as_ref(), &caller).await?;
    let tokens = RefreshedTokens {
        auth_token: pair.access_token,
        expires_in: pair.access_expires_in.as_secs(),
        refresh_token: pair.refresh_token.danger_expose().to_owned(),
        refresh_token_expires_in: pair.refresh_expires_in.as_secs(),
        token_type: (pair.token_type == TokenType::Dpop).then_some(pair.token_type.as_str()),
    };
    Ok((NextNonce(pair.dpop_nonce), Json(tokens)))
}

/// Refresh a session (v1beta)
///
/// The same as `/auth/v1/refreshtoken`.
#[utoipa::path(
    post, path = "/auth/v1beta/refreshtoken", operation_id = "refreshV1beta", tag = "Vouch",
    request_body = RefreshSchema,
    responses(
        (status = 200, description = "The next pair.", body = RefreshedTokens),
        (status = "4XX", description = "As at `/auth/v1/refreshtoken`.", body = ErrorBody),
        (status = "5XX", description = "As at `/auth/v1/refreshtoken`.", body = ErrorBody),
    ),
)]
#[expect(dead_code, reason = "the document's entry of a path that the handler above serves")]
fn v1beta() {}
