//! `POST /v1/sessions`: an app's proof of its user becomes a session.

use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// The app that the session is for, as it was read.
pub fn parse(body: &[u8]) -> Result<String, BodyError> {
    Ok(Object::parse(body)?.text("client_id")?.to_owned())
}

/// For which app.
#[derive(ToSchema)]
#[schema(as = OpenSession, example = json!({"client_id": "c3"}))]
pub struct OpenSessionSchema {
    /// An app of the project. One that must authenticate itself can't be it.
    pub client_id: String,
}

/// A session's first tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedSession, example = json!({
    "uid": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "token_type": "DPoP", "access_token": "eyJhbGciOiJFUzI1NiIs…", "expires_in": 900,
    "refresh_token": "rt_AQAAAAEAAAAC…", "refresh_expires_in": 3_888_000
}))]
pub struct OpenedSession {
    /// The user.
    pub uid: String,
    /// Always `DPoP`: without the key that was shown the tokens are worthless (RFC 9449 §5).
    pub token_type: &'static str,
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// For how many seconds it is good.
    pub expires_in: u64,
    /// To be shown to `/auth/v1/refreshtoken` with a proof of the same key.
    pub refresh_token: String,
    /// For how many seconds the session can be refreshed.
    pub refresh_expires_in: u64,
}

/// Something for the query string, where a browser can set no header.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket, example = json!({"ticket": "tkt_v1.AbCdEfGh.…", "parameter": "countersign_ticket", "expires_in": 30}))]
pub struct TicketBody {
    /// Works once.
    pub ticket: String,
    /// The name of the query parameter that it goes into.
    pub parameter: &'static str,
    /// For how many seconds it is good.
    pub expires_in: u64,
}
