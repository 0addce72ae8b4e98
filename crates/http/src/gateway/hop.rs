//! Where a call goes next, and how long that may take.

use std::{fmt, time::Duration};

use axum::http::Uri;
use countersign_domain::{
    gateway::{
        path::ClearPath,
        routes::Way,
        upstream::{Scheme, Upstream},
    },
    policy::Settings,
};

use super::failure::GatewayFailure;

/// The next hop of a call.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    /// What is asked of whom.
    pub(super) uri: Uri,
    pub(super) manner: Manner,
    /// How long the upstream may take until its answer begins, counted from the last of the request.
    pub(super) timeout: Duration,
    /// How long a body may stand still.
    pub(super) idle_timeout: Option<Duration>,
}

/// How an upstream is connected to and spoken to. Connections of one manner are kept together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Manner {
    pub(super) connect_timeout: Duration,
    pub(super) speech: Speech,
}

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Speech {
    /// HTTP/1.1 in the clear.
    Http1,
    /// HTTP/2 in the clear, from the first byte (RFC 9113 §3.3).
    Http2,
    /// Over TLS, whichever the upstream chooses.
    Tls,
    /// HTTP/1.1 over TLS.
    TlsHttp1,
}

impl Hop {
    /// The hop along a way. `query` is what the upstream shall see of it.
    pub(crate) fn along(
        way: &Way<'_>,
        path: &ClearPath<'_>,
        query: Option<&str>,
        settings: &Settings,
    ) -> Result<Self, GatewayFailure> {
        let speech = match way.upstream.scheme() {
            Scheme::Http if settings.gateway_h2c => Speech::Http2,
            Scheme::Http => Speech::Http1,
            Scheme::Https => Speech::Tls,
        };
        Ok(Self {
            uri: uri(way.upstream, &way.target(path, query))?,
            manner: Manner { connect_timeout: settings.gateway_connect_timeout, speech },
            timeout: settings.gateway_timeout,
            idle_timeout: settings.gateway_idle_timeout,
        })
    }
}

/// An address that was one before it got longer.
fn uri(upstream: &Upstream, target: &str) -> Result<Uri, GatewayFailure> {
    let text = format!("{}://{}{target}", upstream.scheme().as_str(), upstream.authority());
    Uri::from_maybe_shared(bytes::Bytes::from(text)).map_err(|_| GatewayFailure::TargetTooLong)
}

impl Manner {
    /// HTTP/2 has no `Upgrade` (RFC 9113 §8.2.2).
    pub(super) fn for_socket(self) -> Self {
        let speech = match self.speech {
            Speech::Http1 | Speech::Http2 => Speech::Http1,
            Speech::Tls | Speech::TlsHttp1 => Speech::TlsHttp1,
        };
        Self { speech, ..self }
    }

    /// Is it known beforehand that HTTP/1.1 is spoken?
    pub(super) fn is_http1(self) -> bool {
        matches!(self.speech, Speech::Http1 | Speech::TlsHttp1)
    }
}

/// The origin alone, for the log: a query may hold a secret.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, authority) = (self.uri.scheme_str(), self.uri.authority());
        write!(f, "{}://{}", scheme.unwrap_or_default(), authority.map_or("", |it| it.as_str()))
    }
}
