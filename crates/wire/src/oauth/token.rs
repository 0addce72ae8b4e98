//! `POST /oauth2/token`.

use serde::Serialize;
use utoipa::ToSchema;

/// Tokens (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…", "token_type": "Bearer", "expires_in": 900,
    "scope": "openid email", "refresh_token": "rt_AQAAAAEAAAAB…", "id_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.…"
}))]
pub struct TokenBody {
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// `Bearer`, or `DPoP` for one that is bound to a key.
    pub token_type: &'static str,
    /// How long the access token lives, in seconds.
    pub expires_in: u64,
    /// What was granted, with spaces between.
    pub scope: String,
    /// For the next tokens, where the client uses them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in, where `openid` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

/// What is sent.
#[derive(ToSchema)]
#[schema(as = TokenRequest, example = json!({
    "grant_type": "authorization_code", "code": "SplxlOBeZQQYbYS6WxSbIA0v0dT5gXkDlIHcJ9Kq9aM", "client_id": "web",
    "redirect_uri": "https://app.example.com/callback", "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
}))]
#[expect(dead_code, reason = "describes a form that is read parameter by parameter")]
pub struct TokenSchema {
    /// `authorization_code`, `refresh_token` or `client_credentials`.
    grant_type: String,
    /// Of `authorization_code`.
    code: Option<String>,
    /// As in the authorization request.
    redirect_uri: Option<String>,
    /// What the `code_challenge` was made of (RFC 7636).
    code_verifier: Option<String>,
    /// Of `refresh_token`.
    refresh_token: Option<String>,
    /// Of `client_credentials`, or less than was granted.
    scope: Option<String>,
    /// Unless it stands in `Authorization` or in the assertion.
    client_id: Option<String>,
    /// With `client_secret_post`.
    client_secret: Option<String>,
    /// With `private_key_jwt` (RFC 7523).
    client_assertion: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}

/// What is sent to ask about a token, or to give it back.
#[derive(ToSchema)]
#[schema(as = ShownToken, example = json!({"token": "rt_AQAAAAEAAAAB", "token_type_hint": "refresh_token", "client_id": "shop", "client_secret": "cs_0000"}))]
#[expect(dead_code, reason = "describes a form that is read parameter by parameter")]
pub struct ShownTokenSchema {
    /// An access token or a refresh token.
    token: String,
    /// Not needed: tokens say themselves what they are.
    token_type_hint: Option<String>,
    /// Unless it stands in `Authorization` or in the assertion.
    client_id: Option<String>,
    /// With `client_secret_post`.
    client_secret: Option<String>,
    /// With `private_key_jwt` (RFC 7523).
    client_assertion: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}
