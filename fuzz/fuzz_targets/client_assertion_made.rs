//! Assertions that the right key signed: a line of header, and the claims.
#![no_main]

use countersign_crypto::jose::client_assertion::UnverifiedClientAssertion;
use countersign_domain::clock::Timestamp;
use countersign_fuzz::issued::{CLIENT_KEY, CLIENT_KEYS};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &str| {
    let Some((head, claims)) = data.split_once('\n') else { return };
    let text = CLIENT_KEY.sign(head.as_bytes(), claims.as_bytes());
    let Ok(unverified) = UnverifiedClientAssertion::parse(&text) else { return };
    let Ok(verified) = unverified.verify(&CLIENT_KEYS, Timestamp::from_seconds(1_800_000_000)) else { return };
    // What is taken says to a second reader what the rule asks for.
    let head: Value = serde_json::from_str(head).expect("the header is JSON");
    let claims: Value = serde_json::from_str(claims).expect("the claims are JSON");
    assert_eq!(head["alg"], "ES256");
    assert!(head.get("crit").is_none() && head.get("b64").is_none());
    assert_eq!((&claims["iss"], &claims["sub"]), (&unverified.unverified_client().into(), &unverified.unverified_client().into()));
    assert_eq!(claims["aud"], verified.audience.as_str());
    let seconds = |name: &str| claims[name].as_f64().expect("a time").floor();
    assert!(seconds("exp") - seconds("iat") <= 120.0, "it lives too long");
    assert!(seconds("exp") + 10.0 > 1_800_000_000.0 && seconds("iat") <= 1_800_000_010.0);
    let id = claims["jti"].as_str().expect("jti is a text");
    assert!((1..=255).contains(&id.len()));
});
