//! Why a delegated call isn't taken.

use countersign_crypto::delegation::{
    envelope::CannotOpen,
    signature::{BadHeader, NotTaken},
};

use crate::{error::Outage, limits::TooMany};

/// Why nobody was proved to have called. What is said of it isn't sealed: nobody knows to whom.
#[derive(Debug, thiserror::Error)]
pub enum NotDelegated {
    /// A header is missing, or isn't what it should be.
    #[error(transparent)]
    Header(BadHeader),
    /// It is sealed in another way than ours.
    #[error("`X-Enc-Alg` is not `x25519-aesgcm`")]
    Suite,
    /// There is no such project, client or key, or they don't belong together, or it is over.
    #[error("no service provider of that name")]
    Unknown,
    /// Neither client nor key are named, and the project has too many keys to try.
    #[error("the call doesn't say whose it is")]
    NotNamed,
    /// It was signed at another time.
    #[error("the call was signed at another time: compare the clocks")]
    Stale,
    /// None of the keys made the signature, or the body is another.
    #[error("none of the keys signed this")]
    NotSigned,
    /// Too many failed calls of this network.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// What is wrong with a call that is signed as it should be.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// It isn't sealed as it should be, or not to us.
    #[error(transparent)]
    Envelope(#[from] CannotOpen),
    /// The key was used too often.
    #[error("the key is over its limit")]
    TooMany(TooMany),
    /// It was made before, here or at another address.
    #[error("the envelope was used before")]
    Replayed,
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl From<BadHeader> for NotDelegated {
    fn from(problem: BadHeader) -> Self {
        match problem {
            BadHeader::EncAlg => Self::Suite,
            problem => Self::Header(problem),
        }
    }
}

impl From<NotTaken> for NotDelegated {
    fn from(refused: NotTaken) -> Self {
        match refused {
            NotTaken::Stale => Self::Stale,
            NotTaken::NotSigned => Self::NotSigned,
        }
    }
}

impl NotDelegated {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Header(BadHeader::EncAlg) | Self::Suite => "enc_alg",
            Self::Header(BadHeader::Timestamp) => "timestamp",
            Self::Header(BadHeader::SignatureAlg) => "signature_alg",
            Self::Header(BadHeader::Signature) => "signature",
            Self::Unknown => "unknown",
            Self::NotNamed => "not_named",
            Self::Stale => "stale",
            Self::NotSigned => "not_signed",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}

impl NotOpened {
    /// The reason as metrics and the audit trail have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Envelope(CannotOpen::NotAnEnvelope) => "not_an_envelope",
            Self::Envelope(CannotOpen::Suite) => "suite",
            Self::Envelope(CannotOpen::EphemeralKey) => "ephemeral_key",
            Self::Envelope(CannotOpen::Nonce) => "nonce",
            Self::Envelope(CannotOpen::Ciphertext) => "ciphertext",
            Self::Envelope(CannotOpen::Refused) => "not_for_us",
            Self::TooMany(_) => "too_many",
            Self::Replayed => "replayed",
            Self::Outage(_) => "outage",
        }
    }
}
