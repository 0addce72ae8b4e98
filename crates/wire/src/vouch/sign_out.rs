//! `POST /auth/v1/signout`: the app ends its session.

use countersign_domain::text::Name;
use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// A sign-out, as it was read.
#[derive(Debug, Clone)]
pub struct SignOut {
    /// `userId`.
    pub user: String,
    /// `refreshToken`.
    pub refresh_token: String,
}

impl SignOut {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        // Apps send them; this server sends no push messages, so there is nothing to forget.
        for name in ["devicePushId", "voipDevicePushId", "deviceToken"] {
            body.optional_parsed::<Name>(name)?;
        }
        Ok(Self { user: body.text("userId")?.to_owned(), refresh_token: body.text("refreshToken")?.to_owned() })
    }
}

/// A sign-out.
#[derive(ToSchema)]
#[schema(as = SignOutRequest, rename_all = "camelCase", example = json!({
    "userId": "u_01ARZ3NDEKTSV4RRFFQ69G5FAV", "refreshToken": "rt_AQAAAAEAAAAC…"
}))]
pub struct SignOutSchema {
    /// The user whose session it is.
    pub user_id: String,
    /// Any refresh token of the session, however old.
    pub refresh_token: String,
    /// Taken and ignored.
    pub device_push_id: Option<String>,
    /// Taken and ignored.
    pub voip_device_push_id: Option<String>,
    /// Taken and ignored.
    pub device_token: Option<String>,
}

/// The answer to a sign-out.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": "ses_01ARZ3NDEKTSV4RRFFQ69G5FAV"}))]
pub struct SignedOut {
    /// The session that is over.
    pub id: String,
}
