use axum::{
    Json,
    extract::{FromRequestParts, Path, State, rejection::PathRejection},
    http::request::Parts,
};
use countersign_domain::{proof::Method, session::Session};
use countersign_service::session::list::Asker;
use countersign_wire::vouch::{
    error::ErrorBody,
    sessions::{SessionBody, Sessions},
};
use serde::Deserialize;

use crate::{
    app::App,
    dpop_nonce::NextNonce,
    error::vouch::Failure,
    extract::{
        address::AddressOf,
        backend::{VERIFICATION_TOKEN, VouchingBackend},
        bearer::shown_token,
        caller::address_of,
        possession::possession_of,
    },
};

/// The user, or the customer's backend.
pub(crate) struct AskerOf(Asker);

impl FromRequestParts<App> for AskerOf {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if parts.headers.contains_key(VERIFICATION_TOKEN) {
            let VouchingBackend(backend) = VouchingBackend::from_request_parts(parts, app).await?;
            return Ok(Self(Asker::Backend(backend)));
        }
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
        let possession = possession_of(parts, app);
        let shown = shown_token(&parts.headers, possession.as_ref());
        let proved = app.service.prove_access_token(&address, shown, address_of(parts, app));
        proved.map(|bearer| Self(Asker::User(bearer))).map_err(|refused| Failure::of_token(refused, &shown))
    }
}

/// What stands in the path.
#[derive(Deserialize)]
pub(crate) struct Named {
    uid: String,
}

/// Where a user is signed in
///
/// For the user, by access token, or for the customer's backend, by secret key. Another user's id is as unknown as none.
#[utoipa::path(
    get, path = "/auth/v1/user/{uid}/sessions", operation_id = "listSessions", tag = "Vouch",
    security(("access_token" = []), ("secret_key" = [])),
    params(
        ("uid" = String, Path, description = "The user.", example = "u_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("DPoP" = Option<String>, Header, description = "A proof of the key to which the token is bound (RFC 9449), with `Authorization: DPoP`."),
    ),
    responses(
        (status = 200, description = "The sessions that are alive.", body = Sessions),
        (status = 401, description = "10001: expired. 10002: no access token of this project, or one that is bound to a key, without a proof of that \
            key; `WWW-Authenticate`, `DPoP-Nonce`. 100006: no live secret key. 100049: the \
            session of the token is over.", body = ErrorBody),
        (status = 404, description = "100012: there is no such user, or not for this caller.", body = ErrorBody),
        (status = 429, description = "100009: over a limit; `Retry-After` says when to come again.", body = ErrorBody),
        (status = 500, description = "13001: the server failed.", body = ErrorBody),
        (status = 503, description = "13001: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    AskerOf(asker): AskerOf,
    AddressOf(address): AddressOf,
    uid: Result<Path<Named>, PathRejection>,
) -> Result<(NextNonce, Json<Sessions>), Failure> {
    // What is no text names nobody.
    let uid = uid.map(|Path(named)| named.uid).unwrap_or_default();
    let sessions = app.service.list_sessions(&asker, &address, &uid).await?;
    let nonce = match &asker {
        Asker::User(bearer) => bearer.dpop_nonce().map(str::to_owned),
        Asker::Backend(_) => None,
    };
    Ok((NextNonce(nonce), Json(Sessions { sessions: sessions.iter().map(body).collect() })))
}

fn body(session: &Session) -> SessionBody {
    SessionBody {
        id: session.id.to_string(),
        client_id: session.client.to_string(),
        device_id: session.device.as_ref().map(|device| device.as_str().to_owned()),
        created_at: session.created_at.seconds(),
        last_used_at: session.rotation.rotated_at.seconds(),
        expires_at: session.expires_at.min(session.idle_expires_at).seconds(),
        amr: session.proof.methods.iter().map(Method::as_str).map(str::to_owned).collect(),
    }
}
