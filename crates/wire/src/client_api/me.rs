//! `GET /v1/me`: who the caller is, and how that was proved.

use serde::Serialize;
use utoipa::ToSchema;

/// The caller. What isn't known is left out.
#[derive(Serialize, ToSchema)]
#[schema(as = Me, example = json!({
    "uid": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "project": "p1", "client_id": "c1", "session_id": "ses_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "email": "alice@example.com", "amr": ["vouch"], "acr": "urn:countersign:acr:vouched",
    "vouched_by": "key_01ARZ3NDEKTSV4RRFFQ69G5FAV", "expires_at": 1_790_000_900
}))]
pub struct MeBody {
    /// The user.
    pub uid: String,
    /// The project.
    pub project: String,
    /// The app that the token was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The session that it was issued in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The user's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user's identifier in the customer's own books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// How the user was proven (RFC 8176).
    pub amr: Vec<String>,
    /// How strongly; left out where nothing was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The key that vouched, or under which the user was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<String>,
    /// When the token, or the proof, expires, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}
