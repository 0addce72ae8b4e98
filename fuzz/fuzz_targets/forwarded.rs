//! What proxies, and whoever plays one, say of where a call comes from.
#![no_main]

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use countersign_http::extract::forwarded;
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;

const FORWARDED_FOR: &str = "x-forwarded-for";

// The peer; the trusted networks, separated by commas; then headers, `name: value`.
fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|b| *b == b'\n');
    let mut text = || std::str::from_utf8(lines.next()?).ok();
    let (Some(Ok(peer)), Some(networks)) = (text().map(str::parse::<IpAddr>), text()) else {
        return;
    };
    let trusted: Vec<IpNet> = networks.split(',').filter_map(|network| network.parse().ok()).collect();
    let headers = headers(lines);

    let seen = forwarded::client_address(peer, &headers, &trusted);
    assert_eq!(seen, reference(peer, &headers, &trusted));
    assert_eq!(seen, seen.to_canonical());

    let host = forwarded::host(peer, &headers, &trusted);
    let request_id = forwarded::request_id(peer, &headers, &trusted);
    if !contains(&trusted, peer) {
        assert_eq!((seen, host, request_id), (peer.to_canonical(), None, None), "a stranger was believed");
        assert_eq!(forwarded::origin(peer, &headers, &trusted), None, "a stranger was believed");
        assert_eq!(forwarded::call(peer, &headers, &trusted), None, "a stranger was believed");
    }
    if let Some(id) = request_id {
        assert!(id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
    }
    assert_forged_front_counts_for_nothing(peer, &headers, &trusted);
});

fn headers<'d>(lines: impl Iterator<Item = &'d [u8]>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (name, value) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(line[colon + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

/// One list, whether it came in one header or in many (RFC 9110 §5.3), read from its end.
fn reference(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let values: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
    let list = values.join(&b',');
    let entries: Vec<&[u8]> = if values.is_empty() { Vec::new() } else { list.split(|b| *b == b',').collect() };
    let mut seen = peer.to_canonical();
    for entry in entries.into_iter().rev() {
        let (true, Some(next)) = (contains(trusted, seen), address(entry)) else {
            return seen;
        };
        seen = next;
    }
    seen
}

fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).filter(|text| text.contains(':'));
    let address = bare.unwrap_or(text).parse().or_else(|_| text.parse::<SocketAddr>().map(|it| it.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address.to_canonical()))
}

/// What stands before the entry that a trusted proxy wrote of a stranger was written by that stranger.
fn assert_forged_front_counts_for_nothing(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) {
    let seen = forwarded::client_address(peer, headers, trusted);
    if contains(trusted, seen) {
        return;
    }
    let mut forged = HeaderMap::new();
    for value in ["192.0.2.66", "192.0.2.66, ", "\"", "[::1"] {
        forged.append(FORWARDED_FOR, HeaderValue::from_static(value));
    }
    for value in headers.get_all(FORWARDED_FOR) {
        forged.append(FORWARDED_FOR, value.clone());
    }
    assert_eq!(forwarded::client_address(peer, &forged, trusted), seen);
}
