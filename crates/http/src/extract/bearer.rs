//! A bearer: whoever shows a live access token in `Authorization` (RFC 6750 §2.1).

use axum::http::{HeaderMap, header};

use super::caller::single;

/// What stands after `Bearer` in the one `Authorization` header.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = single(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start())
}
