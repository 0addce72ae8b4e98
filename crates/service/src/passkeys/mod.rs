//! Passkeys (WebAuthn Level 3): giving a user one, and proving a user by one.
//!
//! A ceremony has two halves. `begin_…` gives the options for the browser and the text to keep until the answer comes: in a row, beside
//! whatever began the ceremony, and never with the browser. The other half takes both back. The challenge is spent in the transaction that
//! writes what came of it, so that nothing is bought twice with one.

mod assertion;
mod client_data;
mod flaw;
mod kept_challenge;
mod manage;
mod registration;
mod relying_party;

use countersign_domain::clock::Timestamp;
use serde_json::Value;

pub use assertion::{PasskeyProof, Recorded};
pub use flaw::Flaw;
pub use manage::{By, Said};
pub use registration::Registration;

use crate::error::Outage;

/// The first half of a ceremony.
#[derive(Debug, Clone)]
pub struct PasskeyChallenge {
    /// What `navigator.credentials.create` or `get` takes, `{"publicKey": …}`, with bytes in base64url as `parseCreationOptionsFromJSON` and
    /// `parseRequestOptionsFromJSON` read them.
    pub options: Value,
    /// What is to be kept until the answer comes. Never for the browser.
    pub state: String,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
}

/// Why a ceremony comes to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PasskeyRefused {
    /// Browsers have passkeys for names that are reached by HTTPS, and for `localhost`.
    #[error("there are no passkeys at this address: they need a host name, not an IP address, and HTTPS")]
    Unavailable,
    /// There is no such user, or nobody may be signed in as this one.
    #[error("there is no such user")]
    NoSuchUser,
    /// The user is signed out by now, in the browser that asks.
    #[error("the user is not signed in any more")]
    SignedOut,
    /// The user has as many as one may have.
    #[error("the user has too many passkeys")]
    TooMany,
    /// There was no such challenge, or its time is over, or it was used.
    #[error("the challenge is over")]
    ChallengeOver,
    /// Somebody in the project has this very passkey.
    #[error("the passkey is registered already")]
    Duplicate,
    /// The answer won't do.
    #[error("{}", .0.as_str())]
    Flawed(Flaw),
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl PasskeyRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::NoSuchUser => "no_such_user",
            Self::SignedOut => "signed_out",
            Self::TooMany => "too_many",
            Self::ChallengeOver => "challenge_over",
            Self::Duplicate => "duplicate",
            Self::Flawed(flaw) => flaw.as_str(),
            Self::Outage(_) => "outage",
        }
    }
}

impl From<Flaw> for PasskeyRefused {
    fn from(flaw: Flaw) -> Self {
        Self::Flawed(flaw)
    }
}
