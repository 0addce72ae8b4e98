use axum::{extract::State, response::Response};
use countersign_domain::locale::Locale;
use countersign_service::{
    caller::Caller,
    delegation::{
        devices::{DeviceChange, DeviceWish},
        request::SaidOfItself,
    },
    passkeys::Said,
};
use countersign_wire::delegation::{device::DeviceState, envelope::Envelope, error::ErrorBody, request::Request};

use super::device_change::said;
use crate::{
    app::App,
    error::delegation::Failure,
    extract::{caller::CallerOf, delegated::Delegated, locale::LocaleOf},
};

const ACTION: &str = "device.revoke";

/// Keep a device out, in the older form
///
/// In the envelope: a `delegation.request` whose `action` is `device.revoke`, with `subject.user_id` and `subject.device_id` (the `h2index`). `sp`, `jti`
/// and `iat` must be right, and `audit` goes into the trail. The answer's envelope has `status`, `user_id`, `device_id`, `revoked`, `detail`.
#[utoipa::path(
    post, path = "/device/revoke", operation_id = "requestDeviceRevocation", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "It is kept out, or was before; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where the envelope was used before: sealed.", body = ErrorBody),
        (status = 404, description = "There is no such user, or the user has no such device; sealed.", body = Envelope),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 409, description = "The name could mean two users; sealed.", body = Envelope),
        (status = 413, description = "The body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "The server failed.", body = ErrorBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    LocaleOf(locale): LocaleOf,
    call: Delegated,
) -> Response {
    let outcome = answered(&app, &caller, locale, &call).await;
    call.answer(&app, outcome)
}

async fn answered(
    app: &App,
    caller: &Caller,
    locale: Locale,
    Delegated(call): &Delegated,
) -> Result<DeviceState, Failure> {
    let request = Request::parse(call.text())?;
    let device_id = request.device_id.clone().ok_or_else(Failure::no_device)?;
    let of_itself = SaidOfItself {
        action: &request.action,
        sp_id: &request.sp_id,
        sp_kid: request.sp_kid.as_deref(),
        jti: &request.jti,
        iat: request.iat,
    };
    app.service.take_request(&call.provider, ACTION, &of_itself).await?;
    let why = Said { reason: &request.reason, requested_by: &request.requested_by };
    let (userid, change) = (request.user_id.as_str(), DeviceChange::Revoke);
    let wish = DeviceWish { userid, device: &device_id, change, said: Some(why) };
    let done = app.service.change_delegated_device(&call.provider, &wish, locale, caller).await?;
    let detail = said(change, done);
    Ok(DeviceState { status: "success", user_id: request.user_id, device_id, revoked: true, detail })
}
