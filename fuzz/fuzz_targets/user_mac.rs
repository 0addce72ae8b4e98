//! The header that proves a user.
#![no_main]

use std::sync::LazyLock;

use countersign_crypto::{
    secret::SecretText,
    user_mac::{HmacSecret, UnverifiedUserMac},
};
use countersign_domain::id::ProjectId;
use libfuzzer_sys::fuzz_target;

static SECRET: LazyLock<HmacSecret> = LazyLock::new(|| HmacSecret::new(SecretText::new("hsec_fuzz".to_owned())));
static PROJECT: LazyLock<ProjectId> = LazyLock::new(|| "p1".parse().unwrap());

// The value; nobody makes a right one by chance, and what is one has one spelling.
fuzz_target!(|value: &[u8]| {
    let Some(shown) = UnverifiedUserMac::parse(value) else {
        return;
    };
    let text = std::str::from_utf8(value).expect("what is taken is ASCII");
    let is_right = SECRET.proves(&PROJECT, "crm-7", &shown);
    match &shown {
        UnverifiedUserMac::V1(_) => assert_eq!(text.len(), 44),
        UnverifiedUserMac::V2 { expires, jkt, .. } => {
            assert!(*expires > 0);
            let made = SECRET.v2(&PROJECT, "crm-7", *expires, jkt.as_deref());
            assert_eq!(is_right, made == text, "another spelling of a right proof");
        }
    }
    assert!(!SECRET.proves(&PROJECT, "crm-8", &shown) || !is_right, "one proof is of two users");
});
