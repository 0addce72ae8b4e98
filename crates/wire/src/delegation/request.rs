//! The older form of request, which says in itself what it is: `delegation.request`.

use countersign_domain::mfa::FactorKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::status::userid;
use crate::object::{BodyError, Object};

/// A request, as it was read.
#[derive(Debug)]
pub struct Request {
    /// `action`.
    pub action: String,
    /// `sp.id`: the client.
    pub sp_id: String,
    /// `sp.kid`: what the client calls its key.
    pub sp_kid: Option<String>,
    /// `subject.user_id`.
    pub user_id: String,
    /// `subject.device_id`.
    pub device_id: Option<String>,
    /// `params.method`.
    pub method: Option<FactorKind>,
    /// `params.enabled`.
    pub enabled: Option<bool>,
    /// `audit.reason`.
    pub reason: String,
    /// `audit.requested_by`.
    pub requested_by: String,
    /// Different in each request.
    pub jti: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
}

/// What a user has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MfaState)]
pub struct State {
    /// `success`.
    pub status: &'static str,
    /// What it was asked by.
    pub user_id: String,
    /// The second factor that was used last, or is the newest; `none`.
    pub mfa_method: &'static str,
    /// Every second factor.
    pub methods: Vec<&'static str>,
    /// Is there one?
    pub enabled: bool,
    /// In words.
    pub detail: &'static str,
}

/// In bytes: what is written into the audit trail, and what is remembered.
const LONGEST: usize = 255;

impl Request {
    /// Reads one.
    pub fn parse(text: &[u8]) -> Result<Self, BodyError> {
        let object = Object::parse(text)?;
        for (name, value) in [("v", "1"), ("type", "delegation.request")] {
            if object.text(name)? != value {
                return Err(object.error(name, format_args!("must be `{value}`")));
            }
        }
        let (sp, subject, params) = (object.object("sp")?, object.object("subject")?, object.object("params")?);
        let audit = object.object("audit")?;
        let iat = object.optional_integer("iat")?;
        Ok(Self {
            action: object.text("action")?.to_owned(),
            sp_id: sp.text("id")?.to_owned(),
            sp_kid: sp.optional_text("kid")?.map(str::to_owned),
            user_id: userid(&subject, "user_id")?,
            device_id: subject.optional_text("device_id")?.map(str::to_owned),
            method: params.optional_parsed("method")?,
            enabled: params.optional_boolean("enabled")?,
            reason: short(&audit, "reason")?,
            requested_by: short(&audit, "requested_by")?,
            jti: short(&object, "jti")?,
            iat: iat.ok_or_else(|| object.error("iat", "is missing"))?,
        })
    }
}

fn short(object: &Object, name: &str) -> Result<String, BodyError> {
    let text = object.text(name)?;
    let is_short = (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control);
    if is_short {
        Ok(text.to_owned())
    } else {
        Err(object.error(name, "must be 1 to 255 bytes without control characters"))
    }
}
