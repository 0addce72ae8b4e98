use axum::{extract::State, response::Response};
use countersign_domain::mfa::FactorKind;
use countersign_service::{delegation::request::SaidOfItself, delegation::status::MfaStatus};
use countersign_wire::delegation::{
    envelope::Envelope,
    error::ErrorBody,
    request::{Request, State as MfaState},
};

use crate::{app::App, error::delegation::Failure, extract::delegated::Delegated};

/// What a user has as a second factor, asked in the older form
///
/// In the envelope: a `delegation.request` with the action `mfa.get_status`. What it says of client, key and action must be what headers and path say,
/// and its `jti` is good once.
#[utoipa::path(
    post, path = "/mfa/get", operation_id = "getMfaState", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "What the user has; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where envelope or `jti` were used before, or the request says that it is \
            somebody else's: sealed.", body = ErrorBody),
        (status = 404, description = "There is no such user; sealed.", body = Envelope),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 409, description = "The name could mean two users; sealed.", body = Envelope),
        (status = 413, description = "The body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "The server failed.", body = ErrorBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, call: Delegated) -> Response {
    let outcome = answered(&app, &call).await;
    call.answer(&app, outcome)
}

async fn answered(app: &App, Delegated(call): &Delegated) -> Result<MfaState, Failure> {
    let request = Request::parse(call.text())?;
    app.service.take_request(&call.provider, "mfa.get_status", &said(&request)).await?;
    Ok(state(&request, app.service.mfa_status(&call.provider, &request.user_id).await?, "The state was retrieved."))
}

/// What a request says of itself.
pub(super) fn said(request: &Request) -> SaidOfItself<'_> {
    SaidOfItself {
        action: &request.action,
        sp_id: &request.sp_id,
        sp_kid: request.sp_kid.as_deref(),
        jti: &request.jti,
        iat: request.iat,
    }
}

pub(super) fn state(request: &Request, status: MfaStatus, detail: &'static str) -> MfaState {
    MfaState {
        status: "success",
        user_id: request.user_id.clone(),
        mfa_method: status.method.map_or("none", FactorKind::as_str),
        enabled: status.method.is_some(),
        methods: status.methods.into_iter().map(FactorKind::as_str).collect(),
        detail,
    }
}
