//! The errors of door 2: `{"error": {"code", "message"}}`.

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as a word that clients switch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErrorCode)]
pub enum Code {
    /// The request isn't one.
    InvalidRequest,
    /// The caller proved nothing.
    InvalidCredentials,
    /// The caller may not.
    Forbidden,
    /// There is nothing there.
    ResourceNotFound,
    /// It collides with what is there.
    Conflict,
    /// Too many calls.
    RateLimited,
    /// Our own fault.
    Unknown,
    /// The server can't answer now.
    Unavailable,
}

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientApiError, example = json!({"error": {"code": "invalid_credentials", "message": "Show a live access token."}}))]
pub struct ErrorEnvelope {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// As a word.
    pub code: Code,
    /// In English. For people: it may change.
    pub message: String,
}
