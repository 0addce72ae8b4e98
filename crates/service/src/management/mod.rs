//! What a customer's backend does with the users of its project, by a key of its own.

mod enforcement;
mod phone;
mod policy;
mod subject;

use countersign_domain::id::UserId;
use countersign_storage::error::Error as StorageError;

pub use policy::SignInPolicy;

use crate::{admin::Refused, error::Outage};

/// Why it isn't done. All of it may be told: whoever asks has proved that it may know.
#[derive(Debug, thiserror::Error)]
pub enum ManagementRefused {
    /// There is no such user.
    #[error("there is no such user")]
    NoSuchUser,
    /// The text is one user's address, and another's identifier.
    #[error("the userid means more than one user: use the e-mail address, or the uid")]
    Ambiguous,
    /// The user is locked out.
    #[error("the user is locked out")]
    UserDisabled,
    /// Another user has it.
    #[error("another user has this telephone number")]
    Taken,
    /// It can't be so.
    #[error("{0}")]
    Invalid(&'static str),
    /// The token isn't one that this server gave for this.
    #[error("this is no step-up receipt of this project, or it has expired")]
    NoReceipt,
    /// It was used, or its step-up isn't passed.
    #[error("the receipt was used before")]
    Spent,
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl From<Refused> for ManagementRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound { .. } => Self::NoSuchUser,
            Refused::Exists { .. } | Refused::Invalid(_) => Self::Taken,
            Refused::Outage(outage) => Self::Outage(outage),
        }
    }
}

impl From<StorageError> for ManagementRefused {
    fn from(error: StorageError) -> Self {
        Self::Outage(error.into())
    }
}

/// A user whom a call is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ManagedUser {
    pub(crate) id: UserId,
    pub(crate) is_disabled: bool,
}
