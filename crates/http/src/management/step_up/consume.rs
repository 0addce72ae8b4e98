use axum::{extract::State, response::Response};
use countersign_service::caller::Caller;
use countersign_wire::management::{
    error::DetailBody,
    step_up::{ConsumeStepUpSchema, parse_receipt},
    user::DoneBody,
};

use crate::{
    app::App,
    error::management::Failure,
    extract::{caller::CallerOf, manager::ManagedStepUp},
};

/// Have done what the user proved
///
/// Once, within five minutes, by the client that asked for it. The user is told. Answers are signed (`X-Response-Signature`), or sealed as the call is; but for clients that say
/// everything in `X-Client-Assertion`.
#[utoipa::path(
    post, path = "/v1/management/stepup/consume", operation_id = "consumeStepUp", tag = "Management",
    security(("management" = []), ("delegation" = [])),
    request_body = ConsumeStepUpSchema,
    responses(
        (status = 200, description = "It is done.", body = DoneBody),
        (status = 400, description = "It is no receipt, of another step-up, or has expired.", body = DetailBody),
        (status = 404, description = "There is no such user.", body = DetailBody),
        (status = 409, description = "The receipt was used before, or another user has the number by now.", body = DetailBody),
        (status = 401, description = "The call is not proved: no assertion, a wrong one, or one that was used.", body = DetailBody),
        (status = 403, description = "The client may not manage users, or a browser called.", body = DetailBody),
        (status = 408, description = "The body took too long.", body = DetailBody),
        (status = 413, description = "The body is longer than 64 KiB.", body = DetailBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = DetailBody),
        (status = 500, description = "The server failed.", body = DetailBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = DetailBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, CallerOf(caller): CallerOf, call: ManagedStepUp) -> Response {
    call.answer(&app, consume(&app, &call, &caller).await)
}

async fn consume(app: &App, call: &ManagedStepUp, caller: &Caller) -> Result<DoneBody, Failure> {
    let (receipt, userid) = match call {
        ManagedStepUp::ByBody(call) => (parse_receipt(call.body())?, None),
        ManagedStepUp::ByAssertion(asked) => (asked.receipt.clone().unwrap_or_default(), Some(asked.user.as_str())),
    };
    app.service.consume_step_up(call.manager(), &receipt, userid, caller).await?;
    Ok(DoneBody::DONE)
}
