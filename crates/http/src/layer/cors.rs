//! What pages in browsers may call (Fetch standard, CORS protocol). There are no cookies, so a page can use only what it holds itself, and
//! any may call; a project that allows only some origins is asked on the call itself, because a preflight carries no key.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, Response, header},
};

/// A secret key's header isn't among those that a page may send.
const BACKENDS_ONLY: &str = "verification-token";

/// How long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

/// Asks a browser whether a call may be made? Such a question reaches no handler: it carries no credential and does nothing.
pub(crate) fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer: what was asked for is allowed.
pub(crate) fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    if let Some(method) = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    }
    if let Some(names) = allowed(asked) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

fn allowed(asked: &HeaderMap) -> Option<HeaderValue> {
    let values = asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(BACKENDS_ONLY)).collect();
    if names.is_empty() { None } else { HeaderValue::try_from(names.join(", ")).ok() }
}

/// Lets a page read an answer, refusals included: a browser hides those that don't say so.
pub(crate) fn let_pages_read(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers
        .entry(header::ACCESS_CONTROL_EXPOSE_HEADERS)
        .or_insert(HeaderValue::from_static("retry-after, www-authenticate, dpop-nonce, date, x-request-id"));
}
