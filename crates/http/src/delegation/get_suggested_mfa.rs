use axum::{extract::State, response::Response};
use countersign_domain::mfa::Preference;
use countersign_wire::delegation::{
    envelope::Envelope,
    error::ErrorBody,
    status::{OfUser, Suggested},
};

use crate::{app::App, error::delegation::Failure, extract::delegated::Delegated};

/// When a user wants to be asked for a second factor
///
/// In the envelope: `userid`. In the answer's: `suggested_mfa`, null where the user never said, or where there is no such user.
#[utoipa::path(
    post, path = "/hc_auth/v5/update/get-suggested-mfa", operation_id = "getSuggestedMfa", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "When; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where the envelope was used before: sealed.", body = ErrorBody),
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

async fn answered(app: &App, Delegated(call): &Delegated) -> Result<Suggested, Failure> {
    let of = OfUser::parse(call.text())?;
    let preference = app.service.suggested_mfa(&call.provider, &of.userid).await?;
    Ok(Suggested { suggested_mfa: preference.map(Preference::as_str) })
}
