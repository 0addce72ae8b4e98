//! `POST /auth/v1/private/signin`: what a backend says of a user.

use countersign_domain::{
    clock::Timestamp,
    proof::{Level, Method},
    text::{DeviceId, EmailAddress, ExternalId, PhoneNumber},
};
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// A vouch, as it was read.
#[derive(Debug, Clone)]
pub struct Vouch {
    /// `projectId`.
    pub project: String,
    /// `clientId`.
    pub client: String,
    /// `email`.
    pub email: EmailAddress,
    /// `emailVerified`.
    pub email_verified: Option<bool>,
    /// `externalId`.
    pub external_id: Option<ExternalId>,
    /// `phoneNumber`.
    pub phone: Option<PhoneNumber>,
    /// `deviceId`.
    pub device: Option<DeviceId>,
    /// `authentication.amr`.
    pub methods: Vec<Method>,
    /// `authentication.acr`.
    pub level: Option<Level>,
    /// `authentication.authTime`.
    pub auth_time: Option<Timestamp>,
}

/// A sign-in, as it was read.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The vouch.
    pub vouch: Vouch,
    /// `createIfMissing`.
    pub create_if_missing: bool,
}

impl SignIn {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        Ok(Self {
            vouch: Vouch::read(&body)?,
            create_if_missing: body.optional_boolean("createIfMissing")?.unwrap_or(false),
        })
    }
}

/// More methods than anybody was ever proven by.
const MOST_METHODS: usize = 8;

impl Vouch {
    pub(super) fn read(body: &Object) -> Result<Self, BodyError> {
        if !body.is("method", 4, "PRIVATE")? {
            return Err(body.error("method", "must be 4 (or \"PRIVATE\")"));
        }
        let authentication = body.object("authentication")?;
        Ok(Self {
            email: body.parsed("email")?,
            client: body.text("clientId")?.to_owned(),
            project: body.text("projectId")?.to_owned(),
            email_verified: body.optional_boolean("emailVerified")?,
            external_id: body.optional_parsed("externalId")?,
            phone: body.optional_parsed("phoneNumber")?,
            device: body.optional_parsed("deviceId")?,
            methods: authentication.parsed_list("amr", MOST_METHODS)?,
            level: authentication.optional_parsed("acr")?,
            auth_time: authentication.optional_integer("authTime")?.map(Timestamp::from_seconds),
        })
    }
}

/// A sign-in of a user there is. Members that aren't named here are ignored.
#[derive(ToSchema)]
#[schema(as = SignInRequest, rename_all = "camelCase", example = json!({
    "method": 4, "email": "alice@example.com", "clientId": "c1", "projectId": "p1"
}))]
pub struct SignInSchema {
    /// 4; the name `"PRIVATE"` is taken too.
    #[schema(example = 4)]
    pub method: u32,
    /// The user's e-mail address: ASCII, kept in lower case.
    pub email: String,
    /// The app that gets the tokens, and that alone can refresh them.
    pub client_id: String,
    /// The project; it must be the key's.
    pub project_id: String,
    /// Whether the backend has seen proof of the address. Default: it has, where the project trusts it (`vouch.email`).
    pub email_verified: Option<bool>,
    /// The user's identifier in the customer's own books: 1 to 255 bytes.
    pub external_id: Option<String>,
    /// The user's telephone number, in E.164 form.
    pub phone_number: Option<String>,
    /// The installation of the app, 1 to 128 bytes: the session it had before ends.
    pub device_id: Option<String>,
    /// How the user authenticated to the backend.
    pub authentication: Option<AuthenticationSchema>,
    /// Sign the user up where there is none. Default: no.
    pub create_if_missing: Option<bool>,
}

/// How the user authenticated to the backend, for the claims of the same names.
#[derive(ToSchema)]
#[schema(as = Authentication, rename_all = "camelCase")]
pub struct AuthenticationSchema {
    /// Methods (RFC 8176), at most 8. The claim begins with `vouch`, whatever is passed on.
    pub amr: Option<Vec<String>>,
    /// Level: `urn:countersign:acr:vouched`, `…:one-factor` or `…:two-factors`; no higher than the key may pass on.
    pub acr: Option<String>,
    /// When, in seconds since 1970; not in the future.
    pub auth_time: Option<i64>,
}
