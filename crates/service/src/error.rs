//! What no caller can help: an outage, or a fault of ours.

use countersign_storage::error::Error as StorageError;

/// Why nothing could be done, whatever was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Outage {
    /// The database is away. The same call may succeed in a while; nothing was acknowledged.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// This node hasn't heard of revocations for so long that it can't vouch for anything.
    #[error("the change feed is stale")]
    StaleFeed,
    /// A fault of the program or of its data; the log has it.
    #[error("{0}")]
    Fault(String),
}

impl From<StorageError> for Outage {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(cause) | StorageError::TryAgain(cause) => Self::Unavailable(cause),
            other => Self::Fault(other.to_string()),
        }
    }
}
