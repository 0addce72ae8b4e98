use axum::{extract::State, response::Response};
use countersign_domain::{clock::Timestamp, passkey::Passkey};
use countersign_wire::delegation::{
    device::{Device, DeviceMetadata, Devices},
    envelope::Envelope,
    error::ErrorBody,
    status::OfUser,
};

use crate::{app::App, error::delegation::Failure, extract::delegated::Delegated};

/// Learn what a user signs in from
///
/// In the envelope: `userid`. In the answer's: `userid`, `devices` (`h2index`, `revoked`, `device_metadata`, `last_attempted_login`, `created_at`),
/// `total_devices`, `detail`. It is what the user sees at `/account`.
#[utoipa::path(
    post, path = "/hc_auth/v5/manage/devices", operation_id = "listDevices", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "The devices; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where the envelope was used before: sealed.", body = ErrorBody),
        (status = 404, description = "There is no such user; sealed.", body = Envelope),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 409, description = "The name could mean two users; sealed.", body = Envelope),
        (status = 413, description = "The body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "The server failed.", body = ErrorBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, call: Delegated) -> Response {
    let outcome = answered(&app, &call).await;
    call.answer(&app, outcome)
}

async fn answered(app: &App, Delegated(call): &Delegated) -> Result<Devices, Failure> {
    let of = OfUser::parse(call.text())?;
    let all = app.service.delegated_devices(&call.provider, &of.userid).await?;
    let devices: Vec<Device> = all.into_iter().map(device).collect();
    Ok(Devices { userid: of.userid, total_devices: devices.len(), devices, detail: "Devices retrieved." })
}

fn device(it: Passkey) -> Device {
    Device {
        h2index: it.id.to_string(),
        revoked: it.revoked_at.is_some(),
        device_metadata: DeviceMetadata {
            kind: "passkey",
            name: it.name.as_str().to_owned(),
            kept: it.kept.as_str(),
            user_agent: it.user_agent,
            last_login: it.last_used_at.map(Timestamp::rfc3339),
        },
        last_attempted_login: it.last_attempted_at.map(Timestamp::rfc3339),
        created_at: it.created_at.rfc3339(),
    }
}
