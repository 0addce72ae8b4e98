//! What a backend changes of a user.

use countersign_domain::{mfa::Preference, text::PhoneNumber};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    delegation::mfa_change::phone,
    object::{BodyError, Object},
};

/// A user's telephone number, as it was read.
#[derive(Debug)]
pub struct SetPhone {
    /// Whose: an e-mail address, a uid, or the customer's own id.
    pub userid: String,
    /// Which.
    pub phone: PhoneNumber,
}

impl SetPhone {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        Ok(Self { userid: body.text("userid")?.to_owned(), phone: phone(&body, "phone")? })
    }
}

/// A telephone number for a user.
#[derive(ToSchema)]
#[schema(as = SetPhone, example = json!({"userid": "alice@example.com", "phone": "+15551234567"}))]
pub struct SetPhoneSchema {
    /// An e-mail address, a uid, or the customer's own id.
    pub userid: String,
    /// As E.164 writes it.
    pub phone: String,
}

/// When a user is asked for a second factor, as it was read.
#[derive(Debug)]
pub struct MfaEnforcement {
    /// Whose: an e-mail address, a uid, or the customer's own id.
    pub userid: String,
    /// What it is to be; none: it is only asked for.
    pub wanted: Option<Preference>,
}

impl MfaEnforcement {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        let wanted = match body.optional_text("mfa_enforcement")? {
            None => None,
            Some(text) => {
                let known = Preference::ALL.into_iter().find(|it| enforcement(*it) == text);
                let problem = || body.error("mfa_enforcement", "must be `always_on`, `risk_based` or `off`");
                Some(known.ok_or_else(problem)?)
            }
        };
        Ok(Self { userid: body.text("userid")?.to_owned(), wanted })
    }
}

/// What a user's wish is called here.
pub const fn enforcement(preference: Preference) -> &'static str {
    match preference {
        Preference::Always => "always_on",
        Preference::RiskOnly => "risk_based",
        Preference::None => "off",
    }
}

/// When a user is asked for a second factor.
#[derive(ToSchema)]
#[schema(as = MfaEnforcementRequest, example = json!({"userid": "alice@example.com", "mfa_enforcement": "always_on"}))]
pub struct MfaEnforcementSchema {
    /// An e-mail address, a uid, or the customer's own id.
    pub userid: String,
    /// `always_on`, `risk_based` or `off`; left out, it is only asked for.
    pub mfa_enforcement: Option<String>,
}

/// When a user is asked for a second factor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MfaEnforcement, example = json!({"mfa_enforcement": "always_on"}))]
pub struct MfaEnforcementBody {
    /// `always_on`, `risk_based` or `off`; `null`: nobody ever said, and the project's policy decides.
    #[schema(value_type = Option<String>)]
    pub mfa_enforcement: Option<&'static str>,
}

/// It is done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ManagementDone, example = json!({"ok": true}))]
pub struct DoneBody {
    /// `true`.
    pub ok: bool,
}

impl DoneBody {
    /// It is done.
    pub const DONE: Self = Self { ok: true };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_and_what_is_set_is_one_of_three() {
        let read = MfaEnforcement::parse(br#"{"userid": "ada@example.com"}"#).unwrap();
        assert_eq!((read.userid.as_str(), read.wanted), ("ada@example.com", None));
        for preference in Preference::ALL {
            let body = format!(r#"{{"userid": "ada", "mfa_enforcement": "{}"}}"#, enforcement(preference));
            assert_eq!(MfaEnforcement::parse(body.as_bytes()).unwrap().wanted, Some(preference));
        }
        let wrong = MfaEnforcement::parse(br#"{"userid": "ada", "mfa_enforcement": "always"}"#).unwrap_err();
        assert_eq!(wrong.to_string(), "`mfa_enforcement` must be `always_on`, `risk_based` or `off`");
    }

    #[test]
    fn a_telephone_number_is_one_and_somebodys() {
        let read = SetPhone::parse(br#"{"userid": "ada@example.com", "phone": "+15551234567", "more": 1}"#).unwrap();
        assert_eq!((read.userid.as_str(), read.phone.as_str()), ("ada@example.com", "+15551234567"));
        for (body, problem) in [
            (r#"{"phone": "+15551234567"}"#, "`userid` is missing"),
            (r#"{"userid": "ada@example.com"}"#, "`phone` is missing"),
            (r#"{"userid": 1, "phone": "+15551234567"}"#, "`userid` must be a string"),
        ] {
            assert_eq!(SetPhone::parse(body.as_bytes()).unwrap_err().to_string(), problem);
        }
        assert!(SetPhone::parse(br#"{"userid": "ada@example.com", "phone": "5551234567"}"#).is_err());
    }
}
