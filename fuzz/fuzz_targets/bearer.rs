//! `Authorization` headers.
#![no_main]

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use countersign_http::extract::bearer::bearer_token;
use libfuzzer_sys::fuzz_target;

// One header a line.
fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(AUTHORIZATION, value);
        }
    }
    let Some(token) = bearer_token(&headers) else {
        return;
    };
    let values: Vec<&[u8]> = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes).collect();
    let [value] = values[..] else {
        panic!("two headers, and one of them was believed");
    };
    assert!(value.len() >= 7 && value[..7].eq_ignore_ascii_case(b"bearer "));
    assert_eq!(value[7..].trim_ascii_start(), token.as_bytes());
});
