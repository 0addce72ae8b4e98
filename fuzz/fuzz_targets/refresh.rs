//! Bodies of `POST /auth/v1/refreshtoken`.
#![no_main]

use countersign_fuzz::{assert_tells_no_secret, json, vouch};
use countersign_wire::vouch::refresh;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match refresh::parse(body) {
        Ok(token) => {
            assert_eq!(json::text(&vouch::members(body), "refreshToken"), Some(token.as_str()));
            let again = serde_json::json!({ "refreshToken": token }).to_string();
            assert_eq!(refresh::parse(again.as_bytes()), Ok(token));
        }
        Err(problem) => assert_tells_no_secret(&problem.to_string()),
    }
});
