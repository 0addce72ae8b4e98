//! What users are found by.

use std::{fmt, str::FromStr};

use crate::{
    clock::Timestamp,
    id::UserId,
    text::{EmailAddress, ExternalId, InvalidText, PhoneNumber},
};

/// One thing that names a user. Within a project each names at most one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// An e-mail address.
    Email(EmailAddress),
    /// A telephone number.
    Phone(PhoneNumber),
    /// The customer's own identifier.
    ExternalId(ExternalId),
}

/// The kinds of identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The customer's own identifier.
    ExternalId,
}

impl IdentityKind {
    /// The name in the database, in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::ExternalId => "external_id",
        }
    }
}

impl fmt::Display for IdentityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IdentityKind {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        match text {
            "email" => Ok(Self::Email),
            "phone" => Ok(Self::Phone),
            "external_id" => Ok(Self::ExternalId),
            _ => Err(InvalidText("must be `email`, `phone` or `external_id`")),
        }
    }
}

impl Identity {
    /// Reads a value of a kind.
    pub fn parse(kind: IdentityKind, value: &str) -> Result<Self, InvalidText> {
        Ok(match kind {
            IdentityKind::Email => Self::Email(value.parse()?),
            IdentityKind::Phone => Self::Phone(value.parse()?),
            IdentityKind::ExternalId => Self::ExternalId(value.parse()?),
        })
    }

    /// Its kind.
    pub const fn kind(&self) -> IdentityKind {
        match self {
            Self::Email(_) => IdentityKind::Email,
            Self::Phone(_) => IdentityKind::Phone,
            Self::ExternalId(_) => IdentityKind::ExternalId,
        }
    }

    /// Its value as text.
    pub fn value(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Phone(number) => number.as_str(),
            Self::ExternalId(id) => id.as_str(),
        }
    }
}

/// Who said that an identity is this user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentitySource {
    /// A backend that vouched.
    Vouch,
    /// An operator of the project.
    Operator,
    /// The user, who proved it to us.
    Proof,
    /// An app that showed no proof.
    Claim,
}

impl IdentitySource {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vouch => "vouch",
            Self::Operator => "operator",
            Self::Proof => "proof",
            Self::Claim => "claim",
        }
    }
}

impl FromStr for IdentitySource {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        match text {
            "vouch" => Ok(Self::Vouch),
            "operator" => Ok(Self::Operator),
            "proof" => Ok(Self::Proof),
            "claim" => Ok(Self::Claim),
            _ => Err(InvalidText("must be `vouch`, `operator`, `proof` or `claim`")),
        }
    }
}

/// An identity that a user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRecord {
    /// What names the user.
    pub identity: Identity,
    /// The user it names.
    pub user: UserId,
    /// Who said so.
    pub source: IdentitySource,
    /// Since when it counts as proved.
    pub verified_at: Option<Timestamp>,
    /// Since when the user has it.
    pub created_at: Timestamp,
}

impl IdentityRecord {
    /// Was it proved to us, or set by an operator as proved? What a backend merely said doesn't count.
    pub fn is_proved_here(&self) -> bool {
        self.verified_at.is_some() && matches!(self.source, IdentitySource::Operator | IdentitySource::Proof)
    }
}
