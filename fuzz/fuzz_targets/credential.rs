//! Texts that claim to be credentials of a service provider; and, after a line end, JSON that stands in one.
#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_crypto::delegation::credential::{Credential, PREFIX};
use countersign_fuzz::{SECRET, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let made = text.strip_prefix('\n').map(|json| format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json)));
    let text = made.as_deref().unwrap_or(text);
    match Credential::parse(text) {
        Err(refused) => assert!(!refused.to_string().contains(SECRET)),
        Ok(read) => {
            let again = read.danger_to_text().unwrap();
            let one_more = Credential::parse(again.danger_expose()).unwrap();
            assert!(one_more.danger_to_text().unwrap().danger_expose() == again.danger_expose());
            assert_eq!(one_more.public(), read.public());
            let json = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap();
            let Some(json::Json::Object(members)) = json::read(&json) else { panic!("a credential that is no object") };
            assert_eq!(members.len(), 8);
            assert_eq!(json::text(&members, "kid"), Some(read.name.as_str()));
        }
    }
});
