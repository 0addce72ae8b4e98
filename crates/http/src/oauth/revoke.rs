use axum::extract::State;
use countersign_wire::oauth::{error::ErrorBody, token::ShownTokenSchema};

use crate::{
    app::App,
    error::oauth::Failure,
    extract::{
        address::AddressOf,
        caller::CallerOf,
        client::{ClientCall, ClientForm},
        possession::PossessionOf,
    },
};

/// Give a token back
///
/// Ends the session of an access token or a refresh token of the client's (RFC 7009). One that isn't good any more is no mistake.
#[utoipa::path(
    post, path = "/oauth2/revoke", operation_id = "revokeToken", tag = "OpenID provider",
    security(("client_secret_basic" = []), ("client" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the session is bound, where the client proves nothing else (RFC 9449).")),
    request_body(content = ShownTokenSchema, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It is worthless now, if it wasn't before."),
        (status = 400, description = "`invalid_request`; `unauthorized_client`: the token is another client's; `unsupported_token_type`: it belongs to no session; `invalid_dpop_proof`, or `use_dpop_nonce` with `DPoP-Nonce`.", body = ErrorBody),
        (status = 401, description = "`invalid_client`: the client didn't prove that it is one.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    PossessionOf(possession): PossessionOf,
    ClientForm(ClientCall { form, credentials }): ClientForm,
) -> Result<(), Failure> {
    let revoked = app.service.revoke_token(&address, &form, &credentials, possession.as_ref(), &caller).await;
    revoked.map_err(|refused| Failure::of_grant(refused, &credentials))
}
