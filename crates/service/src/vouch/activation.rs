//! What newcomers must show beside, where a project asks for it.

use countersign_crypto::typed_code::TypedCodeHash;
use countersign_domain::{clock::Timestamp, id::ProjectId, policy::Settings};
use countersign_storage::{Conn, activation_codes, error::Result};

/// Whether an activation code is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Activation {
    NotAsked,
    /// It is; none: what was shown can be none.
    Asked(Option<TypedCodeHash>),
}

impl Activation {
    pub(crate) fn asked_by(settings: &Settings, shown: Option<&str>) -> Self {
        if settings.signup_activation {
            Self::Asked(shown.and_then(TypedCodeHash::of_unverified))
        } else {
            Self::NotAsked
        }
    }

    pub(crate) fn is_asked(self) -> bool {
        matches!(self, Self::Asked(_))
    }

    /// Uses the code up, in the transaction in which its user comes to be.
    pub(crate) async fn spend(self, conn: &mut Conn<'_>, project: &ProjectId, now: Timestamp) -> Result<bool> {
        match self {
            Self::NotAsked => Ok(true),
            Self::Asked(None) => Ok(false),
            Self::Asked(Some(hash)) => Ok(activation_codes::use_once(conn, project, &hash, now).await?.is_some()),
        }
    }
}
