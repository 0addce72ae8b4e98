//! Door 1's own codes: `sendverificationtoken`, `signin` and `signup` with methods 0 (e-mail) and 1 (SMS).

use countersign_domain::text::{EmailAddress, Name, PhoneNumber};
use serde::Serialize;
use utoipa::ToSchema;

use super::sign_up::{UserAttributesSchema, ValidationDataSchema, activation_code};
use crate::object::{BodyError, Object};

/// Where a code goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// By mail.
    Email(EmailAddress),
    /// By SMS.
    Phone(PhoneNumber),
}

/// Who wants to be known, as it was read.
#[derive(Debug, Clone)]
pub struct CodeFor {
    /// `projectId`.
    pub project: String,
    /// `clientId`.
    pub client: String,
    /// `email` or `phoneNumber`, as `method` says.
    pub destination: Destination,
}

/// A sign-in by code, as it was read.
#[derive(Debug, Clone)]
pub struct CodeSignIn {
    /// Who.
    pub wanted: CodeFor,
    /// `confirmationCode`.
    pub code: String,
}

/// A sign-up by code, as it was read.
#[derive(Debug, Clone)]
pub struct CodeSignUp {
    /// As at sign-in.
    pub sign_in: CodeSignIn,
    /// `userAttributes.givenName`.
    pub given_name: Name,
    /// `userAttributes.familyName`.
    pub family_name: Name,
    /// `validationData.activationCode`.
    pub activation_code: Option<String>,
}

impl CodeFor {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        Self::read(&Object::parse(body)?)
    }

    fn read(body: &Object) -> Result<Self, BodyError> {
        let destination = if body.is("method", 0, "EMAIL")? {
            Destination::Email(body.parsed("email")?)
        } else if body.is("method", 1, "SMS")? {
            Destination::Phone(body.parsed("phoneNumber")?)
        } else {
            return Err(body.error("method", "must be 0 (a code by e-mail) or 1 (a code by SMS)"));
        };
        let (project, client) = (body.text("projectId")?.to_owned(), body.text("clientId")?.to_owned());
        Ok(Self { project, client, destination })
    }
}

impl CodeSignIn {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        Self::read(&Object::parse(body)?)
    }

    fn read(body: &Object) -> Result<Self, BodyError> {
        Ok(Self { wanted: CodeFor::read(body)?, code: body.text("confirmationCode")?.to_owned() })
    }
}

impl CodeSignUp {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        let attributes = body.object("userAttributes")?;
        Ok(Self {
            sign_in: CodeSignIn::read(&body)?,
            given_name: attributes.optional_parsed("givenName")?.unwrap_or_else(Name::empty),
            family_name: attributes.optional_parsed("familyName")?.unwrap_or_else(Name::empty),
            activation_code: activation_code(&body)?,
        })
    }
}

/// Where a code shall go. Members that aren't named here are ignored.
#[derive(ToSchema)]
#[schema(as = SendCodeRequest, rename_all = "camelCase", example = json!({
    "method": 0, "email": "alice@example.com", "clientId": "c1", "projectId": "p1"
}))]
pub struct SendCodeSchema {
    /// 0: by e-mail; 1: by SMS. The names `"EMAIL"` and `"SMS"` are taken too.
    #[schema(example = 0)]
    pub method: u32,
    /// With method 0: the user's e-mail address.
    pub email: Option<String>,
    /// With method 1: the user's telephone number, in E.164 form.
    pub phone_number: Option<String>,
    /// The app that will get the tokens.
    pub client_id: String,
    /// The project.
    pub project_id: String,
}

/// A code that came. Members that aren't named here are ignored.
#[derive(ToSchema)]
#[schema(as = CodeSignInRequest, rename_all = "camelCase", example = json!({
    "method": 0, "email": "alice@example.com", "confirmationCode": "123456", "clientId": "c1", "projectId": "p1"
}))]
pub struct CodeSignInSchema {
    /// 0: it came by e-mail; 1: by SMS.
    #[schema(example = 0)]
    pub method: u32,
    /// With method 0: the address it went to.
    pub email: Option<String>,
    /// With method 1: the number it went to.
    pub phone_number: Option<String>,
    /// Six digits; spaces and dashes between them don't matter.
    pub confirmation_code: String,
    /// The app that gets the tokens.
    pub client_id: String,
    /// The project.
    pub project_id: String,
}

/// A code that came, of somebody new.
#[derive(ToSchema)]
#[schema(as = CodeSignUpRequest, rename_all = "camelCase", example = json!({
    "method": 0, "email": "alice@example.com", "confirmationCode": "123456", "clientId": "c1", "projectId": "p1",
    "userAttributes": {"familyName": "Liddell", "givenName": "Alice"}, "validationData": {"activationCode": ""}
}))]
pub struct CodeSignUpSchema {
    /// As at sign-in.
    #[schema(example = 0)]
    pub method: u32,
    /// As at sign-in.
    pub email: Option<String>,
    /// As at sign-in.
    pub phone_number: Option<String>,
    /// As at sign-in.
    pub confirmation_code: String,
    /// As at sign-in.
    pub client_id: String,
    /// As at sign-in.
    pub project_id: String,
    /// The user's names, kept as they are sent; empty ones are fine.
    pub user_attributes: Option<UserAttributesSchema>,
    /// An activation code, where the project asks for one.
    pub validation_data: Option<ValidationDataSchema>,
}

/// A code is on its way, if there is anybody for it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"ok": true}))]
pub struct CodeSent {
    /// Always.
    pub ok: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(body: &str) -> String {
        CodeSignUp::parse(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_method_says_which_address_is_meant() {
        let both = r#"{"method": 1, "email": "a@example.com", "phoneNumber": "+15551234567", "clientId": "c1", "projectId": "p1"}"#;
        let read = CodeFor::parse(both.as_bytes()).unwrap();
        assert_eq!(read.destination, Destination::Phone("+15551234567".parse().unwrap()));
        let mail = CodeFor::parse(both.replace("1, \"e", "\"EMAIL\", \"e").as_bytes()).unwrap();
        assert_eq!(mail.destination, Destination::Email("a@example.com".parse().unwrap()));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(problem("{}"), "`method` is missing");
        let other = r#"{"method": 4, "email": "a@example.com"}"#;
        assert_eq!(problem(other), "`method` must be 0 (a code by e-mail) or 1 (a code by SMS)");
        assert_eq!(problem(r#"{"method": 1, "email": "a@example.com"}"#), "`phoneNumber` is missing");
        let codeless = r#"{"method": 0, "email": "a@example.com", "clientId": "c1", "projectId": "p1"}"#;
        assert_eq!(problem(codeless), "`confirmationCode` is missing");
    }
}
