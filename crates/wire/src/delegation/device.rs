//! What a user signs in from.

use serde::Serialize;
use utoipa::ToSchema;

use super::status::userid;
use crate::object::{BodyError, Object};

/// Of which device somebody speaks.
#[derive(Debug)]
pub struct OfDevice {
    /// Whose it is: an e-mail address, or an id.
    pub userid: String,
    /// The device.
    pub h2index: String,
}

/// What a user signs in from.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// What it was asked by.
    pub userid: String,
    /// The oldest first.
    pub devices: Vec<Device>,
    /// How many.
    pub total_devices: usize,
    /// In words.
    pub detail: &'static str,
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
pub struct Device {
    /// What it is called here.
    pub h2index: String,
    /// Is it kept out?
    pub revoked: bool,
    /// What is known of it.
    pub device_metadata: DeviceMetadata,
    /// When it was last shown, whether or not it was taken (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_login: Option<String>,
    /// Since when the user has it (RFC 3339).
    pub created_at: String,
}

/// What is known of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceMetadata {
    /// `passkey`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What its user calls it.
    pub name: String,
    /// `on_device`, or `synced`: with an account, whose devices all have it.
    pub kept: &'static str,
    /// What the program called itself that showed it last.
    pub user_agent: String,
    /// When its user last signed in with it (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login: Option<String>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceChanged {
    /// In words; “… is already …” where it was so before.
    pub detail: &'static str,
}

/// What became of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceState {
    /// `success`.
    pub status: &'static str,
    /// What it was asked by.
    pub user_id: String,
    /// The device.
    pub device_id: String,
    /// It is kept out.
    pub revoked: bool,
    /// In words.
    pub detail: &'static str,
}

/// Longer than any is, in bytes.
const LONGEST_ID: usize = 64;

impl OfDevice {
    /// Reads one.
    pub fn parse(text: &[u8]) -> Result<Self, BodyError> {
        let object = Object::parse(text)?;
        let h2index = object.text("h2index")?;
        if (1..=LONGEST_ID).contains(&h2index.len()) {
            Ok(Self { userid: userid(&object, "userid")?, h2index: h2index.to_owned() })
        } else {
            Err(object.error("h2index", "must be 1 to 64 bytes"))
        }
    }
}
