use axum::{extract::State, response::Response};
use countersign_domain::mfa::{FactorKind, Preference};
use countersign_service::delegation::status::MfaStatus;
use countersign_wire::delegation::{
    envelope::Envelope,
    error::ErrorBody,
    status::{Credentials, OfUser},
};

use crate::{app::App, error::delegation::Failure, extract::delegated::Delegated};

/// What a user has as a second factor
///
/// In the envelope: `userid`, an e-mail address or an id. In the answer's: `userid`, `email`, `email_verified`, `mfa_method`, `contact`,
/// `suggested_mfa`, `detail`.
#[utoipa::path(
    post, path = "/hc_auth/v5/update/get-creds", operation_id = "getMfaCredentials", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "What the user has; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where the envelope was used before: sealed.", body = ErrorBody),
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

async fn answered(app: &App, Delegated(call): &Delegated) -> Result<Credentials, Failure> {
    let of = OfUser::parse(call.text())?;
    let status = app.service.mfa_status(&call.provider, &of.userid).await?;
    Ok(credentials(of.userid, status))
}

fn credentials(userid: String, status: MfaStatus) -> Credentials {
    let (email, email_verified) = status.email.map_or((None, false), |(email, is_verified)| (Some(email), is_verified));
    Credentials {
        userid,
        email,
        email_verified,
        mfa_method: status.method.map_or("none", FactorKind::as_str),
        contact: status.contact,
        suggested_mfa: status.preference.map(Preference::as_str),
        detail: "Credentials retrieved.",
    }
}
