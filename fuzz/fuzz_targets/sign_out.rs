//! Bodies of `POST /auth/v1/signout`.
#![no_main]

use countersign_fuzz::{assert_tells_no_secret, json, vouch};
use countersign_wire::vouch::sign_out::SignOut;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match SignOut::parse(body) {
        Ok(sign_out) => {
            let members = vouch::members(body);
            assert_eq!(json::text(&members, "userId"), Some(sign_out.user.as_str()));
            assert_eq!(json::text(&members, "refreshToken"), Some(sign_out.refresh_token.as_str()));
            for name in ["devicePushId", "voipDevicePushId", "deviceToken"] {
                let text = json::text(&members, name).unwrap_or("");
                assert!(text.len() <= 255 && !text.chars().any(char::is_control));
            }
        }
        Err(problem) => assert_tells_no_secret(&problem.to_string()),
    }
});
