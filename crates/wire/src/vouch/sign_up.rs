//! `POST /auth/v1/private/signup`: a user comes to be.

use countersign_domain::text::Name;
use utoipa::ToSchema;

use super::sign_in::{AuthenticationSchema, Vouch};
use crate::object::{BodyError, Object};

/// A sign-up, as it was read.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The vouch.
    pub vouch: Vouch,
    /// `userAttributes.givenName`.
    pub given_name: Name,
    /// `userAttributes.familyName`.
    pub family_name: Name,
    /// `validationData.activationCode`.
    pub activation_code: Option<String>,
}

impl SignUp {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        let vouch = Vouch::read(&body)?;
        let attributes = body.object("userAttributes")?;
        Ok(Self {
            vouch,
            given_name: attributes.optional_parsed("givenName")?.unwrap_or_else(Name::empty),
            family_name: attributes.optional_parsed("familyName")?.unwrap_or_else(Name::empty),
            activation_code: activation_code(&body)?,
        })
    }
}

/// `validationData.activationCode`, whatever it is good for.
pub(super) fn activation_code(body: &Object) -> Result<Option<String>, BodyError> {
    let code = body.object("validationData")?.optional_parsed::<Name>("activationCode")?;
    Ok(code.map(|code| code.as_str().to_owned()))
}

/// A sign-up: a sign-in, and what is known of the user. Members that aren't named here are ignored.
#[derive(ToSchema)]
#[schema(as = SignUpRequest, rename_all = "camelCase", example = json!({
    "method": 4, "email": "alice@example.com", "clientId": "c1", "projectId": "p1",
    "userAttributes": {"familyName": "Liddell", "givenName": "Alice"}, "validationData": {"activationCode": ""}
}))]
pub struct SignUpSchema {
    /// 4; the name `"PRIVATE"` is taken too.
    #[schema(example = 4)]
    pub method: u32,
    /// The user's e-mail address: ASCII, kept in lower case.
    pub email: String,
    /// The app that gets the tokens, and that alone can refresh them.
    pub client_id: String,
    /// The project; it must be the key's.
    pub project_id: String,
    /// The user's names, kept as they are sent; empty ones are fine.
    pub user_attributes: Option<UserAttributesSchema>,
    /// An activation code, where the project asks for one; may be empty.
    pub validation_data: Option<ValidationDataSchema>,
    /// As at sign-in.
    pub email_verified: Option<bool>,
    /// As at sign-in.
    pub external_id: Option<String>,
    /// As at sign-in.
    pub phone_number: Option<String>,
    /// As at sign-in.
    pub device_id: Option<String>,
    /// As at sign-in.
    pub authentication: Option<AuthenticationSchema>,
}

/// A user's names.
#[derive(ToSchema)]
#[schema(as = UserAttributes, rename_all = "camelCase")]
pub struct UserAttributesSchema {
    /// At most 255 bytes.
    pub family_name: Option<String>,
    /// At most 255 bytes.
    pub given_name: Option<String>,
}

/// What allows a sign-up.
#[derive(ToSchema)]
#[schema(as = ValidationData, rename_all = "camelCase")]
pub struct ValidationDataSchema {
    /// The code.
    pub activation_code: Option<String>,
}
