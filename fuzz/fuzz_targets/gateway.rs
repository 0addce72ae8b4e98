//! Which upstream a call goes to: routes as an operator writes them, paths as anybody does.
#![no_main]

use axum::http::Uri;
use countersign_domain::gateway::{
    path::ClearPath,
    routes::{Found, Routes, Way},
    upstream::Upstream,
};
use countersign_fuzz::assert_tells_no_secret;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const LAST_RESORT: &str = "http://last.example/resort";

// The path, after a `+` where escaped slashes are let through; the host; then the routes.
fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (Some(path), Some(host), Some(table)) = (lines.next(), lines.next(), lines.next()) else {
        return;
    };
    let routes = match table.parse::<Routes>() {
        Ok(routes) => routes,
        Err(problem) => return assert_tells_no_secret(&problem.to_string()),
    };
    let (path, slashes) = path.strip_prefix('+').map_or((path, false), |path| (path, true));
    let Ok(clear) = ClearPath::read(path, slashes) else {
        return;
    };
    assert_eq!(clear.as_written(), path);
    assert_no_reader_leaves_the_path(path);
    let last: Upstream = LAST_RESORT.parse().expect("an upstream");
    let table: Vec<Value> = serde_json::from_str(table).expect("what was read once");
    if let Found::Way(way) = routes.find(Some(&last), Some(host), &clear) {
        assert_asks_what_can_be_asked(&way, &clear);
        for reading in readings(path) {
            assert_eq!(reference(&table, host, &reading), way.upstream.to_string(), "{reading:?}");
        }
    }
});

/// Whoever reads escapes, however often, never goes up.
fn assert_no_reader_leaves_the_path(path: &str) {
    let mut read = path.as_bytes().to_vec();
    for _ in 0..4 {
        for segment in read.split(|b| matches!(b, b'/' | b'\\')) {
            let bare = segment.split(|b| *b == b';').next().unwrap_or_default();
            assert!(!matches!(bare, b"." | b".."), "a dot segment");
        }
        assert!(!read.iter().any(u8::is_ascii_control), "a control character");
        read = unescape(&read);
    }
}

fn assert_asks_what_can_be_asked(way: &Way<'_>, path: &ClearPath<'_>) {
    let target = way.target(path, None);
    let rest = target.strip_prefix(way.upstream.base()).expect("the upstream's own path first");
    assert!(rest.starts_with('/') && (path.as_written().ends_with(rest) || rest == "/"), "{target:?}");
    let url = format!("{}{target}", way.upstream.origin());
    // What no request can hold, no request asks for.
    if let (Ok(_), Ok(url)) = (path.as_written().parse::<Uri>(), url.parse::<Uri>()) {
        assert_eq!(url.authority().map(ToString::to_string).as_deref(), Some(way.upstream.authority()));
    }
    assert_eq!(way.upstream.to_string().parse::<Upstream>().as_ref(), Ok(way.upstream));
}

/// What upstreams make of a path before they look for a handler.
fn readings(path: &str) -> Vec<Vec<String>> {
    let once: Vec<Vec<u8>> = path.split('/').skip(1).map(|segment| unescape(segment.as_bytes())).collect();
    let often = |times: usize| {
        let mut read = path.as_bytes().to_vec();
        for _ in 0..times {
            read = unescape(&read);
        }
        let segments = read.split(|b| matches!(b, b'/' | b'\\')).skip(1);
        segments.map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let mut readings = Vec::new();
    for segments in [once, often(1), often(2), often(8)] {
        for (cut, merge, fold) in (0..8).map(|bits| (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0)) {
            let bare = segments.iter().map(|segment| match cut {
                true => segment.split(|b| *b == b';').next().unwrap_or_default(),
                false => segment,
            });
            let kept = bare.filter(|segment| !(merge && segment.is_empty()));
            let text = kept.map(|segment| String::from_utf8_lossy(segment).into_owned());
            readings.push(text.map(|text| if fold { text.to_ascii_lowercase() } else { text }).collect());
        }
    }
    readings
}

/// The upstream of the best route, by a search of its own. A reader who knows no upper case knows none in a table either.
fn reference(table: &[Value], host: &str, segments: &[String]) -> String {
    let folded: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let is_folded = folded == segments;
    let mut best: Option<(bool, usize, &str)> = None;
    for route in table {
        let own = route["host"].as_str();
        let prefix = route["prefix"].as_str().unwrap_or("/");
        let wanted: Vec<&str> = prefix.split('/').filter(|segment| !segment.is_empty()).collect();
        let is_said =
            |(said, wanted): (&String, &&str)| said == wanted || (is_folded && *said == wanted.to_ascii_lowercase());
        let fits = wanted.len() <= segments.len() && segments.iter().zip(&wanted).all(is_said);
        let rank = (own.is_some(), wanted.len());
        if fits && own.is_none_or(|own| own == host) && best.is_none_or(|(host, length, _)| rank > (host, length)) {
            best = Some((rank.0, rank.1, route["upstream"].as_str().expect("an upstream")));
        }
    }
    let upstream: Upstream = best.map_or(LAST_RESORT, |(_, _, upstream)| upstream).parse().expect("an upstream");
    upstream.to_string()
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let is_hex = digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.filter(|_| text[at] == b'%' && is_hex).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                read.push(byte);
                at += 3;
            }
            None => {
                read.push(text[at]);
                at += 1;
            }
        }
    }
    read
}
