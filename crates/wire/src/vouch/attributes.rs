//! `POST /auth/v1/check-auth-attributes`: what is known of a user.

use countersign_domain::text::{EmailAddress, PhoneNumber};
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Destination;
use crate::object::{BodyError, Object};

/// Of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Of whose access token this is: `authToken`.
    Token(String),
    /// Of whoever has this address: `email` or `phoneNumber`.
    Address(Destination),
}

/// A question, as it was read.
#[derive(Debug, Clone)]
pub struct Question {
    /// `projectId`.
    pub project: String,
    /// `clientId`.
    pub client: String,
    /// One of `authToken`, `email`, `phoneNumber`.
    pub of: Asked,
}

impl Question {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        let token = body.optional_text("authToken")?.map(|token| Asked::Token(token.to_owned()));
        let email = body.optional_parsed::<EmailAddress>("email")?.map(|it| Asked::Address(Destination::Email(it)));
        let phone =
            body.optional_parsed::<PhoneNumber>("phoneNumber")?.map(|it| Asked::Address(Destination::Phone(it)));
        let mut said = [token, email, phone].into_iter().flatten();
        let (Some(of), None) = (said.next(), said.next()) else {
            return Err(
                body.error("authToken", "or `email` or `phoneNumber` must be there, and no more than one of them")
            );
        };
        Ok(Self { project: body.text("projectId")?.to_owned(), client: body.text("clientId")?.to_owned(), of })
    }
}

/// Of whom something is to be said: one of the three.
#[derive(ToSchema)]
#[schema(as = AttributesRequest, rename_all = "camelCase", example = json!({
    "authToken": "eyJ…", "clientId": "c1", "projectId": "p1"
}))]
pub struct AttributesSchema {
    /// A client of the project.
    pub client_id: String,
    /// The project.
    pub project_id: String,
    /// An access token of the user.
    pub auth_token: Option<String>,
    /// The user's e-mail address; needs the secret key.
    pub email: Option<String>,
    /// The user's telephone number; needs the secret key.
    pub phone_number: Option<String>,
}

/// What is known of a user. What isn't known is null.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "members of a published answer")]
#[schema(rename_all = "camelCase", example = json!({
    "email": "alice@example.com", "emailVerified": true, "phoneNumber": null, "phoneNumberVerified": false,
    "mfaEnabled": false, "eligibleForMFA": true, "passwordSet": false
}))]
pub struct AuthAttributes {
    /// The e-mail address that was added last.
    pub email: Option<String>,
    /// Was it proved?
    pub email_verified: bool,
    /// The telephone number that was added last.
    pub phone_number: Option<String>,
    /// Was it proved?
    pub phone_number_verified: bool,
    /// Does the user have a second factor?
    pub mfa_enabled: bool,
    /// Has the user proved an address that a second factor could hang on?
    #[serde(rename = "eligibleForMFA")]
    #[schema(rename = "eligibleForMFA")]
    pub eligible_for_mfa: bool,
    /// There are no passwords here.
    pub password_set: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_three_is_asked_about() {
        let of = |member: &str| Question::parse(format!(r#"{{"clientId":"c1","projectId":"p1"{member}}}"#).as_bytes());
        assert_eq!(of(r#","authToken":"x""#).unwrap().of, Asked::Token("x".to_owned()));
        assert!(matches!(of(r#","email":"a@example.com""#).unwrap().of, Asked::Address(Destination::Email(_))));
        let problem = "`authToken` or `email` or `phoneNumber` must be there, and no more than one of them";
        for members in ["", r#","authToken":"x","email":"a@example.com""#] {
            assert_eq!(of(members).unwrap_err().to_string(), problem);
        }
    }
}
