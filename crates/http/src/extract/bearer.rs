//! A bearer: whoever shows a live access token in `Authorization`, as it is (RFC 6750 §2.1), or with a proof of the key to which it is bound
//! (RFC 9449 §7.1).

use axum::http::{HeaderMap, header};
use countersign_service::proof::{access_token::ShownToken, possession::UnverifiedPossession};

use super::caller::single;

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
