//! What a backend changes of a user.

use countersign_domain::text::PhoneNumber;
use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

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
        Ok(Self { userid: body.text("userid")?.to_owned(), phone: body.parsed("phone")? })
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
