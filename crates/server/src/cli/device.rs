//! `user devices` and `user device`.

use clap::Subcommand;
use countersign_domain::{
    id::{PasskeyId, ProjectId, UserId},
    passkey::Passkey,
};
use countersign_service::{
    admin::Refused,
    devices::{Changed, DeviceRefused},
    passkeys::By,
};
use serde_json::{Value, json};

use super::{
    Desk,
    output::{optional_time, time},
    user::named,
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// End what the device signed in to, and keep it out
    Revoke(Which),
    /// Let the device sign in again; what was ended stays ended
    Unrevoke(Which),
    /// End what the device signed in to, and forget it
    Delete(Which),
}

#[derive(clap::Args)]
pub(super) struct Which {
    /// By id, e-mail address, telephone number or external id
    user: String,
    /// The device, by its id
    device: PasskeyId,
}

impl Verb {
    pub(super) async fn run(self, desk: &Desk, project: &ProjectId) -> Result<Value, Failure> {
        let (Self::Revoke(which) | Self::Unrevoke(which) | Self::Delete(which)) = &self;
        let (user, device, by) = (named(desk, project, &which.user).await?, which.device, By::Operator);
        let done = match self {
            Self::Revoke(_) => desk.service.revoke_device(project, user, device, by).await,
            Self::Unrevoke(_) => desk.service.unrevoke_device(project, user, device, by).await,
            Self::Delete(_) => desk.service.delete_device(project, user, device, by).await,
        };
        let changed = done.map_err(|refused| missing(refused, device))? == Changed::Done;
        Ok(json!({ "id": device.to_string(), "changed": changed }))
    }
}

/// All devices of a user.
pub(super) async fn list(desk: &Desk, project: &ProjectId, user: UserId) -> Result<Value, Failure> {
    let all = desk.service.list_devices(project, user).await.map_err(Refused::from)?;
    Ok(all.iter().map(device).collect())
}

/// There is no such device of this user.
pub(super) fn missing(refused: DeviceRefused, device: PasskeyId) -> Refused {
    match refused {
        DeviceRefused::NotFound => Refused::NotFound { noun: "device", id: device.to_string() },
        DeviceRefused::Outage(outage) => Refused::Outage(outage),
    }
}

fn device(it: &Passkey) -> Value {
    json!({
        "id": it.id.to_string(),
        "name": it.name.as_str(),
        "kept": it.kept.as_str(),
        "user_agent": it.user_agent,
        "created_at": time(it.created_at),
        "last_used_at": optional_time(it.last_used_at),
        "last_attempted_at": optional_time(it.last_attempted_at),
        "revoked_at": optional_time(it.revoked_at),
    })
}
