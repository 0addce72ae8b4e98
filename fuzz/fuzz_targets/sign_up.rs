//! Bodies of `POST /auth/v1/private/signup`.
#![no_main]

use countersign_fuzz::{assert_tells_no_secret, json, vouch};
use countersign_wire::vouch::sign_up::SignUp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match SignUp::parse(body) {
        Ok(sign_up) => {
            let members = vouch::members(body);
            vouch::assert_read_from(&sign_up.vouch, &members);
            let attributes = vouch::object(&members, "userAttributes");
            assert_eq!(sign_up.given_name.as_str(), json::text(attributes, "givenName").unwrap_or(""));
            assert_eq!(sign_up.family_name.as_str(), json::text(attributes, "familyName").unwrap_or(""));
            json::text(vouch::object(&members, "validationData"), "activationCode");
        }
        Err(problem) => assert_tells_no_secret(&problem.to_string()),
    }
});
