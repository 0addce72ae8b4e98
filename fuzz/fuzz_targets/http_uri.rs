//! Where a call went, as a client spells it.
#![no_main]

use axum::http::Uri;
use countersign_domain::http_uri::HttpUri;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some(uri) = HttpUri::parse(text) else {
        return;
    };
    let normal = uri.to_string();
    assert!(normal.is_ascii() && !normal.bytes().any(|b| b.is_ascii_control() || b == b' '));
    assert_eq!(HttpUri::parse(&normal).as_ref(), Some(&uri), "a normal spelling has another");
    assert!(uri.path().starts_with('/') && !uri.path().contains(['?', '#', '\\']));
    assert!(uri.path().split('/').all(|segment| segment != "." && segment != ".."), "{normal}");
    assert_eq!(uri.at(uri.path()).as_ref(), Some(&uri));

    // Whoever routes the call reads the same host, and no port but the one that is named.
    if let Ok(other) = text.parse::<Uri>() {
        assert_eq!(other.host().map(str::to_ascii_lowercase).as_deref(), Some(uri.host()), "{text:?}");
        let is_https = other.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let named = other.port_u16().filter(|port| *port != if is_https { 443 } else { 80 });
        let port = named.map(|port| format!(":{port}")).unwrap_or_default();
        let scheme = if is_https { "https" } else { "http" };
        assert_eq!(normal, format!("{scheme}://{}{port}{}", uri.host(), uri.path()), "{text:?}");
    }
});
