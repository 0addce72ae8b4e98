//! Who calls, as far as the connection tells.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use countersign_service::caller::Caller;

use super::forwarded;
use crate::{
    app::{App, Peer},
    layer::RequestId,
};

/// The caller of a request.
pub(crate) struct CallerOf(pub(crate) Caller);

impl FromRequestParts<App> for CallerOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(caller_of(parts, app)))
    }
}

/// Who calls.
pub(crate) fn caller_of(parts: &Parts, app: &App) -> Caller {
    let user_agent = parts.headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    Caller {
        address: address_of(parts, app),
        user_agent: user_agent.unwrap_or_default().into_owned(),
        origin: parts.headers.get(header::ORIGIN).map(|value| String::from_utf8_lossy(value.as_bytes()).into()),
        request_id: parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default(),
    }
}

/// The peer's address; where the peer is a trusted proxy, the one that it saw.
pub(crate) fn address_of(parts: &Parts, app: &App) -> IpAddr {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
    forwarded::client_address(peer, &parts.headers, &app.doors.trusted_proxies)
}

/// A header that stands there once, as text. Twice is as good as never: who knows which one was meant?
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
