//! What a page says of what was done on it.

use crate::sign_in::{Hint, step::Move};

/// What went wrong, where the page alone doesn't show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// That is no e-mail address.
    NoAddress,
    /// It wasn't the code.
    WrongCode,
    /// The code, or the link, is over.
    CodeOver,
    /// Too many messages, or too many mistakes, for now.
    Wait,
    /// Too many codes in this sign-in.
    TooManyCodes,
    /// This server sends no mail.
    NoMail,
    /// The passkey won't do.
    Passkey,
    /// That is no telephone number.
    NoPhone,
    /// It wasn't a recovery code of theirs, or it was used before.
    RecoveryCode,
}

impl Mistake {
    const ALL: [Self; 9] = [
        Self::NoAddress,
        Self::WrongCode,
        Self::CodeOver,
        Self::Wait,
        Self::TooManyCodes,
        Self::NoMail,
        Self::Passkey,
        Self::NoPhone,
        Self::RecoveryCode,
    ];

    /// As the address of the page has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAddress => "address",
            Self::WrongCode => "code",
            Self::CodeOver => "over",
            Self::Wait => "wait",
            Self::TooManyCodes => "many",
            Self::NoMail => "mail",
            Self::Passkey => "passkey",
            Self::NoPhone => "phone",
            Self::RecoveryCode => "recovery",
        }
    }

    /// As metrics have it.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::WrongCode => "retry_input",
            Self::CodeOver => "resend_code",
            Self::Wait => "wait",
            Self::TooManyCodes => "restart_flow",
            Self::NoMail => "no_channel",
            Self::Passkey => "retry_passkey",
            Self::NoPhone => "no_phone",
            Self::RecoveryCode => "retry_recovery_code",
        }
    }

    /// What an address of the page says.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mistake| mistake.as_str() == text)
    }
}

impl From<Hint> for Mistake {
    fn from(hint: Hint) -> Self {
        match hint {
            Hint::RetryInput => Self::WrongCode,
            Hint::ResendCode => Self::CodeOver,
            Hint::RetryPasskey => Self::Passkey,
            Hint::RestartFlow => Self::TooManyCodes,
            Hint::Wait(_) => Self::Wait,
        }
    }
}

/// A page that shows that a code is to come needs no word of what it was waiting for.
pub(super) fn said(wanted: Move<'_>, hint: Hint) -> Option<Mistake> {
    match (wanted, hint) {
        (Move::Phone(_), Hint::RetryInput) => Some(Mistake::NoPhone),
        (Move::RecoveryCode(_), Hint::RetryInput) => Some(Mistake::RecoveryCode),
        (Move::Phone(_) | Move::RecoveryCode(_) | Move::Second(_) | Move::Resend, hint) => Some(hint.into()),
        // The code that was just sent there is still good: its page says when there will be another.
        (Move::Send(_), Hint::Wait(_) | Hint::RestartFlow)
        | (Move::Code(_) | Move::Link(_) | Move::Passkey(_) | Move::AskPasskey, _) => Some(hint.into()),
        _ => None,
    }
}
