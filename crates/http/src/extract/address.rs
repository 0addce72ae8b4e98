//! To which project a call is addressed, as far as path and host say.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{header, request::Parts},
};
use countersign_service::address::Address;

use super::{caller::single, forwarded};
use crate::app::{App, Peer};

/// The address of a request.
pub(crate) struct AddressOf(pub(crate) Address);

impl FromRequestParts<App> for AddressOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let params = RawPathParams::from_request_parts(parts, app).await.ok();
        let path = params
            .and_then(|params| params.iter().find(|(name, _)| *name == "project").map(|(_, value)| value.to_owned()));
        Ok(Self(Address { path, host: host(parts, app) }))
    }
}

/// The host asked for, in lower case and without its port. Where the target names one, the `Host` header counts for nothing (RFC 9112 §3.2.2).
fn host(parts: &Parts, app: &App) -> Option<String> {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
    let forwarded = forwarded::host(peer, &parts.headers, &app.doors.trusted_proxies);
    let asked = forwarded.or_else(|| parts.uri.host());
    let host = asked.or_else(|| single(&parts.headers, header::HOST.as_str()))?;
    let without_port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    Some(without_port.map_or(host, |(name, _)| name).to_ascii_lowercase())
}
