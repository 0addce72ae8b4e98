use axum::{extract::State, response::Response};
use countersign_domain::locale::Locale;
use countersign_service::{caller::Caller, delegation::update::FactorUpdate};
use countersign_wire::delegation::{
    envelope::Envelope,
    error::ErrorBody,
    request::{Request, State as MfaState},
};

use super::mfa_get::{said, state};
use crate::{
    app::App,
    error::delegation::Failure,
    extract::{caller::CallerOf, delegated::Delegated, locale::LocaleOf},
};

/// Take a second factor from a user, or let codes go to an address that the user has proved
///
/// In the envelope: a `delegation.request` with the action `mfa.update`, and in `params` `method` and `enabled`. What it says of client, key and action
/// must be what headers and path say, and its `jti` is good once; `audit` goes into the audit trail. What needs the user's code is refused: it begins
/// with `/hc_auth/v5/update/initiate`. The answer's envelope has what the user has then.
#[utoipa::path(
    post, path = "/mfa/update", operation_id = "updateMfa", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "What the user has now; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where envelope or `jti` were used before, or the request says that it is \
            somebody else's: sealed.", body = ErrorBody),
        (status = 403, description = "The user is locked out; sealed.", body = Envelope),
        (status = 404, description = "There is no such user; sealed.", body = Envelope),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 409, description = "The user's code is needed, or the name could mean two users; sealed.", body = Envelope),
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

async fn answered(
    app: &App,
    caller: &Caller,
    locale: Locale,
    Delegated(call): &Delegated,
) -> Result<MfaState, Failure> {
    let request = Request::parse(call.text())?;
    let (method, enabled) = request.change()?;
    app.service.take_request(&call.provider, "mfa.update", &said(&request)).await?;
    let update = FactorUpdate {
        userid: request.user_id.clone(),
        method,
        enabled,
        reason: request.reason.clone(),
        requested_by: request.requested_by.clone(),
    };
    let status = app.service.update_factor(&call.provider, &update, locale, caller).await?;
    Ok(state(&request, status, "The state is as asked for."))
}
