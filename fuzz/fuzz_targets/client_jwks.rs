//! JWK Sets that clients register.
#![no_main]

use countersign_crypto::jose::client_jwks::ClientJwks;
use countersign_fuzz::assert_tells_no_secret;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|json: &[u8]| {
    match ClientJwks::parse(json) {
        Err(refused) => assert_tells_no_secret(&refused.to_string()),
        Ok(set) => {
            let read: Value = serde_json::from_slice(json).expect("a second reader takes it");
            let keys = read["keys"].as_array().expect("a list");
            assert!(keys.len() <= 8 && set.is_empty() == keys.is_empty());
            for key in keys {
                for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                    assert!(key.get(private).is_none(), "a private half was taken");
                }
            }
            assert!(set.verify("ES256", None, b"message", &[0; 64]).is_err());
            assert!(set.verify("none", None, b"message", b"").is_err());
        }
    }
});
