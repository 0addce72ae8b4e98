use axum::{Json, extract::State};
use countersign_domain::clock::Timestamp;
use countersign_wire::client_api::{error::ErrorEnvelope, me::MeBody};

use crate::{app::App, dpop_nonce::NextNonce, error::client_api::Failure, extract::actor::ProvedUser};

/// Who am I?
///
/// Who the caller is, how that was proved, and which key vouched. For the bearer of an access token, and for an app that names its user.
#[utoipa::path(
    get, path = "/v1/me", operation_id = "me", tag = "Client API",
    security(("client_call" = [], "publishable_key" = [], "user_hmac" = []), ("access_token" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the token is bound (RFC 9449), with `Authorization: DPoP`.")),
    responses(
        (status = 200, description = "The caller.", body = MeBody),
        (status = 401, description = "`invalid_credentials`: no user was proved, or a token that is bound to a key came without a proof of that key; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: pages of this origin may not call.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: too many failed calls from this network, or calls with this key; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedUser(actor): ProvedUser,
) -> Result<(NextNonce, Json<MeBody>), Failure> {
    let me = app.service.me(&actor).await?.ok_or_else(Failure::for_users)?;
    let body = MeBody {
        uid: me.user.to_string(),
        project: me.project.to_string(),
        client_id: me.client.map(|id| id.to_string()),
        session_id: me.session.map(|id| id.to_string()),
        email: me.email,
        external_id: me.external_id,
        amr: me.methods,
        acr: me.level.map(|level| level.to_string()),
        vouched_by: me.vouched_by.map(|key| key.to_string()),
        expires_at: me.expires_at.map(Timestamp::seconds),
    };
    Ok((NextNonce::of(&actor), Json(body)))
}
