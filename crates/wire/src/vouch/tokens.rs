//! What a vouched session is handed.

use serde::Serialize;
use utoipa::ToSchema;

/// The answer to a sign-in or sign-up. Times are whole seconds from now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VouchedTokens, example = json!({
    "uid": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "authToken": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIs…",
    "refreshToken": "rt_AQAAAAEAAAAB…", "authTokenExpiresIn": 900, "expiresIn": 3_888_000, "refreshTokenExpiresIn": 3_888_000
}))]
pub struct VouchedTokens {
    /// The user.
    pub uid: String,
    /// The access token: a JWT (RFC 9068) that any API can check by `/.well-known/jwks.json`.
    pub auth_token: String,
    /// The refresh token: opaque; each use gives a new one.
    pub refresh_token: String,
    /// How long the access token lives.
    pub auth_token_expires_in: u64,
    /// How long the session can be refreshed. (At a refresh, the member of this name is the access token's.)
    pub expires_in: u64,
    /// The same as `expiresIn`.
    pub refresh_token_expires_in: u64,
}
