//! Errors: `{"detail"}`.

use serde::Serialize;
use utoipa::ToSchema;

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ManagementError, example = json!({"detail": "There is no such user."}))]
pub struct DetailBody {
    /// In English. For people: it may change.
    pub detail: String,
}
