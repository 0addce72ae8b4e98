//! Clients: the apps and services that act in a project.

use std::{fmt, str::FromStr};

use crate::{
    clock::Timestamp,
    id::{ClientId, ProjectId},
    policy::Overrides,
    text::{InvalidText, Name},
};

/// An app or service of a project.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where the client lives.
    pub project: ProjectId,
    /// Unique within the project.
    pub id: ClientId,
    /// For people.
    pub name: Name,
    /// What runs it.
    pub kind: ClientKind,
    /// Settings in which it differs from its project.
    pub overrides: Overrides,
    /// How often all sessions of this client have been revoked.
    pub generation: u32,
    /// When the client was created.
    pub created_at: Timestamp,
    /// When the client last changed.
    pub updated_at: Timestamp,
    /// Since when it gets no credentials.
    pub disabled_at: Option<Timestamp>,
}

/// What runs a client, which says whether it can keep a secret (RFC 6749 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// An app on iOS.
    Ios,
    /// An app on Android.
    Android,
    /// Pages in a browser.
    Web,
    /// A server of the customer's.
    Backend,
}

impl ClientKind {
    /// The name in the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Web => "web",
            Self::Backend => "backend",
        }
    }

    /// Can it keep a secret from its users?
    pub const fn is_confidential(self) -> bool {
        matches!(self, Self::Backend)
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ClientKind {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        match text {
            "ios" => Ok(Self::Ios),
            "android" => Ok(Self::Android),
            "web" => Ok(Self::Web),
            "backend" => Ok(Self::Backend),
            _ => Err(InvalidText("must be `ios`, `android`, `web` or `backend`")),
        }
    }
}
