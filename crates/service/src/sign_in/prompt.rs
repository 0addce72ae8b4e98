//! What somebody who signs in is asked.

use std::time::Duration;

use countersign_crypto::one_time_code::DIGITS;
use countersign_domain::{
    clock::Timestamp,
    message::Destination,
    sign_in::{NotNow, SentCode, SignIn, Step},
};
use serde_json::Value;

use crate::code_sign_in::destination_of;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// How do you want to prove who you are?
    SelectMethod {
        /// The ways that there are.
        methods: Vec<MethodChoice>,
        /// What to do after a mistake.
        hint: Option<Hint>,
    },
    /// Which code was sent to you?
    EnterCode {
        /// Where it went, as far as whoever asks may see.
        destination: String,
        /// How many digits it has.
        length: usize,
        /// From when on it is worthless.
        expires_at: Timestamp,
        /// When another may be asked for.
        resend_at: Timestamp,
        /// How often it may still be tried.
        tries_left: u32,
        /// What to do after a mistake.
        hint: Option<Hint>,
    },
    /// Which passkey do you have?
    ShowPasskey {
        /// What `navigator.credentials.get` takes, as `parseRequestOptionsFromJSON` reads it.
        options: Value,
        /// From when on its challenge is worthless.
        expires_at: Timestamp,
    },
}

/// A way to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodChoice {
    /// As `method` has it.
    pub id: &'static str,
    /// For people.
    pub label: &'static str,
}

/// What to do after a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Look again, and type it again.
    RetryInput,
    /// Ask for another code.
    ResendCode,
    /// The passkey won't do: ask for it again, or choose another way.
    RetryPasskey,
    /// Begin again.
    RestartFlow,
    /// Come back later.
    Wait(Duration),
}

pub(super) const EMAIL_CODE: &str = "email_code";
pub(super) const PASSKEY: &str = "passkey";

/// The ways that there are in a sign-in. The same for everybody: what somebody has set up is nobody else's business.
fn methods(sign_in: &SignIn, has_passkeys: bool) -> Vec<MethodChoice> {
    let code = sign_in.identity.is_some().then_some(MethodChoice { id: EMAIL_CODE, label: "A code by e-mail" });
    let passkey = has_passkeys.then_some(MethodChoice { id: PASSKEY, label: "A passkey" });
    code.into_iter().chain(passkey).collect()
}

impl Hint {
    /// As JSON has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryInput => "retry_input",
            Self::ResendCode => "resend_code",
            Self::RetryPasskey => "retry_passkey",
            Self::RestartFlow => "restart_flow",
            Self::Wait(_) => "wait",
        }
    }
}

impl From<NotNow> for Hint {
    fn from(reason: NotNow) -> Self {
        match reason {
            NotNow::NoCode => Self::RetryInput,
            NotNow::CodeOver => Self::ResendCode,
            NotNow::Wait(span) => Self::Wait(span),
            NotNow::Over | NotNow::TooManyCodes => Self::RestartFlow,
        }
    }
}

impl Prompt {
    /// Where a sign-in has got to, as a question.
    pub(super) fn of(sign_in: &SignIn, has_passkeys: bool, hint: Option<Hint>) -> Self {
        match sign_in.step {
            Step::Choosing | Step::Proved(_) => Self::SelectMethod { methods: methods(sign_in, has_passkeys), hint },
            Step::Sent(sent) => Self::EnterCode {
                destination: sign_in
                    .identity
                    .as_ref()
                    .and_then(destination_of)
                    .as_ref()
                    .map(Destination::masked)
                    .unwrap_or_default(),
                length: DIGITS,
                expires_at: SentCode::expires_at(&sent),
                resend_at: sent.resend_at(),
                tries_left: sent.tries_left(),
                hint,
            },
        }
    }

    /// The reason as metrics have it.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::SelectMethod { hint: None, .. } => "method_asked",
            Self::EnterCode { hint: None, .. } => "code_asked",
            Self::ShowPasskey { .. } => "passkey_asked",
            Self::SelectMethod { hint: Some(hint), .. } | Self::EnterCode { hint: Some(hint), .. } => hint.as_str(),
        }
    }
}
