//! What went wrong.

use serde::Serialize;
use utoipa::ToSchema;

/// A refusal. In an envelope, once it is known for whom.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DelegationError, example = json!({ "detail": "The call is not proved: see docs/reference/delegation-envelope.md." }))]
pub struct ErrorBody {
    /// `error`, where a code wasn't right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// What to do about it, in words.
    pub detail: String,
}
