use axum::{Json, extract::State};
use countersign_wire::vouch::{
    code::{CodeFor, CodeSent, SendCodeSchema},
    error::ErrorBody,
};

use super::translate;
use crate::{
    app::App,
    error::vouch::Failure,
    extract::{address::AddressOf, body::ShortBody, caller::CallerOf, locale::LocaleOf},
};

/// Send a code
///
/// Six digits go to the address, good for ten minutes. The answer is the same whether or not anybody has the address; the message says which.
/// The message is in the language that `Accept-Language` asks for, as far as there is one.
#[utoipa::path(
    post, path = "/auth/v1/sendverificationtoken", operation_id = "sendVerificationToken", tag = "Vouch",
    request_body = SendCodeSchema,
    responses(
        (status = 200, description = "A message is on its way.", body = CodeSent),
        (status = 400, description = "100001: no such project. 100002: no such client. 100003: no JSON object. \
            100050: a member is missing or wrong; the message names it.", body = ErrorBody),
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
    LocaleOf(locale): LocaleOf,
    ShortBody(body): ShortBody,
) -> Result<Json<CodeSent>, Failure> {
    let wanted = translate::code_for(CodeFor::parse(&body)?);
    app.service.send_code(&address, &wanted, locale, &caller).await?;
    Ok(Json(CodeSent { ok: true }))
}
