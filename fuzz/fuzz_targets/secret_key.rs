//! Texts that claim to be secret keys, and texts that claim to be their hashes.
#![no_main]

use std::sync::LazyLock;

use countersign_crypto::{
    api_key::{KeyText, SecretKeyHash, generate},
    entropy::Entropy,
    secret::SecretText,
};
use libfuzzer_sys::fuzz_target;

static ISSUED: LazyLock<SecretText> = LazyLock::new(|| generate(KeyText::Secret, &Entropy::new(|bytes| bytes.fill(7))));

fuzz_target!(|text: &str| {
    if let Some(hash) = SecretKeyHash::from_text(text) {
        assert_eq!(hash.to_text(), text, "a second spelling of a hash");
    }
    let hash = SecretKeyHash::of_unverified(text);
    assert_eq!(hash.is_some(), text.starts_with(KeyText::Secret.prefix()));
    let Some(hash) = hash else {
        return;
    };
    let kept = SecretKeyHash::from_text(&SecretKeyHash::of(&ISSUED).to_text()).unwrap();
    assert_eq!(hash.matches(&kept), text == ISSUED.danger_expose(), "another key was taken for ours");
    assert!(SecretKeyHash::from_text(&hash.to_text()).unwrap().matches(&hash));

    let shown = KeyText::Secret.shown_prefix(&SecretText::new(text.to_owned()));
    assert!(text.starts_with(&shown) && shown.chars().count() <= 11);
});
