use axum::{extract::State, response::Response};
use countersign_service::caller::Caller;
use countersign_wire::management::{
    error::DetailBody,
    user::{DoneBody, SetPhone, SetPhoneSchema},
};

use crate::{
    app::App,
    error::management::Failure,
    extract::{caller::CallerOf, manager::Managed},
};

/// A user's telephone number
///
/// In the place of what backends said before. What the user proved, and where second factors go, stays: that takes a step-up. The user is told. Answers
/// are signed (`X-Response-Signature`), or sealed as the call is.
#[utoipa::path(
    post, path = "/v1/management/users/phone", operation_id = "setManagedPhone", tag = "Management",
    security(("management" = []), ("delegation" = [])),
    request_body = SetPhoneSchema,
    responses(
        (status = 200, description = "The user has it.", body = DoneBody),
        (status = 400, description = "The body won't do.", body = DetailBody),
        (status = 404, description = "There is no such user.", body = DetailBody),
        (status = 409, description = "Another user has the number, or the userid means more than one.", body = DetailBody),
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
    call.answer(&app, set(&app, &call, &caller).await)
}

async fn set(app: &App, call: &Managed, caller: &Caller) -> Result<DoneBody, Failure> {
    let asked = SetPhone::parse(call.body())?;
    app.service.set_managed_phone(&call.manager, &asked.userid, asked.phone, caller).await?;
    Ok(DoneBody::DONE)
}
