//! Assertions of clients, as they come in a form.
#![no_main]

use countersign_crypto::jose::client_assertion::UnverifiedClientAssertion;
use countersign_domain::clock::Timestamp;
use countersign_fuzz::{assert_tells_no_secret, issued::CLIENT_KEYS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let now = Timestamp::from_seconds(1_800_000_000);
    match UnverifiedClientAssertion::parse(text) {
        Err(refused) => assert_tells_no_secret(&refused.to_string()),
        // Nobody here can sign.
        Ok(assertion) => match assertion.verify(&CLIENT_KEYS, now) {
            Err(refused) => assert_tells_no_secret(&refused.to_string()),
            Ok(verified) => assert_eq!(verified.audience, "https://auth.example.com", "nobody made it"),
        },
    }
});
