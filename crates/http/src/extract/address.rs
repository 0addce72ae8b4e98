//! To which project a call is addressed, as far as path and host say.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{Extensions, HeaderMap, Uri, header, request::Parts},
};
use countersign_service::address::Address;

use super::{caller::single, forwarded};
use crate::app::{App, Peer};

/// The address of a request.
pub(crate) struct AddressOf(pub(crate) Address);

impl FromRequestParts<App> for AddressOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let path = match RawPathParams::from_request_parts(parts, app).await {
            Ok(params) => params.iter().find(|(name, _)| *name == "project").map(|(_, value)| value.to_owned()),
            // A path that is no text names no project: not even the default one.
            Err(_) => Some(String::new()),
        };
        Ok(Self(Address { path, host: host(parts, app) }))
    }
}

/// Where the target names a host, the `Host` header counts for nothing (RFC 9112 §3.2.2).
pub(crate) fn host(parts: &Parts, app: &App) -> Option<String> {
    host_of(&parts.uri, &parts.headers, &parts.extensions, app)
}

/// The same, of a request that is still whole.
pub(crate) fn host_of(uri: &Uri, headers: &HeaderMap, extensions: &Extensions, app: &App) -> Option<String> {
    let peer = extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
    let forwarded = forwarded::host(peer, headers, &app.doors.trusted_proxies);
    let asked = forwarded.or_else(|| uri.host());
    asked.or_else(|| single(headers, header::HOST.as_str())).map(host_name)
}

/// The host that was asked for, in lower case and without its port.
pub fn host_name(asked: &str) -> String {
    let without_port = asked.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    without_port.map_or(asked, |(name, _)| name).to_ascii_lowercase()
}
