use axum::{Json, extract::State};
use countersign_domain::proof::Method;
use countersign_wire::client_api::{error::ErrorEnvelope, me::MeBody};

use crate::{app::App, dpop_nonce::NextNonce, error::client_api::Failure, extract::bearer::ProvedBearer};

/// Who am I?
///
/// Who the bearer of an access token is, how that was proved, and which key vouched.
#[utoipa::path(
    get, path = "/v1/me", operation_id = "me", tag = "Client API",
    security(("access_token" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the token is bound (RFC 9449), with `Authorization: DPoP`.")),
    responses(
        (status = 200, description = "The caller.", body = MeBody),
        (status = 401, description = "`invalid_credentials`: no live access token of this project, or one that is bound to a key, without a proof of that key; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: too many failed calls from this network; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedBearer(bearer): ProvedBearer,
) -> Result<(NextNonce, Json<MeBody>), Failure> {
    let me = app.service.me(&bearer).await?;
    let nonce = NextNonce(bearer.dpop_nonce().map(str::to_owned));
    let body = MeBody {
        uid: me.user.to_string(),
        project: me.project.to_string(),
        client_id: me.client.to_string(),
        session_id: me.session.to_string(),
        email: me.profile.email.clone(),
        external_id: me.profile.external_id.clone(),
        amr: me.proof.methods.iter().map(Method::as_str).map(str::to_owned).collect(),
        acr: me.proof.level.to_string(),
        vouched_by: me.vouched_by.map(|key| key.to_string()),
        expires_at: me.expires_at.seconds(),
    };
    Ok((nonce, Json(body)))
}
