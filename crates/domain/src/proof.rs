//! How a user was proven, as tokens say it.

use std::{fmt, str::FromStr};

use crate::{clock::Timestamp, text::InvalidText};

/// How, how strongly and when a user was authenticated: the claims `amr` (RFC 8176), `acr` and `auth_time` (OpenID Connect Core §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Methods, in the order in which they were used.
    pub methods: Vec<Method>,
    /// The level that the methods add up to.
    pub level: Level,
    /// When the user was last seen to authenticate.
    pub at: Timestamp,
}

/// One authentication method reference. `vouch` is our own; the rest is what others pass on (RFC 8176 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method(Box<str>);

impl Method {
    /// The user was named by a backend that holds a secret key.
    pub fn vouch() -> Self {
        Self("vouch".into())
    }

    /// The user was named by a backend's MAC that expires.
    pub fn hmac_v2() -> Self {
        Self("hmac_v2".into())
    }

    /// As `amr` has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Method {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let right = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
        if (1..=32).contains(&text.len()) && text.bytes().all(right) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText("must be methods of 1 to 32 letters, digits and `_-.:`"))
        }
    }
}

/// Authentication context class: three levels, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A backend says so.
    Vouched,
    /// The user proved one factor here.
    OneFactor,
    /// The user proved two factors, or a passkey, here.
    TwoFactors,
}

impl Level {
    const ALL: [Self; 3] = [Self::Vouched, Self::OneFactor, Self::TwoFactors];

    /// As `acr` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vouched => "urn:countersign:acr:vouched",
            Self::OneFactor => "urn:countersign:acr:one-factor",
            Self::TwoFactors => "urn:countersign:acr:two-factors",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let known = Self::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or(InvalidText("must be `urn:countersign:acr:vouched`, `…:one-factor` or `…:two-factors`"))
    }
}
