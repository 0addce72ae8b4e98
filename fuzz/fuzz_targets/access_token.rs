//! Texts that claim to be access tokens.
#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_crypto::jose::{access_token::AccessToken, jws::UnverifiedJws};
use countersign_fuzz::{
    issued::{ACCESS_TOKENS, VERIFIER},
    json::{self, Json},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(token) = UnverifiedJws::parse(text) else {
        return;
    };
    assert!(text.len() <= 8 * 1024);
    assert_eq!(format!("{}.{}", token.signed, URL_SAFE_NO_PAD.encode(&token.signature)), text);
    assert_header(&token);
    if let Ok(verified) = AccessToken::verify(&token, &VERIFIER) {
        assert!(ACCESS_TOKENS.contains(&verified), "nobody issued it");
        assert_eq!(text.split('.').count(), 3);
    }
});

/// Exactly `alg`, `typ` and `kid`, each once, each a text: nothing that could lead anywhere.
fn assert_header(token: &UnverifiedJws<'_>) {
    let encoded = token.signed.split('.').next().unwrap();
    let Some(Json::Object(mut members)) = json::read(&URL_SAFE_NO_PAD.decode(encoded).unwrap()) else {
        panic!("a header that is no JSON object");
    };
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    let header = &token.unverified_header;
    let expected = [("alg", &header.alg), ("kid", &header.kid), ("typ", &header.typ)];
    let expected = expected.map(|(name, text)| (name.to_owned(), Json::Text(text.clone())));
    assert_eq!(members, expected);
}
