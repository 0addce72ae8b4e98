//! `POST /v1/management/stepup/…`: a backend asks for a change that its user proves, and has it done.

use countersign_domain::{step_up::Purpose, text::PhoneNumber};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    delegation::mfa_change::phone,
    object::{BodyError, Object},
};

/// The two that there are in bodies.
const CHANGE_MFA_METHOD: &str = "change_mfa_method";
const CHANGE_PHONE_NUMBER: &str = "change_phone_number";

/// What is asked for, as it was read.
#[derive(Debug)]
pub struct StartStepUp {
    /// Whose: an e-mail address, a uid, or the customer's own id.
    pub userid: String,
    /// What for.
    pub purpose: Purpose,
    /// The second factor.
    pub new_mfa_method: Option<String>,
    /// The telephone number.
    pub new_phone_number: Option<PhoneNumber>,
}

impl StartStepUp {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        let purpose: Purpose = body.parsed("purpose")?;
        let (new_mfa_method, new_phone_number) = match purpose.as_str() {
            CHANGE_MFA_METHOD => {
                let number = body.names("new_phone_number").then(|| phone(&body, "new_phone_number")).transpose()?;
                (Some(body.text("new_mfa_method")?.to_owned()), number)
            }
            CHANGE_PHONE_NUMBER => (None, Some(phone(&body, "new_phone_number")?)),
            _ => return Err(body.error("purpose", "must be `change_mfa_method` or `change_phone_number`")),
        };
        Ok(Self { userid: body.text("subject_userid")?.to_owned(), purpose, new_mfa_method, new_phone_number })
    }
}

/// The receipt, as it was read.
pub fn parse_receipt(body: &[u8]) -> Result<String, BodyError> {
    Ok(Object::parse(body)?.text("step_up_receipt")?.to_owned())
}

/// What is asked for.
#[derive(ToSchema)]
#[schema(as = StartStepUp, example = json!({
    "subject_userid": "alice@example.com", "purpose": "change_phone_number", "new_phone_number": "+15551234567"
}))]
pub struct StartStepUpSchema {
    /// Whose: an e-mail address, a uid, or the customer's own id.
    pub subject_userid: String,
    /// `change_mfa_method` or `change_phone_number`.
    pub purpose: String,
    /// With the first: `sms_otp`, `email_otp` or `totp`.
    pub new_mfa_method: Option<String>,
    /// With the second, and with `sms_otp` where codes are to go to another number than the user has.
    pub new_phone_number: Option<String>,
}

/// The user may begin.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StartedStepUp, example = json!({"start_token": "eyJhbGciOiJFUzI1NiIs…", "expires_in": 60}))]
pub struct StartedStepUpBody {
    /// For the user's app, which begins with it, once.
    pub start_token: String,
    /// For how many seconds.
    pub expires_in: u64,
}

/// What the user's app got when the user had passed.
#[derive(ToSchema)]
#[schema(as = ConsumeStepUp, example = json!({"step_up_receipt": "eyJhbGciOiJFUzI1NiIs…"}))]
pub struct ConsumeStepUpSchema {
    /// The receipt.
    pub step_up_receipt: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_comes_with_what_it_needs() {
        let read = |body: &str| StartStepUp::parse(body.as_bytes()).map_err(|problem| problem.to_string());
        let read_ok = |body: &str| read(body).unwrap();
        let totp = read_ok(r#"{"subject_userid": "a", "purpose": "change_mfa_method", "new_mfa_method": "totp"}"#);
        assert_eq!((totp.new_mfa_method.as_deref(), totp.new_phone_number), (Some("totp"), None));
        let phone = read_ok(
            r#"{"subject_userid": "a", "purpose": "change_phone_number", "new_phone_number": "+15551234567", "new_mfa_method": "totp"}"#,
        );
        assert_eq!((phone.new_mfa_method, phone.new_phone_number.unwrap().as_str()), (None, "+15551234567"));
        for (body, problem) in [
            (r#"{"subject_userid": "a"}"#, "`purpose` is missing"),
            (r#"{"subject_userid": "a", "purpose": "change_mfa_method"}"#, "`new_mfa_method` is missing"),
            (r#"{"subject_userid": "a", "purpose": "change_phone_number"}"#, "`new_phone_number` is missing"),
            (
                r#"{"subject_userid": "a", "purpose": "device_revoke"}"#,
                "`purpose` must be `change_mfa_method` or `change_phone_number`",
            ),
            (r#"{"purpose": "change_mfa_method", "new_mfa_method": "totp"}"#, "`subject_userid` is missing"),
        ] {
            assert_eq!(read(body).unwrap_err(), problem);
        }
    }
}
