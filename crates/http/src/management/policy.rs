use axum::{extract::State, response::Response};
use countersign_wire::management::{
    error::DetailBody,
    policy::{PolicyBody, PolicySchema},
};

use crate::{app::App, extract::manager::Managed};

/// How do users sign in?
///
/// The ways in which users of the project sign in. Answers are signed (`X-Response-Signature`), or sealed as the call is.
#[utoipa::path(
    post, path = "/v1/management/policy", operation_id = "managementPolicy", tag = "Management",
    security(("management" = []), ("delegation" = [])),
    request_body = PolicySchema,
    responses(
        (status = 200, description = "How users sign in.", body = PolicyBody),
        (status = 400, description = "Another version of the protocol.", body = DetailBody),
        (status = 401, description = "The call is not proved: no assertion, a wrong one, or one that was used.", body = DetailBody),
        (status = 403, description = "The client may not manage users, or a browser called.", body = DetailBody),
        (status = 408, description = "The body took too long.", body = DetailBody),
        (status = 413, description = "The body is longer than 64 KiB.", body = DetailBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = DetailBody),
        (status = 500, description = "The server failed.", body = DetailBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = DetailBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, call: Managed) -> Response {
    let policy = app.service.sign_in_policy(&call.manager);
    let body = PolicyBody { sign_in_methods: policy.methods, mfa_policy: policy.mfa.as_str(), signup: policy.is_open };
    call.answer(&app, Ok(body))
}
