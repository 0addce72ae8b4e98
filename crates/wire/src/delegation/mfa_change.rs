//! Another second factor: begun, and finished by a code.

use countersign_domain::{mfa::FactorKind, text::PhoneNumber};
use serde::Serialize;
use utoipa::ToSchema;

use super::status::userid;
use crate::object::{BodyError, Object};

/// What is to be the factor.
#[derive(Debug, PartialEq, Eq)]
pub enum Method {
    /// Codes that an app counts.
    Totp,
    /// Codes to this number.
    Sms(PhoneNumber),
    /// Codes to the user's address.
    Email,
}

/// A change that is to begin.
#[derive(Debug)]
pub struct Begin {
    /// Whose factor.
    pub userid: String,
    /// What it is to be.
    pub method: Method,
}

/// A code that was typed.
#[derive(Debug)]
pub struct Finish {
    /// Whose factor.
    pub userid: String,
    /// `session_id` of the change.
    pub session_id: String,
    /// The code.
    pub otp: String,
}

/// A change that waits for a code.
#[derive(Serialize, ToSchema)]
#[schema(as = MfaChangeBegun)]
pub struct Begun {
    /// `success`.
    pub status: &'static str,
    /// To be shown with the code.
    pub session_id: String,
    /// In words.
    pub detail: String,
    /// What an authenticator app counts its codes from, where it is to be the factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
    /// The same, to be shown as a QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otpauth_uri: Option<String>,
    /// The code that was sent, in development alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otp: Option<String>,
}

/// A change that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MfaChanged)]
pub struct Changed {
    /// `success`.
    pub status: &'static str,
    /// In words.
    pub detail: &'static str,
    /// What the factor is now.
    pub mfa_changed_to: &'static str,
}

impl Begin {
    /// Reads one.
    pub fn parse(text: &[u8]) -> Result<Self, BodyError> {
        let object = Object::parse(text)?;
        let kind: FactorKind = object.parsed("mfa_method")?;
        // What is set is what the code proves: there is nothing else to change to.
        if object.optional_parsed::<FactorKind>("mfa_change_to")?.is_some_and(|to| to != kind) {
            return Err(object.error("mfa_change_to", "must be what `mfa_method` is, or left out"));
        }
        let method = match kind {
            FactorKind::Totp => Method::Totp,
            FactorKind::Email => Method::Email,
            FactorKind::Sms => Method::Sms(phone(&object, "contact")?),
        };
        Ok(Self { userid: userid(&object, "userid")?, method })
    }
}

/// A number that there could be.
fn phone(object: &Object, name: &str) -> Result<PhoneNumber, BodyError> {
    let number: PhoneNumber = object.parsed(name)?;
    if number.is_possible() { Ok(number) } else { Err(object.error(name, "is no number that there could be")) }
}

impl Finish {
    /// Reads one.
    pub fn parse(text: &[u8]) -> Result<Self, BodyError> {
        let object = Object::parse(text)?;
        let otp = object.text("otp")?;
        if otp.len() != 6 || !otp.bytes().all(|b| b.is_ascii_digit()) {
            return Err(object.error("otp", "must be six digits"));
        }
        let (session_id, otp) = (object.text("session_id")?.to_owned(), otp.to_owned());
        Ok(Self { userid: userid(&object, "userid")?, session_id, otp })
    }
}
