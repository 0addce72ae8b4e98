use axum::{Json, extract::State};
use countersign_wire::vouch::{
    code::{CodeSignIn, CodeSignInSchema},
    error::ErrorBody,
    tokens::VouchedTokens,
};

use super::translate;
use crate::{
    app::App,
    error::vouch::Failure,
    extract::{address::AddressOf, body::ShortBody, caller::CallerOf},
};

/// Sign in by code
///
/// Whoever shows the code that was sent to an address holds it. A code works once, and is worthless after five tries from one network.
#[utoipa::path(
    post, path = "/auth/v1/signin", operation_id = "signInByCode", tag = "Vouch",
    request_body = CodeSignInSchema,
    responses(
        (status = 200, description = "The session is open.", body = VouchedTokens),
        (status = 400, description = "100001: no such project. 100002: no such client. 100003: no JSON object. \
            100050: a member is missing or wrong; the message names it, `confirmationCode` where the code isn't right.", body = ErrorBody),
        (status = 401, description = "100006: the user is disabled.", body = ErrorBody),
        (status = 403, description = "100012: the code is right, and there is no such user. It stays good for a sign-up.", body = ErrorBody),
        (status = 408, description = "100003: the body took too long.", body = ErrorBody),
        (status = 413, description = "100003: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "100009: over a limit; `Retry-After` says when to come again.", body = ErrorBody),
        (status = 500, description = "13001: the server failed.", body = ErrorBody),
        (status = 503, description = "13001: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    ShortBody(body): ShortBody,
) -> Result<Json<VouchedTokens>, Failure> {
    let CodeSignIn { wanted, code } = CodeSignIn::parse(&body)?;
    let pair = app.service.sign_in_by_code(&address, &translate::code_for(wanted), &code, None, &caller).await?;
    Ok(Json(translate::tokens(pair)))
}
