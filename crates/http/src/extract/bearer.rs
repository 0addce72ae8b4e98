//! A bearer: whoever shows a live access token in `Authorization`, as it is (RFC 6750 §2.1), or with a proof of the key to which it is bound
//! (RFC 9449 §7.1).

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use countersign_service::proof::{
    access_token::{Bearer, ShownToken},
    possession::UnverifiedPossession,
};

use super::{
    address::AddressOf,
    caller::{address_of, single},
    possession::possession_of,
};
use crate::{app::App, error::client_api::Failure};

/// A proved bearer, for what answers in door 2's shape.
pub(crate) struct ProvedBearer(pub(crate) Bearer);

impl FromRequestParts<App> for ProvedBearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
        let possession = possession_of(parts, app);
        let shown = shown_token(&parts.headers, possession.as_ref());
        let proved = app.service.prove_access_token(&address, shown, address_of(parts, app));
        proved.map(Self).map_err(|refused| Failure::of_token(refused, &shown))
    }
}

/// The access token in the one `Authorization` header, and how it is shown. None is shown as an empty one.
pub(crate) fn shown_token<'a>(headers: &'a HeaderMap, possession: Option<&'a UnverifiedPossession>) -> ShownToken<'a> {
    match dpop_token(headers) {
        Some(unverified) => ShownToken::Dpop(unverified, possession),
        None => ShownToken::Bearer(bearer_token(headers).unwrap_or_default()),
    }
}

/// What stands after `Bearer` in the one `Authorization` header.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    token_after("bearer", headers)
}

/// What stands after `DPoP` in the one `Authorization` header.
pub fn dpop_token(headers: &HeaderMap) -> Option<&str> {
    token_after("dpop", headers)
}

fn token_after<'h>(scheme: &str, headers: &'h HeaderMap) -> Option<&'h str> {
    let (given, token) = single(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then_some(token.trim_start())
}
