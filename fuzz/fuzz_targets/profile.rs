//! Bodies of `POST /auth/v1beta/authprofile`.
#![no_main]

use countersign_fuzz::{assert_tells_no_secret, json, vouch};
use countersign_wire::vouch::profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match profile::parse(body) {
        Ok(token) => {
            assert_eq!(json::text(&vouch::members(body), "authToken"), Some(token.as_str()));
            let again = serde_json::json!({ "authToken": token }).to_string();
            assert_eq!(profile::parse(again.as_bytes()), Ok(token));
        }
        Err(problem) => assert_tells_no_secret(&problem.to_string()),
    }
});
