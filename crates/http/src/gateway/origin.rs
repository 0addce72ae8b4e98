//! Where a call came from, as the upstream is told: the headers of the `X-Forwarded` family, and `Forwarded` (RFC 7239).
//!
//! Anybody can write them. What a trusted proxy wrote is continued; what others wrote is dropped, and what we saw takes its place.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use ipnet::IpNet;

use crate::{
    app::{OverTls, Peer},
    extract::{caller::single, forwarded::is_trusted},
};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where a call came from.
pub(super) struct Origin {
    pub(super) is_from_trusted_proxy: bool,
    seen: Option<HeaderValue>,
    proto: HeaderValue,
    host: Option<HeaderValue>,
    /// Only continued, never begun: one who reads it reads nothing else.
    forwarded: Option<HeaderValue>,
}

impl Origin {
    pub(super) fn of(parts: &Parts, trusted_proxies: &[IpNet]) -> Self {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.to_canonical());
        let is_from_trusted_proxy = is_trusted(peer, trusted_proxies);
        let own_proto = if parts.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
        let own_host = parts.uri.authority().map(|authority| without_user(authority.as_str()));
        let own_host = own_host.or_else(|| single(&parts.headers, header::HOST.as_str()));
        let told = |name: &HeaderName| is_from_trusted_proxy.then(|| single(&parts.headers, name.as_str())).flatten();
        let proto = told(&PROTO).filter(|proto| matches!(*proto, "http" | "https")).unwrap_or(own_proto);
        let continued = |name: &HeaderName, own: &str| {
            let earlier = is_from_trusted_proxy.then(|| parts.headers.get_all(name).iter());
            list(earlier.into_iter().flatten(), own)
        };
        let was_forwarded = is_from_trusted_proxy && parts.headers.contains_key(header::FORWARDED);
        Self {
            is_from_trusted_proxy,
            seen: continued(&FOR, &peer.to_string()),
            proto: HeaderValue::from_str(proto).unwrap_or(HeaderValue::from_static("http")),
            host: told(&HOST).or(own_host).and_then(|host| HeaderValue::from_str(host).ok()),
            forwarded: was_forwarded.then(|| continued(&header::FORWARDED, &element(peer, own_proto))).flatten(),
        }
    }

    pub(super) fn tell(self, headers: &mut HeaderMap) {
        let told =
            [(FOR, self.seen), (PROTO, Some(self.proto)), (HOST, self.host), (header::FORWARDED, self.forwarded)];
        for (name, value) in told {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
    }
}

/// Our own entry behind the earlier ones, which needn't be text.
fn list<'h>(earlier: impl Iterator<Item = &'h HeaderValue>, own: &str) -> Option<HeaderValue> {
    let mut list = Vec::new();
    for value in earlier {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(own.as_bytes());
    HeaderValue::from_bytes(&list).ok()
}

/// An IPv6 address stands in brackets, and brackets stand in quotes (RFC 7239 §6).
fn element(peer: IpAddr, proto: &str) -> String {
    match peer {
        IpAddr::V4(peer) => format!("for={peer};proto={proto}"),
        IpAddr::V6(peer) => format!("for=\"[{peer}]\";proto={proto}"),
    }
}

fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
