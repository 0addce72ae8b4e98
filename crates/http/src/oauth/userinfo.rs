use axum::{Json, extract::State};
use countersign_service::{oauth::userinfo::UserInfo, proof::access_token::Bearer};
use countersign_wire::oauth::{error::ErrorBody, userinfo::UserInfoBody};

use crate::{app::App, dpop_nonce::NextNonce, error::oauth::Failure, extract::client::UserBearer};

/// Who is the user?
///
/// What a client may learn of the user whose access token it holds (OpenID Connect Core §5.3). The token is taken in `Authorization` alone.
#[utoipa::path(
    get, path = "/oauth2/userinfo", operation_id = "userinfo", tag = "OpenID provider",
    security(("access_token" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the token is bound (RFC 9449), with `Authorization: DPoP`.")),
    responses(
        (status = 200, description = "The user.", body = UserInfoBody),
        (status = 400, description = "`invalid_request`: the token stands in `Authorization` and in a second place.", body = ErrorBody),
        (status = 401, description = "`invalid_token`; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorBody),
        (status = 403, description = "`insufficient_scope`: the token lacks `openid`.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    UserBearer(bearer): UserBearer,
) -> Result<(NextNonce, Json<UserInfoBody>), Failure> {
    let info = app.service.userinfo(&bearer).await?;
    Ok((next_nonce(&bearer), Json(body(info))))
}

/// Who is the user? By `POST`
///
/// The same as `GET /oauth2/userinfo`. It needs no body; one that is a form must not hold a token.
#[utoipa::path(
    post, path = "/oauth2/userinfo", operation_id = "userinfoByPost", tag = "OpenID provider",
    security(("access_token" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key to which the token is bound (RFC 9449), with `Authorization: DPoP`.")),
    responses(
        (status = 200, description = "The user.", body = UserInfoBody),
        (status = 400, description = "`invalid_request`: the token stands in `Authorization` and in a second place, or the form can't be read.", body = ErrorBody),
        (status = 401, description = "`invalid_token`; `WWW-Authenticate`, `DPoP-Nonce`.", body = ErrorBody),
        (status = 403, description = "`insufficient_scope`: the token lacks `openid`.", body = ErrorBody),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
#[expect(dead_code, reason = "the document's entry of a method that the handler above serves")]
fn by_post() {}

fn next_nonce(bearer: &Bearer) -> NextNonce {
    NextNonce(bearer.dpop_nonce().map(str::to_owned))
}

fn body(info: UserInfo) -> UserInfoBody {
    let known = |text: String| Some(text).filter(|text| !text.is_empty());
    let (given_name, family_name, updated_at) = match info.profile {
        Some((given, family, updated)) => (known(given), known(family), Some(updated)),
        None => (None, None, None),
    };
    let names: Vec<&str> = [&given_name, &family_name].into_iter().flatten().map(String::as_str).collect();
    let (email, email_verified) = info.email.map(|email| (email.address, email.is_verified)).unzip();
    let (phone_number, phone_number_verified) = info.phone.unzip();
    UserInfoBody {
        sub: info.sub,
        email,
        email_verified,
        name: known(names.join(" ")),
        given_name,
        family_name,
        updated_at,
        phone_number,
        phone_number_verified,
    }
}
