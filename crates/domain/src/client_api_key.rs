//! Keys of the client API: one that names the project, and one under which a backend proves users.

use std::{fmt, str::FromStr};

use crate::{
    clock::Timestamp,
    id::{KeyId, ProjectId},
    text::{InvalidText, Name},
};

/// The kinds of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientApiKeyKind {
    /// Names the project; anybody may read it in the app.
    Publishable,
    /// A backend proves users under it.
    Hmac,
}

impl ClientApiKeyKind {
    /// The name in the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Hmac => "hmac",
        }
    }
}

impl fmt::Display for ClientApiKeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ClientApiKeyKind {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        match text {
            "publishable" => Ok(Self::Publishable),
            "hmac" => Ok(Self::Hmac),
            _ => Err(InvalidText("must be `publishable` or `hmac`")),
        }
    }
}

/// What is known of such a key, but for the key itself.
#[derive(Debug, Clone)]
pub struct ClientApiKey {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its name in logs and in the audit trail.
    pub id: KeyId,
    /// What it is for.
    pub kind: ClientApiKeyKind,
    /// For people.
    pub name: Name,
    /// The first characters, by which its holder can tell which one it is.
    pub prefix: String,
    /// How often what was proved under it has been revoked.
    pub generation: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// Since when it no longer works, because somebody said so.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// The key that took its place at a rotation.
    pub replaced_by: Option<KeyId>,
}

impl ClientApiKey {
    /// Does it work now?
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.expires_at.is_some_and(|end| end.is_past(now))
    }
}
