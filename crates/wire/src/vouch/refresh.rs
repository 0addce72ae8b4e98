//! `POST /auth/v1/refreshtoken`: the app goes on by itself.

use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// The refresh token in a body.
pub fn parse(body: &[u8]) -> Result<String, BodyError> {
    Ok(Object::parse(body)?.text("refreshToken")?.to_owned())
}

/// A refresh.
#[derive(ToSchema)]
#[schema(as = RefreshRequest, rename_all = "camelCase", example = json!({"refreshToken": "rt_AQAAAAEAAAAB…"}))]
pub struct RefreshSchema {
    /// The newest refresh token that the app holds.
    pub refresh_token: String,
}

/// The answer to a refresh. Times are whole seconds from now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RefreshedTokens, example = json!({
    "authToken": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIs…", "expiresIn": 900,
    "refreshToken": "rt_AQAAAAEAAAAC…", "refreshTokenExpiresIn": 3_887_100
}))]
pub struct RefreshedTokens {
    /// The access token.
    pub auth_token: String,
    /// How long the access token lives.
    pub expires_in: u64,
    /// The refresh token to use next time. Store it before you use the access token.
    pub refresh_token: String,
    /// How long the session can be refreshed.
    pub refresh_token_expires_in: u64,
    /// `DPoP` where the session is bound to a key: then the refresh token stays the same, and both tokens need a proof of that key (RFC 9449).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
}
