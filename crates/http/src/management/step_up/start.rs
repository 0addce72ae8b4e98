use axum::{extract::State, response::Response};
use countersign_domain::{step_up::Purpose, text::PhoneNumber};
use countersign_service::{caller::Caller, step_up::Asked};
use countersign_wire::management::{
    error::DetailBody,
    step_up::{StartStepUp, StartStepUpSchema, StartedStepUpBody},
};

use crate::{
    app::App,
    error::management::Failure,
    extract::{caller::CallerOf, manager::ManagedStepUp},
};

/// Ask for a step-up
///
/// The user is to prove a change: to another second factor, or another telephone number. The start token goes to the user's app, which sends the user
/// to `/sign-in/step-up`, or signs the user in by `/oauth2/authorize-challenge`. Answers are signed (`X-Response-Signature`), or sealed as the call is; but for clients that
/// say everything in `X-Client-Assertion`, with an empty object as body.
#[utoipa::path(
    post, path = "/v1/management/stepup/start-token", operation_id = "startStepUp", tag = "Management",
    security(("management" = []), ("delegation" = [])),
    request_body = StartStepUpSchema,
    responses(
        (status = 200, description = "The user may begin.", body = StartedStepUpBody),
        (status = 400, description = "The body won't do, or the change can't be: the user has no such address.", body = DetailBody),
        (status = 404, description = "There is no such user.", body = DetailBody),
        (status = 409, description = "The user is locked out, another user has the number, or the userid means more than one.", body = DetailBody),
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
    call.answer(&app, start(&app, &call, &caller).await)
}

async fn start(app: &App, call: &ManagedStepUp, caller: &Caller) -> Result<StartedStepUpBody, Failure> {
    let (userid, purpose, method, number) = match call {
        ManagedStepUp::ByBody(call) => {
            let StartStepUp { userid, purpose, new_mfa_method, new_phone_number } = StartStepUp::parse(call.body())?;
            (userid, purpose, new_mfa_method, new_phone_number)
        }
        ManagedStepUp::ByAssertion(asked) => {
            let purpose = asked.purpose.as_deref().unwrap_or_default().parse::<Purpose>();
            let purpose = purpose.map_err(|problem| Failure::invalid(format!("`purpose` {problem}.")))?;
            let number = asked.new_phone_number.as_deref().map(str::parse::<PhoneNumber>).transpose();
            let number = number.map_err(|problem| Failure::invalid(format!("`new_phone_number` {problem}.")))?;
            if number.as_ref().is_some_and(|number| !number.is_possible()) {
                return Err(Failure::invalid("`new_phone_number` is no number that there could be."));
            }
            (asked.user.clone(), purpose, asked.new_mfa_method.clone(), number)
        }
    };
    let asked = Asked {
        userid: &userid,
        purpose: &purpose,
        new_mfa_method: method.as_deref(),
        new_phone_number: number.as_ref(),
    };
    let started = app.service.start_step_up(call.manager(), asked, caller).await?;
    Ok(StartedStepUpBody { start_token: started.token, expires_in: started.expires_in.as_secs() })
}
