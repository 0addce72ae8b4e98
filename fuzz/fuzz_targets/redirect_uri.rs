//! Redirect URIs: one to register, and one that a request names.
#![no_main]

use countersign_domain::oauth::redirect_uri::{RedirectKind, RedirectUri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (registered, shown) = data.split_once('\n').unwrap_or((data, data));
    let Ok(uri) = registered.parse::<RedirectUri>() else { return };
    assert_eq!(uri.as_str(), registered);
    assert!(uri.matches(registered));
    assert!(registered.bytes().all(|b| b.is_ascii_graphic()) && !registered.contains(['#', '\\', '*']));
    let authority = registered.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap());
    assert!(!authority.contains('@'));
    if uri.matches(shown) && shown != registered {
        assert_eq!(uri.kind(), RedirectKind::Loopback, "{registered} {shown}");
        let host = if registered.starts_with("http://[::1]") { "http://[::1]" } else { "http://127.0.0.1" };
        let rest = shown.strip_prefix(host).expect("the same address");
        let after = rest.strip_prefix(':').map_or(rest, |it| it.trim_start_matches(|c: char| c.is_ascii_digit()));
        assert!(registered.ends_with(after) && !after.starts_with('@'), "{registered} {shown}");
    }
});
