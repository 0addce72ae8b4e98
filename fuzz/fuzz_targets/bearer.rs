//! `Authorization` headers.
#![no_main]

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use countersign_http::extract::bearer::{bearer_token, dpop_token};
use libfuzzer_sys::fuzz_target;

// One header a line.
fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(AUTHORIZATION, value);
        }
    }
    let (scheme, token) = match (bearer_token(&headers), dpop_token(&headers)) {
        (None, None) => return,
        (Some(token), None) => (&b"bearer "[..], token),
        (None, Some(token)) => (&b"dpop "[..], token),
        (Some(_), Some(_)) => panic!("one header is of two schemes"),
    };
    let values: Vec<&[u8]> = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes).collect();
    let [value] = values[..] else {
        panic!("two headers, and one of them was believed");
    };
    assert!(value.len() >= scheme.len() && value[..scheme.len()].eq_ignore_ascii_case(scheme));
    assert_eq!(value[scheme.len()..].trim_ascii_start(), token.as_bytes());
});
