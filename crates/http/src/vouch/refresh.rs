use axum::{Json, extract::State};
use countersign_wire::vouch::{
    error::ErrorBody,
    refresh::{self, RefreshSchema, RefreshedTokens},
};

use crate::{
    app::App,
    error::vouch::Failure,
    extract::{address::AddressOf, body::ShortBody, caller::CallerOf},
};

/// Refresh a session
///
/// The app shows its newest refresh token and gets the next pair. An answer that was lost can be asked for again with the same token. On
/// `replaced`, read the storage again: another part of the app was faster. On `ended`, ask the host application again.
#[utoipa::path(
    post, path = "/auth/v1/refreshtoken", operation_id = "refresh", tag = "Vouch",
    request_body = RefreshSchema,
    responses(
        (status = 200, description = "The next pair.", body = RefreshedTokens),
        (status = 400, description = "100003: no JSON object. 100017: idle for too long. 100049: the session is over, or another part of the \
            app holds a newer token (`reason`). 100050: `refreshToken` is missing.", body = ErrorBody),
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
    ShortBody(body): ShortBody,
) -> Result<Json<RefreshedTokens>, Failure> {
    let unverified = refresh::parse(&body)?;
    let pair = app.service.refresh(&address, &unverified, &caller).await?;
    Ok(Json(RefreshedTokens {
        auth_token: pair.access_token,
        expires_in: pair.access_expires_in.as_secs(),
        refresh_token: pair.refresh_token.danger_expose().to_owned(),
        refresh_token_expires_in: pair.refresh_expires_in.as_secs(),
    }))
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
