use axum::{Json, extract::State};
use countersign_service::vouch::{Names, Newcomer};
use countersign_wire::vouch::{
    code::{CodeSignIn, CodeSignUp, CodeSignUpSchema},
    error::ErrorBody,
    tokens::VouchedTokens,
};

use super::translate;
use crate::{
    app::App,
    error::vouch::Failure,
    extract::{address::AddressOf, body::ShortBody, caller::CallerOf},
};

/// Sign up by code
///
/// As sign-in by code, for a user who comes to be, where the project lets people sign up (`signup`). One who exists is signed in, unless the
/// project says `signup_existing=reject`.
#[utoipa::path(
    post, path = "/auth/v1/signup", operation_id = "signUpByCode", tag = "Vouch",
    request_body = CodeSignUpSchema,
    responses(
        (status = 200, description = "The user is there, and the session is open.", body = VouchedTokens),
        (status = 400, description = "100001: no such project. 100002: no such client. 100003: no JSON object. 100010: the user exists, and the \
            project rejects that. 100050: a member is missing or wrong; the message names it, `confirmationCode` where the code isn't right. \
            1000003: the project asks for an activation code, and this isn't one.", body = ErrorBody),
        (status = 401, description = "100006: the user is disabled, or the project lets nobody sign up.", body = ErrorBody),
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
    let CodeSignUp { sign_in, given_name, family_name, activation_code } = CodeSignUp::parse(&body)?;
    let CodeSignIn { wanted, code } = sign_in;
    let newcomer = Newcomer { names: Names { given: given_name, family: family_name }, activation_code };
    let wanted = translate::code_for(wanted);
    let pair = app.service.sign_in_by_code(&address, &wanted, &code, Some(newcomer), &caller).await?;
    Ok(Json(translate::tokens(pair)))
}
