//! Another second factor for a user, at the word of a customer's backend: the backend signs, and the user shows by a code to have what is to be the
//! factor. Both together stand for the fresh proof that users show who change it themselves.

mod begin;
mod finish;
mod notice;

use std::time::Duration;

use countersign_domain::message::Channel;

pub use self::begin::{BegunChange, SetUp, WantedChange};
use crate::{delegation::subject::SubjectRefused, error::Outage, limits::TooMany};

/// How long it waits for the code.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// How often a code may be tried.
pub const TRIES: u32 = 5;

/// Why a factor isn't changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRefused {
    /// Nobody is meant.
    #[error(transparent)]
    Subject(#[from] SubjectRefused),
    /// The user is locked out.
    #[error("the user is disabled")]
    UserDisabled,
    /// The user has no address to which a code could go.
    #[error("the user has no e-mail address")]
    NoAddress,
    /// The server has no way to send such messages.
    #[error("this server sends no such messages: see its configuration")]
    NoChannel(Channel),
    /// Too many messages, or wrong codes.
    #[error("too many messages or wrong codes")]
    TooMany(TooMany),
    /// It isn't the code, or there is no such change, or it is over.
    #[error("the code isn't right")]
    WrongCode,
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}
