//! A bearer: whoever shows a live access token in `Authorization` (RFC 6750 §2.1).

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use countersign_service::proof::access_token::Bearer;

use super::{
    address::AddressOf,
    caller::{address_of, single},
};
use crate::{app::App, error::client_api::Failure};

/// A proved bearer, for what answers in door 2's shape.
pub(crate) struct ProvedBearer(pub(crate) Bearer);

impl FromRequestParts<App> for ProvedBearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Ok(AddressOf(address)) = AddressOf::from_request_parts(parts, app).await;
        let unverified = bearer_token(&parts.headers).unwrap_or_default();
        Ok(Self(app.service.prove_access_token(&address, unverified, address_of(parts, app))?))
    }
}

/// What stands after `Bearer` in the one `Authorization` header.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = single(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start())
}
