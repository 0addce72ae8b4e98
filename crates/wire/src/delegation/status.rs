//! What a user has as a second factor.

use countersign_domain::mfa::Preference;
use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// Of whom somebody speaks.
#[derive(Debug)]
pub struct OfUser {
    /// An e-mail address, or an id.
    pub userid: String,
}

/// When a user is to be asked.
#[derive(Debug)]
pub struct Suggestion {
    /// The user.
    pub userid: String,
    /// When.
    pub suggested_mfa: Preference,
}

/// What a user has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MfaCredentials)]
pub struct Credentials {
    /// What it was asked by.
    pub userid: String,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Is it proved?
    pub email_verified: bool,
    /// `none`, `email`, `sms` or `totp`.
    pub mfa_method: &'static str,
    /// Where its codes go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// `none`, `always`, `risk_only`; null: never said.
    pub suggested_mfa: Option<&'static str>,
    /// In words.
    pub detail: &'static str,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MfaSuggestionSet)]
pub struct SuggestionSet {
    /// Always.
    pub success: bool,
    /// In words.
    pub detail: &'static str,
}

/// When a user is asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MfaSuggestion)]
pub struct Suggested {
    /// `none`, `always`, `risk_only`; null: never said, or there is no such user.
    pub suggested_mfa: Option<&'static str>,
}

/// The longest that an id can be, in bytes.
const LONGEST_USERID: usize = 255;

pub(super) fn userid(object: &Object, name: &str) -> Result<String, BodyError> {
    let text = object.text(name)?;
    if (1..=LONGEST_USERID).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(object.error(name, "must be 1 to 255 bytes"))
    }
}

impl OfUser {
    /// Reads one.
    pub fn parse(text: &[u8]) -> Result<Self, BodyError> {
        Ok(Self { userid: userid(&Object::parse(text)?, "userid")? })
    }
}

impl Suggestion {
    /// Reads one.
    pub fn parse(text: &[u8]) -> Result<Self, BodyError> {
        let object = Object::parse(text)?;
        Ok(Self { userid: userid(&object, "userid")?, suggested_mfa: object.parsed("suggested_mfa")? })
    }
}
