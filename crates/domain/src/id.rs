//! Identifiers. Each noun has a type and a prefix of its own, so that none can be passed for another, in code or by a caller.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use ulid::Ulid;

use crate::clock::Timestamp;

/// A text that is no identifier of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {noun}")]
pub struct InvalidId {
    /// What was expected.
    pub noun: &'static str,
}

macro_rules! ulid_id {
    ($(#[doc = $doc:literal])+ $name:ident, $prefix:literal, $noun:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier: 48 bits of time, so that rows lie in order of their making, and 80 random bits.
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                let mut bytes = [0_u8; 16];
                bytes[6..].copy_from_slice(&random);
                let millis = u64::try_from(at.millis()).unwrap_or(0);
                Self(Ulid::from_parts(millis, u128::from_be_bytes(bytes)))
            }

            /// From its 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid(u128::from_be_bytes(bytes)))
            }

            /// Its 16 bytes.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.0.to_be_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                f.write_str($prefix)?;
                f.write_str(self.0.array_to_str(&mut buffer))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Only the canonical spelling is taken: two spellings of one identifier would be two cache keys, two log lines, two limits.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { noun: $noun };
                let encoded = text.strip_prefix($prefix).ok_or(invalid)?;
                let id = Self(Ulid::from_string(encoded).map_err(|_| invalid)?);
                let mut buffer = [0; ulid::ULID_LEN];
                if id.0.array_to_str(&mut buffer) == encoded { Ok(id) } else { Err(invalid) }
            }
        }
    };
}

ulid_id!(
    /// A user of a project.
    UserId, "u_", "user id"
);
ulid_id!(
    /// A session: one sign-in of one user in one client.
    SessionId, "ses_", "session id"
);
ulid_id!(
    /// A key that authenticates a caller of the project: its name, never the secret.
    KeyId, "key_", "key id"
);
ulid_id!(
    /// A signing key; the `kid` of what it signs.
    SigningKeyId, "sig_", "signing key id"
);
ulid_id!(
    /// A code that was sent to somebody.
    ChallengeId, "chl_", "challenge id"
);
ulid_id!(
    /// A sign-in that is under way.
    SignInId, "sin_", "sign-in id"
);
ulid_id!(
    /// A step-up: a change of a user's that a backend asked for, and the user is to prove.
    StepUpId, "stp_", "step-up id"
);
ulid_id!(
    /// A browser in which somebody is signed in.
    BrowserSessionId, "bro_", "browser session id"
);
ulid_id!(
    /// A passkey of a user.
    PasskeyId, "pas_", "passkey id"
);
ulid_id!(
    /// A code that lets somebody sign up.
    ActivationCodeId, "act_", "activation code id"
);
ulid_id!(
    /// An entry of the audit trail.
    AuditId, "evt_", "audit entry id"
);
ulid_id!(
    /// A message to a user, on its way by mail or telephone. The same at every attempt, so that who gets it twice can tell.
    MessageId, "msg_", "message id"
);

impl MessageId {
    /// Of the one message that tells a code: it bears the number of what the code is bound to, so that whoever knows the one can withdraw the
    /// other.
    pub const fn that_tells(challenge: ChallengeId) -> Self {
        Self(challenge.0)
    }
}

macro_rules! slug_id {
    ($(#[doc = $doc:literal])+ $name:ident, $noun:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// So that a map of these can be asked by a text that nobody has looked at yet.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(InvalidId { noun: $noun }) }
            }
        }
    };
}

slug_id!(
    /// A project: an island with its own issuer, keys, clients and users.
    ProjectId, "project id: lower-case letters, digits, `-` and `_`, at most 63, a letter or digit first"
);
slug_id!(
    /// A client of a project, named by its operator (`c1`).
    ClientId, "client id: lower-case letters, digits, `-` and `_`, at most 63, a letter or digit first"
);

/// Names that stand in paths and in MAC inputs: no dot, no slash, nothing that has two spellings.
fn is_slug(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let first = text.as_bytes().first().copied();
    text.len() <= 63 && text.bytes().all(inner) && first.is_some_and(|b| b.is_ascii_alphanumeric())
}

/// Numbers the keys under which a project's refresh tokens are authenticated. In the token and in the session's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacKeyId(pub u32);

impl fmt::Display for MacKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mac_{}", self.0)
    }
}

impl FromStr for MacKeyId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { noun: "MAC key id" };
        let id = Self(text.strip_prefix("mac_").and_then(|number| number.parse().ok()).ok_or(invalid)?);
        if id.to_string() == text { Ok(id) } else { Err(invalid) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_as_it_was_written() {
        let id = UserId::new(Timestamp::from_seconds(1_700_000_000), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(UserId::from_bytes(id.to_bytes()), id);
        assert!(id.to_string().starts_with("u_01"));
    }

    #[test]
    fn another_nouns_identifier_is_refused() {
        let user = UserId::new(Timestamp::EPOCH, [1; 10]).to_string();
        assert!(user.parse::<SessionId>().is_err());
    }

    #[test]
    fn a_second_spelling_of_an_identifier_is_refused() {
        let canonical = UserId::new(Timestamp::from_seconds(1_700_000_000), [0xAB; 10]).to_string();
        let lower = format!("u_{}", canonical[2..].to_lowercase());
        assert!(lower.parse::<UserId>().is_err());
        assert!(format!("{canonical} ").parse::<UserId>().is_err());
        // 26 base-32 digits hold 130 bits: the two that don't fit must not be dropped silently.
        assert!("u_80000000000000000000000000".parse::<UserId>().is_err());
    }

    #[test]
    fn later_identifiers_sort_later() {
        let early = UserId::new(Timestamp::from_seconds(1), [0xFF; 10]).to_string();
        let late = UserId::new(Timestamp::from_seconds(2), [0; 10]).to_string();
        assert!(early < late);
    }

    #[test]
    fn slugs_have_one_spelling_and_no_dots() {
        assert!("p1".parse::<ProjectId>().is_ok());
        assert!("acme-mobile_2".parse::<ClientId>().is_ok());
        for bad in ["", "P1", "a.b", "a/b", "-a", "_a", "é", "a b", &"a".repeat(64)] {
            assert!(bad.parse::<ProjectId>().is_err(), "{bad:?} was taken");
        }
    }
}
