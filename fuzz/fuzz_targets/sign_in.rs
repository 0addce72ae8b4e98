//! Bodies of `POST /auth/v1/private/signin`.
#![no_main]

use countersign_fuzz::{
    assert_tells_no_secret,
    json::{self, Json},
    vouch,
};
use countersign_wire::vouch::sign_in::SignIn;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match SignIn::parse(body) {
        Ok(sign_in) => {
            let members = vouch::members(body);
            vouch::assert_read_from(&sign_in.vouch, &members);
            let create_if_missing = json::single(&members, "createIfMissing");
            assert_eq!(sign_in.create_if_missing, create_if_missing == Some(&Json::Boolean(true)));
        }
        Err(problem) => assert_tells_no_secret(&problem.to_string()),
    }
});
