//! A client of the provider that calls: a form, and what stands beside it.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use countersign_domain::oauth::form::{Form, FormError};
use countersign_service::{client_auth::ClientCredentials, proof::access_token::Bearer};

use super::{
    address::AddressOf,
    bearer::shown_token,
    body::read_in_time,
    caller::{address_of, single},
    possession::possession_of,
};
use crate::{app::App, error::oauth::Failure};

/// What a call names its project by, beside path and host. Some clients send no `client_id`, but this.
pub(super) const CONFIG_ID: &str = "x-config-id";

/// A client's call.
pub(crate) struct ClientCall {
    pub(crate) form: Form,
    pub(crate) credentials: ClientCredentials,
}

/// The body must be a form in which nothing stands twice (RFC 6749 §3.2).
pub(crate) struct ClientForm(pub(crate) ClientCall);

impl FromRequest<App> for ClientForm {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        if !is_form(request.headers()) {
            return Err(Failure::not_a_form());
        }
        let authorization = authorization(request.headers()).map(str::to_owned);
        let config_id = single(request.headers(), CONFIG_ID).map(str::to_owned);
        let body = read_in_time(request, app).await?;
        let form = Form::parse(&body).and_then(Form::unambiguous)?;
        let credentials = ClientCredentials::read(authorization.as_deref(), &form, config_id.as_deref());
        Ok(Self(ClientCall { form, credentials }))
    }
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = single(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Two headers are as good as credentials that can't be read: who knows which was meant?
fn authorization(headers: &HeaderMap) -> Option<&str> {
    let is_there = headers.contains_key(header::AUTHORIZATION);
    is_there.then(|| single(headers, header::AUTHORIZATION.as_str()).unwrap_or("Basic"))
}

/// A user, or an app in the user's name, at the provider: by a token in `Authorization`, and nowhere else.
pub(crate) struct UserBearer(pub(crate) Bearer);

impl FromRequest<App> for UserBearer {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let bearer = bearer(&mut parts, app).await?;
        let is_in_query = names_token(parts.uri.query().unwrap_or_default().as_bytes())?;
        let is_in_body = is_form(&parts.headers) && {
            let request = Request::from_parts(parts, body);
            names_token(&read_in_time(request, app).await?)?
        };
        // RFC 6750 §2: who knows which was meant? The other may be in a log by now.
        if is_in_query || is_in_body { Err(Failure::shown_twice()) } else { Ok(Self(bearer)) }
    }
}

async fn bearer(parts: &mut Parts, app: &App) -> Result<Bearer, Failure> {
    let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
    let possession = possession_of(parts, app);
    let shown = shown_token(&parts.headers, possession.as_ref());
    let proved = app.service.prove_access_token(&address, shown, address_of(parts, app));
    proved.map_err(|refused| Failure::of_token(&parts.headers, refused, shown.is_dpop()))
}

fn names_token(form: &[u8]) -> Result<bool, FormError> {
    Ok(Form::parse(form)?.names("access_token"))
}
