use axum::{Json, extract::State};
use countersign_wire::client_api::{
    error::ErrorEnvelope,
    session::{self, OpenSessionSchema, OpenedSession},
};

use crate::{
    app::App,
    dpop_nonce::NextNonce,
    error::client_api::Failure,
    extract::{actor::ProvedUser, body::ShortClientBody, caller::CallerOf, possession::PossessionOf},
};

/// Open a session
///
/// For an app whose user was proved by a v2 proof, which works here once, and which shows a proof of a key (`DPoP`, RFC 9449). The tokens are
/// bound to that key, and `/auth/v1/refreshtoken` refreshes them. A first call without a nonce is refused, and `DPoP-Nonce` says which to use.
#[utoipa::path(
    post, path = "/v1/sessions", operation_id = "openSession", tag = "Client API",
    security(("client_call" = [], "publishable_key" = [], "user_hmac" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the session shall be bound (RFC 9449).")),
    request_body = OpenSessionSchema,
    responses(
        (status = 200, description = "The session's first tokens.", body = OpenedSession),
        (status = 400, description = "`invalid_request`: no JSON object, or `client_id` names no open app of the project.", body = ErrorEnvelope),
        (status = 401, description = "`invalid_credentials`: the user or the key isn't proved, or a proof was used before; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: only a v2 proof opens a session, or pages of this origin may not call.", body = ErrorEnvelope),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorEnvelope),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: too many failed calls from this network; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedUser(actor): ProvedUser,
    PossessionOf(possession): PossessionOf,
    CallerOf(caller): CallerOf,
    ShortClientBody(body): ShortClientBody,
) -> Result<(NextNonce, Json<OpenedSession>), Failure> {
    let client = session::parse(&body)?;
    let pair = app.service.upgrade(&actor, &client, possession.as_ref(), &caller).await?;
    let opened = OpenedSession {
        uid: pair.user.to_string(),
        token_type: pair.token_type.as_str(),
        access_token: pair.access_token,
        expires_in: pair.access_expires_in.as_secs(),
        refresh_token: pair.refresh_token.danger_expose().to_owned(),
        refresh_expires_in: pair.refresh_expires_in.as_secs(),
    };
    Ok((NextNonce(pair.dpop_nonce), Json(opened)))
}
