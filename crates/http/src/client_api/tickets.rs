use axum::Json;
use countersign_service::proof::ticket;
use countersign_wire::client_api::{error::ErrorEnvelope, session::TicketBody};

use crate::{
    dpop_nonce::NextNonce,
    error::client_api::Failure,
    extract::{
        actor::{ProvedUser, TicketOf},
        ticket::PARAMETER,
    },
};

/// A ticket for the query string
///
/// Browsers can't set headers on `WebSocket` and `EventSource`. A ticket stands for the credentials of this call: in the query string of a `GET`,
/// once, within 30 seconds, and only for as long as the credentials are good themselves.
#[utoipa::path(
    post, path = "/v1/tickets", operation_id = "makeTicket", tag = "Client API",
    security(("client_call" = [], "publishable_key" = [], "user_hmac" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "A ticket.", body = TicketBody),
        (status = 401, description = "`invalid_credentials`: no user was proved; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: pages of this origin may not call.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: too many failed calls from this network, or calls with this key; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    ProvedUser(actor): ProvedUser,
    TicketOf(ticket): TicketOf,
) -> Result<(NextNonce, Json<TicketBody>), Failure> {
    let body = TicketBody { ticket, parameter: PARAMETER, expires_in: ticket::LIFETIME.as_secs() };
    Ok((NextNonce::of(&actor), Json(body)))
}
