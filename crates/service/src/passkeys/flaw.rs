//! What can be wrong with an authenticator's answer. For metrics, tests and the log: whoever calls hears that the passkey won't do.

use webauthn_rs::prelude::WebauthnError;

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It can't be read.
    Unreadable,
    /// It answers another kind of question.
    OtherCeremony,
    /// It answers another challenge.
    OtherChallenge,
    /// It was given to a page of another origin.
    OtherOrigin,
    /// It was given within a page of another origin.
    CrossOrigin,
    /// It is for another relying party.
    OtherRelyingParty,
    /// Nobody was there.
    UserNotPresent,
    /// The authenticator didn't make sure who was there.
    UserNotVerified,
    /// Nobody in the project has this passkey.
    UnknownCredential,
    /// It was revoked.
    Revoked,
    /// The authenticator knows the passkey as somebody else's.
    OtherUser,
    /// It isn't signed by the passkey.
    BadSignature,
    /// The authenticator has counted no further than it had before: another seems to hold the same key (WebAuthn §6.1.1).
    Cloned,
    /// The key was made to stay where it is, and now can be copied, or the other way round (WebAuthn §6.1.3).
    BackupChanged,
    /// The key isn't of a kind that was asked for.
    OtherAlgorithm,
    /// The authenticator's identifier of it is longer than any may be.
    LongCredentialId,
    /// What is said of the authenticator's make doesn't hold.
    BadAttestation,
}

impl Flaw {
    /// The name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::OtherCeremony => "other_ceremony",
            Self::OtherChallenge => "other_challenge",
            Self::OtherOrigin => "other_origin",
            Self::CrossOrigin => "cross_origin",
            Self::OtherRelyingParty => "other_relying_party",
            Self::UserNotPresent => "user_not_present",
            Self::UserNotVerified => "user_not_verified",
            Self::UnknownCredential => "unknown_credential",
            Self::Revoked => "revoked",
            Self::OtherUser => "other_user",
            Self::BadSignature => "bad_signature",
            Self::Cloned => "cloned",
            Self::BackupChanged => "backup_changed",
            Self::OtherAlgorithm => "other_algorithm",
            Self::LongCredentialId => "long_credential_id",
            Self::BadAttestation => "bad_attestation",
        }
    }
}

impl From<WebauthnError> for Flaw {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::InvalidClientDataType => Self::OtherCeremony,
            WebauthnError::MismatchedChallenge => Self::OtherChallenge,
            WebauthnError::InvalidRPOrigin => Self::OtherOrigin,
            WebauthnError::CredentialCrossOrigin => Self::CrossOrigin,
            WebauthnError::InvalidRPIDHash => Self::OtherRelyingParty,
            WebauthnError::UserNotPresent => Self::UserNotPresent,
            WebauthnError::UserNotVerified => Self::UserNotVerified,
            WebauthnError::CredentialNotFound => Self::UnknownCredential,
            WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => Self::BadSignature,
            WebauthnError::CredentialPossibleCompromise => Self::Cloned,
            WebauthnError::CredentialBackupEligibilityInconsistent | WebauthnError::CredentialMayNotBeHardwareBound => {
                Self::BackupChanged
            }
            WebauthnError::CredentialAlteredAlgFromRequest
            | WebauthnError::COSEKeyInvalidAlgorithm
            | WebauthnError::COSEKeyInvalidType
            | WebauthnError::COSEKeyEDUnsupported
            | WebauthnError::CredentialInsecureCryptography => Self::OtherAlgorithm,
            WebauthnError::AttestationNotSupported
            | WebauthnError::AttestationStatementMapInvalid
            | WebauthnError::AttestationStatementSigMissing
            | WebauthnError::AttestationStatementSigInvalid
            | WebauthnError::AttestationStatementX5CInvalid
            | WebauthnError::AttestationStatementAlgMismatch
            | WebauthnError::AttestationCertificateRequirementsNotMet
            | WebauthnError::AttestationTrustFailure => Self::BadAttestation,
            _ => Self::Unreadable,
        }
    }
}
