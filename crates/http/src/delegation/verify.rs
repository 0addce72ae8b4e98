use axum::{extract::State, response::Response};
use countersign_domain::locale::Locale;
use countersign_service::caller::Caller;
use countersign_wire::delegation::{
    envelope::Envelope,
    error::ErrorBody,
    mfa_change::{Changed, Finish},
};

use crate::{
    app::App,
    error::delegation::Failure,
    extract::{caller::CallerOf, delegated::Delegated, locale::LocaleOf},
};

/// Give a user another second factor, by the user's code
///
/// In the envelope: `userid`, `session_id`, `otp`. From then on the user has this second factor and no other, and is told so. A change takes five wrong
/// codes at most, and one right one. The answer's envelope has `status`, `detail`, `mfa_changed_to`; where the code isn't right `status` is `error`.
#[utoipa::path(
    post, path = "/hc_auth/v5/update/verify", operation_id = "verifyMfaChange", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "The user has this second factor; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right, or the code. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where the envelope was used before: sealed.", body = ErrorBody),
        (status = 403, description = "The user is locked out; sealed.", body = Envelope),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 409, description = "The name could mean two users; sealed.", body = Envelope),
        (status = 413, description = "The body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "The server failed.", body = ErrorBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    LocaleOf(locale): LocaleOf,
    call: Delegated,
) -> Response {
    let outcome = answered(&app, &caller, locale, &call).await;
    call.answer(&app, outcome)
}

async fn answered(app: &App, caller: &Caller, locale: Locale, Delegated(call): &Delegated) -> Result<Changed, Failure> {
    let shown = Finish::parse(call.text())?;
    let (service, provider) = (&app.service, &call.provider);
    let set = service.finish_mfa_change(provider, &shown.userid, &shown.session_id, &shown.otp, locale, caller).await?;
    Ok(Changed { status: "success", detail: "The second factor was changed.", mfa_changed_to: set.as_str() })
}
