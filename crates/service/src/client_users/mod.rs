//! Users as the client API has them: for the user, and for the customer's backend.

pub mod create;
pub mod delete;
pub mod list;
pub mod set;
pub mod show;

use countersign_domain::id::UserId;

use crate::{
    admin::Refused,
    error::Outage,
    proof::{actor::Actor, secret_key::Backend},
};

/// Why it isn't done.
#[derive(Debug, thiserror::Error)]
pub enum UserRefused {
    /// There is no such user, or not for this caller: which of the two is nobody's business.
    #[error("there is no such user")]
    NoSuchUser,
    /// Somebody has that external id.
    #[error("there is a user of that external id")]
    Exists,
    /// The key may not create users.
    #[error("the key may not create users")]
    MayNotCreateUsers,
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl From<Refused> for UserRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound { .. } => Self::NoSuchUser,
            Refused::Exists { .. } | Refused::Invalid(_) => Self::Exists,
            Refused::Outage(outage) => Self::Outage(outage),
        }
    }
}

/// The user of this id, if it is the caller's business: a user's own, a backend's any.
fn own(actor: &Actor, id: &str) -> Result<UserId, UserRefused> {
    let id: UserId = id.parse().map_err(|_| UserRefused::NoSuchUser)?;
    let is_own = match actor {
        Actor::Client(client) => client.user() == id,
        Actor::Bearer(bearer) => bearer.user() == id,
        Actor::Backend(_) => true,
    };
    if is_own { Ok(id) } else { Err(UserRefused::NoSuchUser) }
}

/// Making users and unmaking them takes the same scope.
fn check_scope(backend: &Backend) -> Result<(), UserRefused> {
    let may = backend.secret_key().is_some_and(|key| key.scope.may_create_users);
    if may { Ok(()) } else { Err(UserRefused::MayNotCreateUsers) }
}
