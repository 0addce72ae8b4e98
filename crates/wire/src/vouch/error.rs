//! The errors of door 1: `{"code", "message"}`, and for refused refreshes a `reason`.

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as a number that clients switch on. Never changed once published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The project isn't known, or isn't the key's.
    UnknownProject,
    /// The client isn't known.
    UnknownClient,
    /// The request isn't one: no JSON object, too long, no such path or method.
    MalformedRequest,
    /// The caller may not.
    Unauthorized,
    /// Too many calls.
    TooManyRequests,
    /// It collides with what is there.
    Conflict,
    /// There is no such user.
    NoSuchUser,
    /// The activation code isn't right.
    ActivationCode,
    /// The session was idle for too long.
    IdleTimeout,
    /// The session is gone, or the refresh token was replaced.
    SessionGone,
    /// A member is missing or wrong.
    InvalidField,
    /// The access token has expired.
    TokenExpired,
    /// The access token isn't valid.
    TokenInvalid,
    /// The server can't answer now.
    Unavailable,
}

impl Code {
    /// The number.
    pub const fn number(self) -> u32 {
        match self {
            Self::TokenExpired => 10_001,
            Self::TokenInvalid => 10_002,
            Self::Unavailable => 13_001,
            Self::UnknownProject => 100_001,
            Self::UnknownClient => 100_002,
            Self::MalformedRequest => 100_003,
            Self::Unauthorized => 100_006,
            Self::TooManyRequests => 100_009,
            Self::Conflict => 100_010,
            Self::NoSuchUser => 100_012,
            Self::IdleTimeout => 100_017,
            Self::SessionGone => 100_049,
            Self::InvalidField => 100_050,
            Self::ActivationCode => 1_000_003,
        }
    }
}

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": 100_050, "message": "`email` is missing"}))]
pub struct ErrorBody {
    /// What went wrong, as a number.
    pub code: u32,
    /// What to do, in English. For people: it may change.
    pub message: String,
    /// Of a refused refresh only. `replaced`: another part of the app holds a newer token, read the storage again. `ended`: the session is over,
    /// ask the host application again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Why a refresh was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another part of the app holds a newer token.
    Replaced,
    /// The session is over.
    Ended,
}
