use axum::{extract::State, response::Response};
use countersign_service::delegation::devices::DeviceChange;
use countersign_wire::delegation::{envelope::Envelope, error::ErrorBody};

use super::device_change::answered;
use crate::{
    app::App,
    extract::{caller::CallerOf, delegated::Delegated, locale::LocaleOf},
};

/// Keep a device out
///
/// In the envelope: `userid`, `h2index`. Whatever it had signed in to ends within a second, and it signs nobody in until that is taken back. The user is told. The answer's envelope has `detail`.
#[utoipa::path(
    post, path = "/hc_auth/v5/manage/revoke", operation_id = "revokeDevice", tag = "Delegation",
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
    let outcome = answered(&app, &caller, locale, &call, DeviceChange::Revoke).await;
    call.answer(&app, outcome)
}
