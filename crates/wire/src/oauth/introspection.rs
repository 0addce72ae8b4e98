//! `POST /oauth2/introspect`.

use serde::Serialize;
use utoipa::ToSchema;

/// What a token is worth (RFC 7662 §2.2). Of one that isn't good nothing is said but that.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({
    "active": true, "scope": "openid email", "client_id": "c3", "sub": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "token_type": "Bearer",
    "iss": "https://auth.example.com", "aud": "https://auth.example.com", "iat": 1_700_000_000, "exp": 1_700_000_900,
    "sid": "ses_01ARZ3NDEKTSV4RRFFQ69G5FAV"
}))]
pub struct IntrospectionBody {
    /// Is it good?
    pub active: bool,
    /// Granted scopes, with spaces between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client that it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The user; of a client that acts for itself, the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// `Bearer` or `DPoP`, of an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The API that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// From when on it is worthless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The key to which it is bound (RFC 9449 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// A key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Confirmation {
    /// Its thumbprint.
    pub jkt: String,
}
