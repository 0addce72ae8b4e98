//! Which headers go on, in either direction, and which stay here.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header, request::Parts},
};
use hyper::body::Body as _;
use ipnet::IpNet;

use super::{hop::Manner, origin::Origin};
use crate::layer::{REQUEST_ID, RequestId};

const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// Makes of a caller's headers those that the upstream gets. What stays here goes first: nothing that a caller names in `Connection` can take
/// away what is written after.
pub(super) fn leave(parts: &mut Parts, body: &Body, manner: Manner, trusted_proxies: &[IpNet], identity: HeaderMap) {
    let origin = Origin::of(parts, trusted_proxies);
    let wants_trailers = tokens(&parts.headers, &header::TE).any(|token| token.eq_ignore_ascii_case("trailers"));
    let headers = &mut parts.headers;
    remove(headers, |name| stays_here(name, origin.is_from_trusted_proxy));
    frame(headers, &parts.method, body);
    join_cookies(headers);
    if wants_trailers {
        headers.insert(header::TE, TRAILERS);
        // RFC 9110 §10.1.4. Where HTTP/2 might be spoken, `Connection` would take the header with it.
        if manner.is_http1() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
    }
    origin.tell(headers);
    headers.append(header::VIA, via(parts.version));
    let id = parts.extensions.get::<RequestId>().and_then(RequestId::to_header);
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    headers.extend(identity);
}

/// Makes of an upstream's headers those that the caller gets.
pub(super) fn come_back(headers: &mut HeaderMap) {
    // Where both stand, the length was not what the body was read by (RFC 9112 §6.3).
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    remove(headers, |name| {
        let name = plainly(name);
        is_of_one_hop(&name) || is_ours(&name)
    });
}

/// A trailer is a header to whoever puts the two together (RFC 9110 §6.5.1).
pub(super) fn clean_trailers(trailers: &mut HeaderMap) {
    remove(trailers, |name| stays_here(name, false));
}

/// Says that this connection shall become a WebSocket, or has.
pub(super) fn ask_for_socket(headers: &mut HeaderMap) {
    headers.remove(header::TE);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}

/// What `Connection` names: it ends here (RFC 9110 §7.6.1).
pub(super) fn connection_names(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    tokens(headers, &header::CONNECTION).filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
}

fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn remove(headers: &mut HeaderMap, is_meant: impl Fn(&HeaderName) -> bool) {
    let mut gone: Vec<HeaderName> = connection_names(headers).collect();
    gone.extend(headers.keys().filter(|name| is_meant(name)).cloned());
    for name in gone {
        headers.remove(name);
    }
}

/// The name as careless servers read it: CGI and its heirs can't tell `-` from `_`, nor some of them either from other marks.
fn plainly(name: &HeaderName) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.as_str().chars().all(is_plain) {
        Cow::Borrowed(name.as_str())
    } else {
        Cow::Owned(name.as_str().replace(|c| !is_plain(c), "-"))
    }
}

/// What an upstream never gets from a caller.
fn stays_here(name: &HeaderName, is_from_trusted_proxy: bool) -> bool {
    let plain = plainly(name);
    if is_of_one_hop(&plain) || is_ours(&plain) || is_credential(&plain) {
        return true;
    }
    match &*plain {
        // What is written anew: what the next hop is asked, how long the question is, and where it came from.
        "host" | "content-length" | "expect" | "x-request-id" | "x-forwarded-for" | "x-forwarded-host"
        | "x-forwarded-proto" | "forwarded" => true,
        // Others in which a proxy says what it saw, and those in which it names the path that it was asked for: some upstreams go by them.
        "x-real-ip" | "x-original-url" | "x-rewrite-url" => !is_from_trusted_proxy || *plain != *name.as_str(),
        family if family.starts_with("x-forwarded-") => !is_from_trusted_proxy || *plain != *name.as_str(),
        _ => false,
    }
}

fn is_of_one_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Who says who calls is us.
fn is_ours(name: &str) -> bool {
    name.starts_with("x-countersign-")
}

/// What a caller proves itself with is nobody's but ours to see.
fn is_credential(name: &str) -> bool {
    matches!(name, "authorization" | "verification-token" | "dpop") || name.starts_with("x-proficient-")
}

/// Says how long the body is by what it was read by, and by nothing that the caller wrote.
fn frame(headers: &mut HeaderMap, method: &Method, body: &Body) {
    if body.is_end_stream() {
        // RFC 9110 §8.6.
        if matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    } else if let Some(length) = body.size_hint().exact() {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    } else if matches!(*method, Method::GET | Method::HEAD) {
        // The client would leave out a body that these methods hardly ever have.
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// HTTP/2 may cut `Cookie` into pieces, and HTTP/1.1 may not have it twice (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut pieces = headers.get_all(header::COOKIE).iter();
    if pieces.nth(1).is_none() {
        return;
    }
    let all: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

/// RFC 9110 §7.6.3.
fn via(version: Version) -> HeaderValue {
    HeaderValue::from_static(match version {
        Version::HTTP_10 => "1.0 countersign",
        Version::HTTP_2 => "2.0 countersign",
        _ => "1.1 countersign",
    })
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use axum::extract::Request;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        app::{OverTls, Peer},
        gateway::hop::Speech,
    };

    const MANNER: Manner = Manner { connect_timeout: Duration::from_secs(1), speech: Speech::Http1 };

    fn identity() -> HeaderMap {
        let headers = [("x-countersign-user", "u_ada"), ("x-countersign-amr", "hmac")];
        headers
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .into_iter()
            .collect()
    }

    fn left(headers: &[(String, String)], prepare: impl FnOnce(&mut Parts)) -> HeaderMap {
        let mut parts = Request::new(()).into_parts().0;
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                parts.headers.append(name, value);
            }
        }
        prepare(&mut parts);
        leave(&mut parts, &Body::from("hello"), MANNER, &["10.0.0.0/8".parse().unwrap()], identity());
        parts.headers
    }

    #[test]
    fn the_upstream_is_told_how_the_caller_reached_us() {
        let told = |peer: &str, over_tls: bool| {
            let headers =
                [("host".to_owned(), "api.example.com:8443".to_owned()), ("forwarded".to_owned(), "for=x".to_owned())];
            let headers = left(&headers, |parts| {
                parts.extensions.insert(Peer(peer.parse::<IpAddr>().unwrap()));
                if over_tls {
                    parts.extensions.insert(OverTls);
                }
            });
            let told = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"];
            told.map(|name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned())
        };
        assert_eq!(told("203.0.113.9", true), ["203.0.113.9", "https", "api.example.com:8443", ""]);
        assert_eq!(told("2001:db8::7", false), ["2001:db8::7", "http", "api.example.com:8443", ""]);
        let own = "for=x, for=10.0.0.1;proto=https";
        assert_eq!(told("::ffff:10.0.0.1", true), ["10.0.0.1", "https", "api.example.com:8443", own]);
    }

    #[test]
    fn a_name_in_a_url_is_no_host() {
        let headers = left(&[], |parts| parts.uri = "http://admin:pw@api.example.com:81/x".parse().unwrap());
        assert_eq!(headers["x-forwarded-host"], "api.example.com:81");
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            "[xX][-_.~!](countersign|proficient|forwarded|real|request|original|mine)[-_.~!](user|User|for|host|ip|id|url|[a-z]{0,3})",
            "(authorization|verification[-_]token|dpop|proxy[-_]authorization|host|te|expect|via)",
            "(content[-_]length|transfer[-_]encoding|connection|keep[-_]alive|upgrade|accept|cookie)",
            "[a-z]{1,8}",
        ]
    }

    fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
        let named = vec(name(), 0..4).prop_map(|names| ("connection".to_owned(), names.join(", ")));
        let any = (name(), "[a-z0-9=,;]{0,8}").prop_map(|(name, value)| (name, format!("EVE{value}")));
        vec(prop_oneof![3 => any, 1 => named], 0..12)
    }

    proptest! {
        #[test]
        fn whatever_a_caller_writes_only_we_say_who_calls(headers in headers()) {
            let left = left(&headers, |_| ());
            for (name, value) in identity() {
                let name = name.unwrap();
                prop_assert_eq!(left.get_all(&name).iter().collect::<Vec<_>>(), [&value]);
            }
            for (name, value) in &left {
                let (plain, said) = (plainly(name).into_owned(), value.to_str().unwrap());
                if plain.starts_with("x-countersign-") {
                    prop_assert!(identity().contains_key(name), "{} goes on", name);
                }
                // The host is what was asked for, whatever it is.
                let is_the_callers = said.contains("EVE") && name != "x-forwarded-host";
                let must_not = ["x-proficient-", "x-forwarded-", "x-real-ip", "x-original-url", "x-request-id", "authorization",
                    "verification-token", "dpop", "host", "content-", "transfer-", "keep-", "upgrade", "te", "expect", "proxy-"];
                let is_kept_back = |kept: &&str| if kept.ends_with('-') { plain.starts_with(*kept) } else { plain == **kept };
                prop_assert!(!(is_the_callers && must_not.iter().any(is_kept_back)), "{} goes on", name);
                let named = headers.iter().filter(|(name, _)| name == "connection").flat_map(|(_, value)| value.split(", "));
                prop_assert!(!(is_the_callers && named.clone().any(|named| name == named)), "{} was named and goes on", name);
            }
            prop_assert_eq!(left.get_all("content-length").iter().collect::<Vec<_>>(), ["5"]);
            prop_assert!(!left.contains_key("transfer-encoding") && !left.contains_key("host"));
        }

        #[test]
        fn whatever_an_upstream_writes_it_says_nothing_of_who_calls(headers in headers()) {
            let mut back: HeaderMap = HeaderMap::new();
            for (name, value) in &headers {
                back.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            come_back(&mut back);
            for name in back.keys() {
                let plain = plainly(name);
                prop_assert!(!plain.starts_with("x-countersign-") && !is_of_one_hop(&plain), "{} comes back", name);
            }
        }
    }
}
