//! Errors of the provider: `{"error", "error_description"}` (RFC 6749 §5.2).

use serde::Serialize;
use utoipa::ToSchema;

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OauthError, example = json!({"error": "invalid_grant", "error_description": "The code, or the refresh token, is not good."}))]
pub struct ErrorBody {
    /// What went wrong, as a word that clients switch on.
    pub error: &'static str,
    /// In English. For people: it may change.
    pub error_description: String,
}
