//! What proxies say of where a call comes from. Anybody can write these headers, so they count only as far as trusted proxies wrote them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

use super::caller::single;

/// The header in which a proxy says by which method it was asked.
pub(super) const METHOD: &str = "x-forwarded-method";

/// The address that the last trusted proxy saw. Each proxy adds its peer at the end of `X-Forwarded-For`, so the list is read backwards,
/// for as long as it names trusted proxies.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut seen = peer.to_canonical();
    if !is_trusted(seen, trusted) {
        return seen;
    }
    // As bytes: a header that isn't text must end the list like any other garbage, not drop out of it.
    let values = headers.get_all("x-forwarded-for").iter().rev().map(HeaderValue::as_bytes);
    for entry in values.flat_map(|value| value.rsplit(|b| *b == b',')) {
        let Some(address) = std::str::from_utf8(entry.trim_ascii()).ok().and_then(parse) else {
            return seen;
        };
        seen = address;
        if !is_trusted(seen, trusted) {
            return seen;
        }
    }
    seen
}

/// The host that the first proxy was asked for; only from a trusted peer.
pub fn host<'h>(peer: IpAddr, headers: &'h HeaderMap, trusted: &[IpNet]) -> Option<&'h str> {
    is_trusted(peer, trusted).then(|| single(headers, "x-forwarded-host")).flatten()
}

/// Scheme and host that the first proxy was asked for, where it says both; only from a trusted peer.
pub fn origin(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<String> {
    let host = host(peer, headers, trusted)?;
    let scheme = single(headers, "x-forwarded-proto")?;
    Some(format!("{scheme}://{host}"))
}

/// Method and target of the call that a proxy got and asks about, before it passes it on; only from a trusted peer. Where it says one of them
/// alone, or twice, the other or both are empty: no call is like that, so no proof is for it.
pub fn call<'h>(peer: IpAddr, headers: &'h HeaderMap, trusted: &[IpNet]) -> Option<(&'h str, &'h str)> {
    const NAMES: [&str; 2] = [METHOD, "x-forwarded-uri"];
    let is_said = NAMES.iter().any(|name| headers.contains_key(*name));
    let [method, target] = NAMES.map(|name| single(headers, name).unwrap_or_default());
    (is_said && is_trusted(peer, trusted)).then_some((method, target))
}

/// The method of the call that a proxy asks about, where anybody says it; empty where it is said twice. To be used against the caller alone.
pub fn method(headers: &HeaderMap) -> Option<&str> {
    headers.contains_key(METHOD).then(|| single(headers, METHOD).unwrap_or_default())
}

/// What the proxy calls the request; only from a trusted peer, and only what can stand in a log as it is.
pub fn request_id<'h>(peer: IpAddr, headers: &'h HeaderMap, trusted: &[IpNet]) -> Option<&'h str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let given = is_trusted(peer, trusted).then(|| single(headers, "x-request-id")).flatten()?;
    ((1..=64).contains(&given.len()) && given.bytes().all(is_plain)).then_some(given)
}

/// Is its word taken?
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address.to_canonical()))
}

/// An address, with or without a port, an IPv6 address with or without brackets.
fn parse(entry: &str) -> Option<IpAddr> {
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(socket) = entry.parse::<SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let bare = entry.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<Ipv6Addr>().ok().map(|address| IpAddr::from(address).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_strangers_headers_count_for_nothing() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn a_trusted_proxy_says_whom_it_saw() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(seen("fd00::1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(seen("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
    }

    #[test]
    fn what_a_client_wrote_before_the_first_trusted_proxy_is_not_believed() {
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "198.51.100.1", "10.0.0.2"]), "198.51.100.1");
    }

    #[test]
    fn a_strangers_word_for_scheme_and_host_counts_for_nothing() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let asked = |peer: &str, named: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in named {
                headers.append(*name, value.parse().unwrap());
            }
            origin(peer.parse().unwrap(), &headers, &trusted)
        };
        let both = [("x-forwarded-proto", "https"), ("x-forwarded-host", "auth.example.com:8443")];
        assert_eq!(asked("10.0.0.1", &both).as_deref(), Some("https://auth.example.com:8443"));
        assert_eq!(asked("203.0.113.9", &both), None);
        assert_eq!(asked("10.0.0.1", &both[..1]), None);
        assert_eq!(asked("10.0.0.1", &both[1..]), None);
        assert_eq!(asked("10.0.0.1", &[both[0], both[0], both[1]]), None, "twice is as good as never");
    }

    #[test]
    fn a_call_that_is_half_said_is_like_none_that_was_made() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let asked = |peer: &str, named: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in named {
                headers.append(*name, value.parse().unwrap());
            }
            let said = call(peer.parse().unwrap(), &headers, &trusted);
            said.map(|(method, target)| format!("{method} {target}"))
        };
        let both = [("x-forwarded-method", "PUT"), ("x-forwarded-uri", "/a?b")];
        assert_eq!(asked("10.0.0.1", &both).as_deref(), Some("PUT /a?b"));
        assert_eq!(asked("203.0.113.9", &both), None, "a stranger's word counts for nothing");
        assert_eq!(asked("10.0.0.1", &[]), None);
        assert_eq!(asked("10.0.0.1", &both[..1]).as_deref(), Some("PUT "));
        assert_eq!(asked("10.0.0.1", &both[1..]).as_deref(), Some(" /a?b"));
        assert_eq!(asked("10.0.0.1", &[both[0], both[1], both[1]]).as_deref(), Some("PUT "));
    }

    #[test]
    fn garbage_ends_the_list() {
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, unknown"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, , 10.0.0.2"]), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &["[198.51.100.1]"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn bytes_that_are_no_text_dont_uncover_what_a_client_wrote_before_them() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in [&b"1.1.1.1"[..], b"\xff", b"10.0.0.2"] {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(value).unwrap());
        }
        let seen = client_address("10.0.0.1".parse().unwrap(), &headers, &trusted);
        assert_eq!(seen.to_string(), "10.0.0.2");
    }
}
