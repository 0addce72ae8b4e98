//! Host names as requests have them.
#![no_main]

use countersign_domain::policy::definition;
use countersign_http::extract::address::host_name;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|asked: &str| {
    let host = host_name(asked);
    assert!(!host.bytes().any(|b| b.is_ascii_uppercase()));
    // What could be a project's host was asked for by that name, with or without a port, and by no other.
    if !host.is_empty() && definition("host").unwrap().check(&host).is_ok() {
        let asked = asked.to_ascii_lowercase();
        let port = asked.strip_prefix(&host).expect("a name that was not asked for");
        let digits = port.strip_prefix(':').unwrap_or("");
        assert!(port.is_empty() || (port.starts_with(':') && digits.bytes().all(|b| b.is_ascii_digit())), "{port:?}");
        assert_eq!(host_name(&format!("{host}:443")), host);
    }
});
