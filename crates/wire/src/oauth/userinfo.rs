//! `GET` and `POST /oauth2/userinfo`.

use serde::Serialize;
use utoipa::ToSchema;

/// A user, as far as the access token's scope goes (OpenID Connect Core §5.1). What isn't known is left out.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({
    "sub": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace",
    "given_name": "Ada", "family_name": "Lovelace", "updated_at": 1_700_000_000
}))]
pub struct UserInfoBody {
    /// The user, for ever.
    pub sub: String,
    /// With `email`, and for the project's own clients always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Was it proved?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// With `profile`: both names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// With `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// With `profile`: when the user last changed, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// With `phone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Was it proved?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
}
