//! What people and apps show of a sign-in: codes that they typed, handles that they were given, and the bodies that they stand in.
#![no_main]

use countersign_crypto::{
    typed_code::TypedCodeHash, one_time_code::OneTimeCode, sign_in_handle::UnverifiedHandle,
};
use countersign_wire::vouch::{
    attributes::Question,
    code::{CodeFor, CodeSignIn, CodeSignUp},
};
use libfuzzer_sys::fuzz_target;

// Nothing makes a reader panic; what is a code stays one however it is spaced; no text is both a code and a handle.
fuzz_target!(|bytes: &[u8]| {
    let _ = (CodeFor::parse(bytes), CodeSignIn::parse(bytes), CodeSignUp::parse(bytes), Question::parse(bytes));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let spaced = format!(" {text}-");
    if OneTimeCode::unverified(text).is_some() {
        assert!(text.bytes().filter(u8::is_ascii_digit).count() == 6);
        assert!(spaced.len() > 12 || OneTimeCode::unverified(&spaced).is_some());
        assert!(UnverifiedHandle::read(text).is_none());
    }
    if let Some(hash) = TypedCodeHash::of_unverified(text) {
        assert!(spaced.len() > 64 || TypedCodeHash::of_unverified(&spaced) == Some(hash));
        assert!(TypedCodeHash::of_unverified(&text.to_lowercase()) == Some(hash));
    }
    if let Some(handle) = UnverifiedHandle::read(text) {
        assert!(text.starts_with("as_") && !handle.unverified_id.to_string().is_empty());
    }
});
