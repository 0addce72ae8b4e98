//! Identifiers of every kind.
#![no_main]

use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

use countersign_domain::id::{
    AuditId, ClientId, InvalidId, KeyId, MacKeyId, ProjectId, SessionId, SigningKeyId, UserId,
};
use countersign_fuzz::assert_tells_no_secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let generated = [
        read::<UserId>(text),
        read::<SessionId>(text),
        read::<KeyId>(text),
        read::<SigningKeyId>(text),
        read::<AuditId>(text),
        read::<MacKeyId>(text),
    ];
    assert!(generated.iter().filter(|it| **it).count() <= 1, "{text:?} names two nouns");
    assert_eq!(read::<ProjectId>(text), read::<ClientId>(text));
    if read::<ProjectId>(text) {
        assert!((1..=63).contains(&text.len()) && !text.contains(['.', '/', '%', '\\']));
    }
    if let Ok(id) = text.parse::<SessionId>() {
        assert_eq!(SessionId::from_bytes(id.to_bytes()), id);
    }
    if let Some(bytes) = text.as_bytes().first_chunk() {
        let id = UserId::from_bytes(*bytes);
        assert_eq!(id.to_string().parse(), Ok(id));
    }
});

/// Was it taken? Then there is no other spelling of it.
fn read<T: FromStr<Err = InvalidId> + Display + Debug + PartialEq>(text: &str) -> bool {
    match text.parse::<T>() {
        Ok(id) => {
            assert_eq!(id.to_string(), text);
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            true
        }
        Err(problem) => {
            assert_tells_no_secret(&problem.to_string());
            false
        }
    }
}
