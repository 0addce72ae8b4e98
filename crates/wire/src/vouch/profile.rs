//! `POST /auth/v1beta/authprofile`: whose access token is this?

use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// The access token in a body.
pub fn parse(body: &[u8]) -> Result<String, BodyError> {
    Ok(Object::parse(body)?.text("authToken")?.to_owned())
}

/// A question.
#[derive(ToSchema)]
#[schema(as = ProfileRequest, rename_all = "camelCase", example = json!({"authToken": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIs…"}))]
pub struct ProfileSchema {
    /// The access token.
    pub auth_token: String,
}

/// Its answer.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"uid": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV"}))]
pub struct Profile {
    /// The user.
    pub uid: String,
}
