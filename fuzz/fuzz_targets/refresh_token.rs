//! Texts that claim to be refresh tokens.
#![no_main]

use countersign_crypto::refresh_token::{RefreshSecretHash, UnverifiedRefreshToken};
use countersign_domain::id::ProjectId;
use countersign_fuzz::issued::{MASTER_KEY, REFRESH_TOKENS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(hash) = RefreshSecretHash::from_text(text) {
        assert_eq!(hash.to_text(), text, "a second spelling of a hash");
    }
    let Ok(unverified) = UnverifiedRefreshToken::parse(text) else {
        return;
    };
    assert!(text.len() <= 3 + (41 + 63 + 16_usize).div_ceil(3) * 4);
    let project = unverified.unverified_project().clone();
    assert_eq!(project.as_str().parse::<ProjectId>().as_ref(), Ok(&project));
    let key = MASTER_KEY.refresh_token_key(&project, unverified.unverified_mac_key());
    if let Ok(token) = unverified.verify(&key) {
        assert_eq!(token.sign(&key).danger_expose(), text, "a second spelling of a token");
        assert!(REFRESH_TOKENS.iter().any(|(_, issued)| issued == text), "nobody issued it");
    }
});
