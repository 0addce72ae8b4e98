use axum::{extract::State, response::Response};
use countersign_service::caller::Caller;
use countersign_wire::management::{
    error::DetailBody,
    user::{MfaEnforcement, MfaEnforcementBody, MfaEnforcementSchema, enforcement},
};

use crate::{
    app::App,
    error::management::Failure,
    extract::{caller::CallerOf, manager::Managed},
};

/// When is a user asked for a second factor?
///
/// Without `mfa_enforcement` it is only asked for; with it, it is set, and the user is told. What the project's policy requires is asked for all the
/// same. Answers are signed (`X-Response-Signature`), or sealed as the call is.
#[utoipa::path(
    post, path = "/v1/management/users/mfa-enforcement", operation_id = "managedMfaEnforcement", tag = "Management",
    security(("management" = []), ("delegation" = [])),
    request_body = MfaEnforcementSchema,
    responses(
        (status = 200, description = "What it is.", body = MfaEnforcementBody),
        (status = 400, description = "The body won't do.", body = DetailBody),
        (status = 404, description = "There is no such user.", body = DetailBody),
        (status = 409, description = "The userid means more than one user.", body = DetailBody),
        (status = 401, description = "The call is not proved: no assertion, a wrong one, or one that was used.", body = DetailBody),
        (status = 403, description = "The client may not manage users, or a browser called.", body = DetailBody),
        (status = 408, description = "The body took too long.", body = DetailBody),
        (status = 413, description = "The body is longer than 64 KiB.", body = DetailBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = DetailBody),
        (status = 500, description = "The server failed.", body = DetailBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = DetailBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, CallerOf(caller): CallerOf, call: Managed) -> Response {
    call.answer(&app, read_or_set(&app, &call, &caller).await)
}

async fn read_or_set(app: &App, call: &Managed, caller: &Caller) -> Result<MfaEnforcementBody, Failure> {
    let asked = MfaEnforcement::parse(call.body())?;
    let current = match asked.wanted {
        None => app.service.managed_preference(&call.manager, &asked.userid).await?,
        Some(wanted) => {
            app.service.set_managed_preference(&call.manager, &asked.userid, wanted, caller).await?;
            Some(wanted)
        }
    };
    Ok(MfaEnforcementBody { mfa_enforcement: current.map(enforcement) })
}
