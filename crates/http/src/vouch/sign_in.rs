use axum::{Json, extract::State};
use countersign_wire::vouch::{
    error::ErrorBody,
    sign_in::{SignIn, SignInSchema},
    tokens::VouchedTokens,
};

use super::translate;
use crate::{
    app::App,
    error::vouch::Failure,
    extract::{address::AddressOf, backend::VouchingBackend, body::ShortBody, caller::CallerOf},
};

/// Sign a user in
///
/// A backend that holds a secret key names a user, and the app named in `clientId` gets a session. The app refreshes it alone.
#[utoipa::path(
    post, path = "/auth/v1/private/signin", operation_id = "signIn", tag = "Vouch",
    security(("secret_key" = [])),
    request_body = SignInSchema,
    responses(
        (status = 200, description = "The session is open.", body = VouchedTokens),
        (status = 400, description = "100001: no such project, or not the key's. 100002: no such client. 100003: no JSON object. \
            100050: a member is missing or wrong; the message names it.", body = ErrorBody),
        (status = 401, description = "100006: no live secret key, or one that may not do this; or the user is disabled.", body = ErrorBody),
        (status = 403, description = "100012: there is no such user. Nothing else answers 403 here.", body = ErrorBody),
        (status = 408, description = "100003: the body took too long.", body = ErrorBody),
        (status = 409, description = "100010: the identities belong to different users, or are proved by another.", body = ErrorBody),
        (status = 413, description = "100003: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "100009: over a limit; `Retry-After` says when to come again.", body = ErrorBody),
        (status = 500, description = "13001: the server failed.", body = ErrorBody),
        (status = 503, description = "13001: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    VouchingBackend(backend): VouchingBackend,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    ShortBody(body): ShortBody,
) -> Result<Json<VouchedTokens>, Failure> {
    let SignIn { vouch, create_if_missing } = SignIn::parse(&body)?;
    let vouch = translate::vouch(vouch);
    let pair = app.service.sign_in(&backend, &address, vouch, create_if_missing, &caller).await?;
    Ok(Json(translate::tokens(pair)))
}
