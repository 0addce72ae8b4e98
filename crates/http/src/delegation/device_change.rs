//! What the three rows that change a device have in common.

use countersign_domain::locale::Locale;
use countersign_service::{
    caller::Caller,
    delegation::devices::{DeviceChange, DeviceWish},
    devices::Changed,
};
use countersign_wire::delegation::device::{DeviceChanged, OfDevice};

use crate::{app::App, error::delegation::Failure, extract::delegated::Delegated};

pub(super) async fn answered(
    app: &App,
    caller: &Caller,
    locale: Locale,
    Delegated(call): &Delegated,
    change: DeviceChange,
) -> Result<DeviceChanged, Failure> {
    let OfDevice { userid, h2index } = OfDevice::parse(call.text())?;
    let wish = DeviceWish { userid: &userid, device: &h2index, change, said: None };
    let done = app.service.change_delegated_device(&call.provider, &wish, locale, caller).await?;
    Ok(DeviceChanged { detail: said(change, done) })
}

/// In words.
pub(super) const fn said(change: DeviceChange, done: Changed) -> &'static str {
    match (change, done) {
        (DeviceChange::Revoke, Changed::Done) => "The device was revoked.",
        (DeviceChange::Revoke, Changed::Already) => "The device is already revoked.",
        (DeviceChange::Unrevoke, Changed::Done) => "The device was unrevoked.",
        (DeviceChange::Unrevoke, Changed::Already) => "The device is already active.",
        (DeviceChange::Delete, _) => "The device was deleted.",
    }
}
