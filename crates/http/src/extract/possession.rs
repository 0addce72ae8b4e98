//! A proof that the caller holds a key: the `DPoP` header (RFC 9449 §4.1), with the call that it must be for.

use std::{convert::Infallible, net::IpAddr};

use axum::{extract::FromRequestParts, http::request::Parts};
use countersign_service::proof::possession::UnverifiedPossession;

use super::{caller::single, forwarded};
use crate::app::{App, Peer};

/// The header that has it.
const DPOP: &str = "dpop";

/// What a call shows of a key, if it shows anything.
pub(crate) struct PossessionOf(pub(crate) Option<UnverifiedPossession>);

impl FromRequestParts<App> for PossessionOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(possession_of(parts, app)))
    }
}

/// Two headers are as good as none (RFC 9449 §4.3).
pub(crate) fn possession_of(parts: &Parts, app: &App) -> Option<UnverifiedPossession> {
    let unverified = single(&parts.headers, DPOP)?.to_owned();
    Some(UnverifiedPossession {
        unverified,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        forwarded: forwarded::origin(peer_of(parts), &parts.headers, &app.doors.trusted_proxies),
        is_asked_about: false,
    })
}

/// The same, of a call that a proxy got and asks about. What reached us is the proxy's question: no proof was made for that.
pub(crate) fn possession_asked_about(parts: &Parts, app: &App) -> Option<UnverifiedPossession> {
    let shown = possession_of(parts, app)?;
    let Some((method, target)) = forwarded::call(peer_of(parts), &parts.headers, &app.doors.trusted_proxies) else {
        return Some(shown);
    };
    Some(UnverifiedPossession { method: method.to_owned(), path: target.to_owned(), is_asked_about: true, ..shown })
}

fn peer_of(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0)
}
