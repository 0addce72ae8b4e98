use axum::{Json, extract::State};
use countersign_service::vouch::{Names, Newcomer};
use countersign_wire::vouch::{
    error::ErrorBody,
    sign_up::{SignUp, SignUpSchema},
    tokens::VouchedTokens,
};

use super::translate;
use crate::{
    app::App,
    error::vouch::Failure,
    extract::{address::AddressOf, backend::VouchingBackend, body::ShortBody, caller::CallerOf},
};

/// Sign a user up
///
/// As sign-in, for a user who comes to be. One who exists is signed in, unless the project says `signup_existing=reject`: two launches of an
/// app may race into sign-up, and both must win.
#[utoipa::path(
    post, path = "/auth/v1/private/signup", operation_id = "signUp", tag = "Vouch",
    security(("secret_key" = [])),
    request_body = SignUpSchema,
    responses(
        (status = 200, description = "The user is there, and the session is open.", body = VouchedTokens),
        (status = 400, description = "100001: no such project, or not the key's. 100002: no such client. 100003: no JSON object. \
            100010: the user exists, and the project rejects that. 100050: a member is missing or wrong; the message names it. 1000003: the project asks \
            for an activation code, and this isn't one.", body = ErrorBody),
        (status = 401, description = "100006: no live secret key, or one that may not do this; or the user is disabled.", body = ErrorBody),
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
    let SignUp { vouch, given_name, family_name, activation_code } = SignUp::parse(&body)?;
    let newcomer = Newcomer { names: Names { given: given_name, family: family_name }, activation_code };
    let pair = app.service.sign_up(&backend, &address, translate::vouch(vouch), newcomer, &caller).await?;
    Ok(Json(translate::tokens(pair)))
}
