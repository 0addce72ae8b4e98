//! How a command ends when it doesn't end well.

use countersign_service::{admin::Refused, context::OpenError};
use countersign_storage::error::Error as StorageError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The thing failed. Exit status 1.
    #[error("{0}")]
    Failed(String),
    /// The call was wrong. Exit status 2.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// A failure that says what was being done.
    pub fn failed(doing: &str, problem: impl std::fmt::Display) -> Self {
        Self::Failed(format!("{doing}: {problem}"))
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(_) => Self::Usage(refused.to_string()),
            _ => Self::Failed(refused.to_string()),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.to_string())
    }
}
