//! Sessions: one sign-in of one user in one client, and how it ends.

use std::str::FromStr;

use crate::{
    clock::Timestamp,
    generations::Generations,
    id::{ClientId, KeyId, ProjectId, SessionId, UserId},
    proof::Proof,
    refresh::Rotation,
    text::{DeviceId, InvalidText},
    thumbprint::Thumbprint,
};

/// A session as its row holds it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Where the session lives.
    pub project: ProjectId,
    /// Its identifier, the `sid` of its tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The client it was opened for; no other can refresh it.
    pub client: ClientId,
    /// The key that vouched for the user.
    pub vouched_by: Option<KeyId>,
    /// The installation it belongs to, where the vouch named one.
    pub device: Option<DeviceId>,
    /// The key of the client's without which its tokens are worthless (RFC 9449); none: whoever holds them may use them.
    pub dpop_jkt: Option<Thumbprint>,
    /// How the user was proven.
    pub proof: Proof,
    /// Granted scopes, separated by spaces (RFC 6749 §3.3).
    pub scope: String,
    /// The revocation counters of the moment it was opened.
    pub generations: Generations,
    /// Where its refresh token stands.
    pub rotation: Rotation,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends if it isn't refreshed before.
    pub idle_expires_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When the last access token that was issued in it expires. Until then a revocation must be remembered.
    pub access_expires_at: Timestamp,
    /// When and why it ended.
    pub ended: Option<Ended>,
}

/// The end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The app signed out.
    SignedOut,
    /// An operator, or the user, ended it.
    Revoked,
    /// The user has more sessions in this client than `session.cap` allows, and this was the oldest.
    Cap,
    /// The same installation was vouched for again.
    Replaced,
    /// Its refresh token was used by somebody else.
    Theft,
    /// An earlier refresh token came back later than `refresh.retry`.
    StaleToken,
    /// The code that had opened it was used again.
    CodeReplay,
}

impl EndReason {
    const ALL: [Self; 7] =
        [Self::SignedOut, Self::Revoked, Self::Cap, Self::Replaced, Self::Theft, Self::StaleToken, Self::CodeReplay];

    /// The name in the database, in logs and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::Cap => "cap",
            Self::Replaced => "replaced",
            Self::Theft => "theft",
            Self::StaleToken => "stale_token",
            Self::CodeReplay => "code_replay",
        }
    }
}

impl FromStr for EndReason {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or(InvalidText("must be a reason to end a session"))
    }
}

/// What stands against a session at a given moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It was ended.
    Ended(EndReason),
    /// Its absolute end has come.
    Expired,
    /// It was not refreshed for too long.
    Idle,
}

impl Session {
    /// Is it over at this moment? Revocation counters are compared elsewhere: their current values don't stand in this row.
    pub fn over(&self, now: Timestamp) -> Option<Over> {
        if let Some(ended) = self.ended {
            Some(Over::Ended(ended.reason))
        } else if self.expires_at.is_past(now) {
            Some(Over::Expired)
        } else if self.idle_expires_at.is_past(now) {
            Some(Over::Idle)
        } else {
            None
        }
    }
}
