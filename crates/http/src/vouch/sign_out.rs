use axum::{Json, extract::State};
use countersign_wire::vouch::{
    error::ErrorBody,
    sign_out::{SignOut, SignOutSchema, SignedOut},
};

use crate::{
    app::App,
    error::vouch::Failure,
    extract::{address::AddressOf, body::ShortBody, caller::CallerOf, possession::PossessionOf},
};

/// End a session
///
/// Any authentic refresh token of the session may end it, however old; where the session is bound to a key, with a proof of that key. Ending
/// one that is over is no error.
#[utoipa::path(
    post, path = "/auth/v1/signout", operation_id = "signOut", tag = "Vouch",
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the session is bound (RFC 9449).")),
    request_body = SignOutSchema,
    responses(
        (status = 200, description = "The session is over.", body = SignedOut),
        (status = 400, description = "100003: no JSON object. 100049: no refresh token of this project. 100050: a member is missing, or \
            `userId` isn't the session's.", body = ErrorBody),
        (status = 401, description = "10002: the proof of the session's key can't be taken; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorBody),
        (status = 408, description = "100003: the body took too long.", body = ErrorBody),
        (status = 413, description = "100003: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "100009: too many failed calls from this network.", body = ErrorBody),
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
) -> Result<Json<SignedOut>, Failure> {
    let SignOut { user, refresh_token } = SignOut::parse(&body)?;
    let session = app.service.sign_out(&address, &user, &refresh_token, possession.as_ref(), &caller).await?;
    Ok(Json(SignedOut { id: session.to_string() }))
}
