//! Calls that claim to be sealed and signed: four lines of headers, and the body.
#![no_main]

use std::sync::LazyLock;

use countersign_crypto::delegation::{
    envelope::UnverifiedEnvelope,
    keys::{Opener, Verifier},
    signature::{Headers, UnverifiedSignature},
};
use countersign_domain::clock::Timestamp;
use countersign_fuzz::{
    issued::DELEGATION,
    json::{self, Json},
};
use libfuzzer_sys::fuzz_target;

static OPENER: LazyLock<Opener> =
    LazyLock::new(|| Opener::from_pem(DELEGATION["keys"]["idp_opens"]["private_pem"].as_str().unwrap()).unwrap());
static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::from_pem(DELEGATION["keys"]["sp_signs"]["public_pem"].as_str().unwrap()).unwrap());

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(5, '\n');
    let mut header = || lines.next().filter(|line| !line.is_empty());
    let headers =
        Headers { enc_alg: header(), timestamp: header(), signature_alg: header(), signature: header() };
    let body = lines.next().unwrap_or_default();
    assert_signature(&headers, body);
    assert_envelope(body);
});

fn assert_signature(headers: &Headers<'_>, body: &str) {
    let Ok(read) = UnverifiedSignature::read(headers) else { return };
    assert_eq!((headers.enc_alg, headers.signature_alg), (Some("x25519-aesgcm"), Some("ed25519")));
    let timestamp = headers.timestamp.unwrap();
    let seconds: i64 = timestamp.parse().unwrap();
    assert_eq!(seconds.to_string(), timestamp, "the time has two spellings");
    let at = |seconds: i64| read.verify([&*VERIFIER], body.as_bytes(), Timestamp::from_seconds(seconds));
    for stale in [seconds - 301, seconds + 301] {
        assert!(at(stale).is_err());
    }
    if at(seconds).is_ok() {
        let is_issued = |it: &serde_json::Value| {
            it["body"] == body && it["timestamp"] == timestamp && it["signature"].as_str() == headers.signature
        };
        assert!(DELEGATION["signed"].as_array().unwrap().iter().any(is_issued), "nobody signed it");
        assert!(at(seconds - 300).is_ok() && at(seconds + 300).is_ok());
    }
}

fn assert_envelope(body: &str) {
    let Ok(envelope) = UnverifiedEnvelope::parse(body.as_bytes()) else { return };
    let written = envelope.to_json();
    assert_eq!(UnverifiedEnvelope::parse(written.as_bytes()).as_ref(), Ok(&envelope));
    // Another reader sees the same four members.
    let sorted = |json: &[u8]| match json::read(json) {
        Some(Json::Object(mut members)) => {
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            members
        }
        _ => panic!("an envelope that is no object"),
    };
    assert_eq!(sorted(body.as_bytes()), sorted(written.as_bytes()));
    if let Ok(opened) = envelope.open([&*OPENER]) {
        let is_issued = |it: &serde_json::Value| {
            it["plaintext"].as_str().is_some_and(|text| text.as_bytes() == &**opened.text) && it["body"] == written
        };
        assert!(DELEGATION["sealed"].as_array().unwrap().iter().any(is_issued), "nobody sealed it");
    }
}
