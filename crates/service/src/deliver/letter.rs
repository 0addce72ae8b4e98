//! What a message says.

use std::time::Duration;

use countersign_crypto::secret::SecretText;
use countersign_domain::{mfa::FactorKind, text::Name};

/// What a message says, before it is put into words. No `Debug`: codes and links let people in.
pub enum Letter {
    /// The code with which somebody signs in, and a link that does the same.
    SignInCode {
        /// To be typed.
        code: SecretText,
        /// To be opened instead.
        link: Option<String>,
        /// For how long both are good. The message isn't sent any more once that is over.
        valid_for: Duration,
    },
    /// The code with which somebody opens an account.
    SignUpCode {
        /// To be typed.
        code: SecretText,
        /// To be opened instead.
        link: Option<String>,
        /// For how long both are good.
        valid_for: Duration,
    },
    /// Somebody asked for a code, and there is no account, nor can there be one.
    NoAccount,
    /// The reader has gained a passkey.
    PasskeyAdded {
        /// What it is called; empty: nothing.
        name: Name,
    },
    /// The reader has lost a passkey.
    PasskeyRemoved {
        /// What it was called.
        name: Name,
    },
    /// The code with which somebody proves an address, or a number, that they want to be known by.
    ContactCode {
        /// To be typed.
        code: SecretText,
        /// For how long it is good.
        valid_for: Duration,
    },
    /// The code with which the reader shows that a second factor that is to be is the reader's.
    FactorCode {
        /// To be typed.
        code: SecretText,
        /// For how long it is good.
        valid_for: Duration,
    },
    /// Something happened to the reader's account.
    Account(AccountNews),
    /// Something else of the reader's account has changed.
    Changed(AccountChange),
    /// Whether messages arrive at all.
    Test,
}

/// What happened to an account.
pub enum AccountNews {
    /// A passkey signs nobody in any more, and what it had opened was ended.
    DeviceRevoked {
        /// What the passkey is called; empty: nothing.
        name: Name,
    },
    /// A passkey that was revoked signs in again.
    DeviceRestored {
        /// What the passkey is called; empty: nothing.
        name: Name,
    },
    /// It is known by another address, or number.
    ContactChanged {
        /// Which, as far as the reader of the old one may know.
        to: String,
    },
    /// It is no more.
    Deleted,
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountChange {
    /// There is a second factor.
    FactorAdded(FactorKind),
    /// A second factor is gone.
    FactorRemoved(FactorKind),
    /// There are new recovery codes, and the old ones are worthless.
    RecoveryCodesMade,
    /// Somebody came in by a recovery code.
    RecoveryCodeUsed,
    /// There is another telephone number.
    PhoneChanged,
    /// A second factor is asked for at other times.
    PreferenceChanged,
}

/// How long it is tried to send what has no end of its own.
const PATIENCE: Duration = Duration::from_hours(1);
/// How long it is tried to warn somebody.
const PATIENCE_OF_WARNINGS: Duration = Duration::from_hours(24);

impl Letter {
    /// The one that brings somebody a code. Who has no account, and can't open one, gets to read that, and no code.
    pub(crate) fn with_code(
        code: SecretText,
        link: Option<String>,
        is_known: bool,
        may_sign_up: bool,
        valid_for: Duration,
    ) -> Self {
        match (is_known, may_sign_up) {
            (true, _) => Self::SignInCode { code, link, valid_for },
            (false, true) => Self::SignUpCode { code, link, valid_for },
            (false, false) => Self::NoAccount,
        }
    }

    /// For how long it is of use.
    pub fn valid_for(&self) -> Duration {
        match self {
            Self::SignInCode { valid_for, .. }
            | Self::SignUpCode { valid_for, .. }
            | Self::FactorCode { valid_for, .. }
            | Self::ContactCode { valid_for, .. } => *valid_for,
            Self::NoAccount | Self::Test => PATIENCE,
            Self::PasskeyAdded { .. } | Self::PasskeyRemoved { .. } | Self::Account(_) | Self::Changed(_) => {
                PATIENCE_OF_WARNINGS
            }
        }
    }

    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::SignInCode { code, .. }
            | Self::SignUpCode { code, .. }
            | Self::FactorCode { code, .. }
            | Self::ContactCode { code, .. } => Some(code.danger_expose()),
            _ => None,
        }
    }

    pub(super) fn link(&self) -> Option<&str> {
        match self {
            Self::SignInCode { link, .. } | Self::SignUpCode { link, .. } => link.as_deref(),
            _ => None,
        }
    }
}
