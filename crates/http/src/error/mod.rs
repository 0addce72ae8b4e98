//! What use cases refuse, as HTTP: one file a door, because each has its own shape. The caller gets a stable code and what to do; the log
//! gets the cause.

mod challenge;
pub(crate) mod client_api;
pub(crate) mod delegation;
pub(crate) mod oauth;
pub(crate) mod vouch;

use std::time::Duration;

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// How long callers are asked to wait when the server can't answer.
const OUTAGE_RETRY: Duration = Duration::from_secs(1);

/// What the log says of an answer, and the caller doesn't learn.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) String);

/// Whole seconds, rounded up: who comes too early is refused again.
pub(crate) fn add_retry_after(response: &mut Response, wait: Duration) {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}
