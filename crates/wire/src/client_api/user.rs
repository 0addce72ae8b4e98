//! Users as the client API shows them.

use countersign_domain::{
    text::{ExternalId, Name},
    user::User,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientApiUser, example = json!({
    "id": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "object": "user", "external_id": "crm-7", "first_name": "Ada", "last_name": "Lovelace",
    "live_mode": true, "created_at": 1_790_000_000_000_i64, "updated_at": 1_790_000_000_000_i64
}))]
pub struct UserBody {
    /// The user.
    pub id: String,
    /// Always `user`.
    pub object: &'static str,
    /// The customer's own id of the user; empty where the user was never called by one.
    pub external_id: String,
    /// Empty where nobody said.
    pub first_name: String,
    /// Empty where nobody said.
    pub last_name: String,
    /// Always `true`.
    pub live_mode: bool,
    /// In milliseconds since 1970.
    pub created_at: i64,
    /// In milliseconds since 1970.
    pub updated_at: i64,
}

impl UserBody {
    /// Of a user whom the customer knows by that id.
    pub fn of(user: &User, external_id: Option<&str>) -> Self {
        Self {
            id: user.id.to_string(),
            object: "user",
            external_id: external_id.unwrap_or_default().to_owned(),
            first_name: user.given_name.as_str().to_owned(),
            last_name: user.family_name.as_str().to_owned(),
            live_mode: true,
            created_at: user.created_at.millis(),
            updated_at: user.updated_at.millis(),
        }
    }
}

/// Some users.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientApiUsers, example = json!({ "data": [{
    "id": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "object": "user", "external_id": "crm-7", "first_name": "Ada", "last_name": "Lovelace",
    "live_mode": true, "created_at": 1_790_000_000_000_i64, "updated_at": 1_790_000_000_000_i64
}], "has_more": false }))]
pub struct UsersBody {
    /// The newest first.
    pub data: Vec<UserBody>,
    /// Are there others after these?
    pub has_more: bool,
}

/// A user who is no more.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientApiUserDeleted, example = json!({"id": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "object": "user", "deleted": true}))]
pub struct DeletedBody {
    /// The user.
    pub id: String,
    /// Always `user`.
    pub object: &'static str,
    /// Always `true`.
    pub deleted: bool,
}

/// Names of a user, as they were read; what isn't there stays.
#[derive(Debug, Clone)]
pub struct NameChanges {
    /// `first_name`.
    pub first_name: Option<Name>,
    /// `last_name`.
    pub last_name: Option<Name>,
}

impl NameChanges {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        Self::read(&Object::parse(body)?)
    }

    fn read(body: &Object) -> Result<Self, BodyError> {
        Ok(Self { first_name: body.optional_parsed("first_name")?, last_name: body.optional_parsed("last_name")? })
    }
}

/// A user to be made, as it was read.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// `external_id`.
    pub external_id: ExternalId,
    /// The names.
    pub names: NameChanges,
}

impl NewUser {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        Ok(Self { external_id: body.parsed("external_id")?, names: NameChanges::read(&body)? })
    }
}

/// Names of a user.
#[derive(ToSchema)]
#[schema(as = ClientApiUserUpdate, example = json!({"first_name": "Ada", "last_name": "Lovelace"}))]
pub struct NameChangesSchema {
    /// At most 255 bytes; what is left out stays.
    pub first_name: Option<String>,
    /// At most 255 bytes; what is left out stays.
    pub last_name: Option<String>,
}

/// A user to be made.
#[derive(ToSchema)]
#[schema(as = ClientApiUserCreate, example = json!({"external_id": "crm-7", "first_name": "Ada", "last_name": "Lovelace"}))]
pub struct NewUserSchema {
    /// The customer's own id of the user, 1 to 255 bytes.
    pub external_id: String,
    /// At most 255 bytes.
    pub first_name: Option<String>,
    /// At most 255 bytes.
    pub last_name: Option<String>,
}
