//! Texts that claim to be master keys, from a file, the environment or the output of a command.
#![no_main]

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use countersign_crypto::master_key::MasterKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(key) = MasterKey::from_text(text) else {
        return;
    };
    let own = key.to_text();
    let bytes = URL_SAFE_NO_PAD.decode(own.danger_expose()).unwrap();
    assert_eq!(bytes.len(), 32);
    for alphabet in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        let spelt = format!("{}\n", alphabet.encode(&bytes));
        let again = MasterKey::from_text(&spelt).unwrap_or_else(|_| panic!("{spelt:?} is the same key"));
        assert!(again.id() == key.id() && again.to_text().danger_expose() == own.danger_expose());
    }
    assert_eq!(key.id().as_str().len(), 8);
});
