use axum::{Json, extract::State};
use countersign_service::proof::access_token::ShownToken;
use countersign_wire::vouch::{
    error::ErrorBody,
    profile::{self, Profile, ProfileSchema},
};

use crate::{
    app::App,
    dpop_nonce::NextNonce,
    error::vouch::Failure,
    extract::{address::AddressOf, body::ShortBody, caller::CallerOf, possession::PossessionOf},
};

/// Whose access token is this?
#[utoipa::path(
    post, path = "/auth/v1beta/authprofile", operation_id = "authProfile", tag = "Vouch",
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the token is bound (RFC 9449).")),
    request_body = ProfileSchema,
    responses(
        (status = 200, description = "The user.", body = Profile),
        (status = 400, description = "100003: no JSON object. 100050: `authToken` is missing.", body = ErrorBody),
        (status = 401, description = "10001: expired. 10002: no access token of this project, or one that is bound to a key, without a proof of that \
            key; `WWW-Authenticate`, `DPoP-Nonce`. 100049: its session is over.", body = ErrorBody),
        (status = 408, description = "100003: the body took too long.", body = ErrorBody),
        (status = 413, description = "100003: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "100009: too many failed calls from this network; authentic tokens are served even then.", body = ErrorBody),
        (status = 500, description = "13001: the server failed.", body = ErrorBody),
        (status = 503, description = "13001: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    PossessionOf(possession): PossessionOf,
    ShortBody(body): ShortBody,
) -> Result<(NextNonce, Json<Profile>), Failure> {
    let unverified = profile::parse(&body)?;
    let shown = match &possession {
        Some(_) => ShownToken::Dpop(&unverified, possession.as_ref()),
        None => ShownToken::Bearer(&unverified),
    };
    let proved = app.service.prove_access_token(&address, shown, caller.address);
    let bearer = proved.map_err(|refused| Failure::of_token(refused, &shown))?;
    let nonce = NextNonce(bearer.dpop_nonce().map(str::to_owned));
    Ok((nonce, Json(Profile { uid: bearer.user().to_string() })))
}
