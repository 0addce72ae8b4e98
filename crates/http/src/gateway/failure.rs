//! Why a call didn't get through. What the log says names the upstream; what the caller hears doesn't.

use std::{error::Error, iter::successors};

use hyper_util::client::legacy;

use super::{connector::TookTooLong, hop::Hop};

/// Why there is no answer of the upstream's.
#[derive(Debug)]
pub(crate) enum GatewayFailure {
    /// Nobody is there: no such host, no connection, no TLS that can be trusted.
    Unreachable(String),
    /// It didn't connect, or didn't begin to answer, in time.
    TimedOut(String),
    /// What came isn't an answer, or none came before the connection ended.
    NotHttp(String),
    /// What the caller proved no longer stands.
    Revoked,
    /// The caller's body broke off.
    CallerBrokeOff,
    /// The caller's body stood still for too long.
    CallerStalled,
    /// A method that goes no further than here.
    Method,
    /// With the upstream's own path before it, the path is too long.
    TargetTooLong,
}

impl GatewayFailure {
    pub(super) fn of(error: &legacy::Error, hop: &Hop) -> Self {
        let first: &(dyn Error + 'static) = error;
        let causes: Vec<_> = successors(Some(first), |error| (*error).source()).collect();
        let said: Vec<String> = causes.iter().map(ToString::to_string).collect();
        let cause = format!("{hop}: {}", said.join(": "));
        if causes.iter().any(|cause| cause.is::<TookTooLong>()) {
            Self::TimedOut(cause)
        } else if error.is_connect() {
            Self::Unreachable(cause)
        } else {
            Self::NotHttp(cause)
        }
    }
}
