//! What somebody who signs in is asked.

use std::time::Duration;

use countersign_crypto::{one_time_code::DIGITS, secret::SecretText};
use countersign_domain::{
    clock::Timestamp,
    identity::Identity,
    message::Destination,
    mfa::FactorKind,
    sign_in::{Asked, NotNow, Second, SentCode, SignIn, Step},
};
use serde_json::Value;

use crate::{Service, browser::shown_name, code_sign_in::destination_of, directory::ProjectView};

/// A question.
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
        /// What else would do.
        others: Vec<MethodChoice>,
        /// What to do after a mistake.
        hint: Option<Hint>,
    },
    /// What does the authenticator app show?
    EnterTotp {
        /// How many digits that has.
        length: usize,
        /// How often something may still be shown.
        tries_left: u32,
        /// What else would do.
        others: Vec<MethodChoice>,
        /// What to do after a mistake.
        hint: Option<Hint>,
    },
    /// What does an authenticator app show that was given this?
    SetUpTotp {
        /// To be typed into the app.
        secret: SecretText,
        /// The same as the app reads it off a QR code.
        otpauth_uri: SecretText,
        /// How often something may still be shown.
        tries_left: u32,
        /// What else could be set up.
        others: Vec<MethodChoice>,
        /// What to do after a mistake.
        hint: Option<Hint>,
    },
    /// Which telephone is to get codes?
    SetUpSms {
        /// What else could be set up.
        others: Vec<MethodChoice>,
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
pub(super) const TOTP: &str = "totp";
pub(super) const SMS_CODE: &str = "sms_code";
pub(super) const RECOVERY_CODE: &str = "recovery_code";

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

/// What may be chosen as a second factor, or to be set up as one.
pub(crate) fn second_methods(second: &Second) -> Vec<MethodChoice> {
    if second.is_set_up() {
        return vec![
            MethodChoice { id: TOTP, label: "Set up an authenticator app" },
            MethodChoice { id: SMS_CODE, label: "Set up codes by text message" },
        ];
    }
    let choice = |kind: &FactorKind| match kind {
        FactorKind::Totp => MethodChoice { id: TOTP, label: "An authenticator app" },
        FactorKind::Sms => MethodChoice { id: SMS_CODE, label: "A code by text message" },
        FactorKind::Email => MethodChoice { id: EMAIL_CODE, label: "A code by e-mail" },
    };
    let recovery = second.has_recovery_codes.then_some(MethodChoice { id: RECOVERY_CODE, label: "A recovery code" });
    second.choices.iter().map(choice).chain(recovery).collect()
}

/// The same without what is asked just now.
pub(crate) fn other_methods(second: &Second) -> Vec<MethodChoice> {
    let asked = match &second.asked {
        Asked::Which => None,
        Asked::Totp | Asked::NewTotp { .. } => Some(TOTP),
        Asked::Sent { kind: FactorKind::Email, .. } => Some(EMAIL_CODE),
        Asked::Sent { .. } | Asked::WhichPhone | Asked::NewPhone { .. } => Some(SMS_CODE),
    };
    second_methods(second).into_iter().filter(|method| Some(method.id) != asked).collect()
}

fn masked(to: Option<&Identity>) -> String {
    to.and_then(destination_of).as_ref().map(Destination::masked).unwrap_or_default()
}

fn enter_code(sent: &SentCode, to: Option<&Identity>, tries_left: u32, hint: Option<Hint>) -> Prompt {
    Prompt::EnterCode {
        destination: masked(to),
        length: DIGITS,
        expires_at: sent.expires_at(),
        resend_at: sent.resend_at(),
        tries_left,
        others: Vec::new(),
        hint,
    }
}

impl Service {
    /// Where a sign-in has got to, as a question.
    pub(super) fn prompt(&self, project: &ProjectView, sign_in: &SignIn, hint: Option<Hint>) -> Prompt {
        match &sign_in.step {
            Step::Choosing | Step::Proved(_) => {
                Prompt::SelectMethod { methods: methods(sign_in, self.has_passkeys(project)), hint }
            }
            Step::Sent(sent) => enter_code(sent, sign_in.identity.as_ref(), sent.tries_left(), hint),
            Step::Second(second) => self.second_prompt(project, sign_in, second, hint),
        }
    }

    fn second_prompt(&self, project: &ProjectView, sign_in: &SignIn, second: &Second, hint: Option<Hint>) -> Prompt {
        let (others, tries_left) = (other_methods(second), second.tries_left());
        match &second.asked {
            Asked::Which => Prompt::SelectMethod { methods: second_methods(second), hint },
            Asked::Totp => Prompt::EnterTotp { length: DIGITS, tries_left, others, hint },
            Asked::Sent { to, code, .. } | Asked::NewPhone { to, code } => {
                match enter_code(code, Some(to), tries_left, hint) {
                    Prompt::EnterCode { destination, length, expires_at, resend_at, .. } => {
                        Prompt::EnterCode { destination, length, expires_at, resend_at, tries_left, others, hint }
                    }
                    other => other,
                }
            }
            Asked::NewTotp { sealed_seed } => {
                match self.new_totp(project, sign_in, sealed_seed) {
                    Some(NewTotp { secret, otpauth_uri }) => {
                        Prompt::SetUpTotp { secret, otpauth_uri, tries_left, others, hint }
                    }
                    // Sealed under another master key meanwhile.
                    None => Prompt::SelectMethod { methods: second_methods(second), hint },
                }
            }
            Asked::WhichPhone => Prompt::SetUpSms { others, hint },
        }
    }

    /// What goes into an app that is being set up.
    pub(crate) fn new_totp(&self, project: &ProjectView, sign_in: &SignIn, sealed: &str) -> Option<NewTotp> {
        let seed = self.pending_seed(&sign_in.project, sign_in.id, sealed)?;
        let account = sign_in.identity.as_ref().map(Identity::value).unwrap_or_default();
        Some(NewTotp { secret: seed.to_text(), otpauth_uri: seed.uri(&shown_name(project), account) })
    }
}

/// What goes into an authenticator app.
pub(crate) struct NewTotp {
    pub(crate) secret: SecretText,
    pub(crate) otpauth_uri: SecretText,
}

impl Prompt {
    /// The reason as metrics have it.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::ShowPasskey { .. } => "passkey_asked",
            Self::SelectMethod { hint: Some(hint), .. }
            | Self::EnterCode { hint: Some(hint), .. }
            | Self::EnterTotp { hint: Some(hint), .. }
            | Self::SetUpTotp { hint: Some(hint), .. }
            | Self::SetUpSms { hint: Some(hint), .. } => hint.as_str(),
            Self::SelectMethod { hint: None, .. } => "method_asked",
            Self::EnterCode { hint: None, .. } => "code_asked",
            Self::EnterTotp { hint: None, .. } => "totp_asked",
            Self::SetUpTotp { hint: None, .. } | Self::SetUpSms { hint: None, .. } => "set_up_asked",
        }
    }
}
