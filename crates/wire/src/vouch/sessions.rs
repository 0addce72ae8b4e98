//! `GET /auth/v1/user/{uid}/sessions`: where a user is signed in. Never a token.

use serde::Serialize;
use utoipa::ToSchema;

/// A user's sessions.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"sessions": [{
    "id": "ses_01ARZ3NDEKTSV4RRFFQ69G5FAV", "clientId": "c1", "deviceId": "phone-1", "createdAt": 1_790_000_000,
    "lastUsedAt": 1_790_000_900, "expiresAt": 1_793_888_000, "amr": ["vouch"]
}]}))]
pub struct Sessions {
    /// Those that are alive, the newest first.
    pub sessions: Vec<SessionBody>,
}

/// A session. Times are seconds since 1970.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub struct SessionBody {
    /// Its identifier, the `sid` of its tokens.
    pub id: String,
    /// The app it was opened for.
    pub client_id: String,
    /// The installation that the vouch named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// When it was opened.
    pub created_at: i64,
    /// When it was last refreshed, or opened.
    pub last_used_at: i64,
    /// When it ends, if nothing ends it before.
    pub expires_at: i64,
    /// How the user was proven.
    pub amr: Vec<String>,
}
