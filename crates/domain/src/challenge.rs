//! Challenges: a code was sent to an address, and whoever shows it holds that address.

use std::{str::FromStr, time::Duration};

use crate::{
    clock::Timestamp,
    id::{ChallengeId, ProjectId},
    identity::Identity,
    text::InvalidText,
};

/// How long a code is good.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// How often a code may be tried by one network before it is worthless to that network.
pub const TRIES: u32 = 5;
/// How often by all together. More than [`TRIES`], so that a stranger who guesses at somebody's code doesn't burn it; a guess still has a chance
/// of one in fifty thousand.
pub const TRIES_OF_ALL: u32 = 20;
/// So many codes of one address may be live at once: with one, a stranger could take each code from its owner by asking for the next.
pub const LIVE: u32 = 3;

/// A code that was sent.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Where.
    pub project: ProjectId,
    /// Its own identifier.
    pub id: ChallengeId,
    /// What the code is good for.
    pub purpose: Purpose,
    /// The address it was sent to.
    pub destination: Identity,
    /// When it was sent.
    pub created_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
}

/// What a code is good for. One that was sent for one purpose says nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in or up at the app's own screens, at the first door.
    AppSignIn,
}

impl Purpose {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppSignIn => "app_sign_in",
        }
    }
}

impl FromStr for Purpose {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        match text {
            "app_sign_in" => Ok(Self::AppSignIn),
            _ => Err(InvalidText("must be `app_sign_in`")),
        }
    }
}
