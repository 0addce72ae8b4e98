//! Sealed texts as whoever can write to the database may leave them; and any secret, sealed and opened.
#![no_main]

use countersign_crypto::{
    entropy::Entropy,
    master_key::MasterKey,
    seal::{CannotOpen, Place},
};
use countersign_fuzz::issued::{MASTER_KEY, PLACE, SEALED};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match MASTER_KEY.open(PLACE, text) {
        Ok(secret) => assert!(SEALED.iter().any(|it| it.as_bytes() == &**secret), "nobody sealed it"),
        Err(CannotOpen::Altered) => {}
        Err(CannotOpen::OtherMasterKey { sealed_under, .. }) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            assert!(sealed_under.len() == 8 && sealed_under.bytes().all(plain), "{sealed_under:?} names no key");
        }
    }
    assert_opens_only_in_its_place(text);
});

fn assert_opens_only_in_its_place(text: &str) {
    let sealed = MASTER_KEY.seal(PLACE, text.as_bytes());
    assert_eq!(&**MASTER_KEY.open(PLACE, &sealed).unwrap(), text.as_bytes());
    let other = MasterKey::generate(&Entropy::new(|bytes| bytes.fill(8)));
    assert!(matches!(other.open(PLACE, &sealed), Err(CannotOpen::OtherMasterKey { .. })));

    // However a row's parts are cut, another cut is another row.
    let here = Place { row: &["p1", text], ..PLACE };
    let sealed = MASTER_KEY.seal(here, b"secret");
    let run_together = format!("p1{text}");
    for row in [&["p1"][..], &["p1", "", text], &["p1", text, ""], &[&run_together], &["", &run_together]] {
        assert!(MASTER_KEY.open(Place { row, ..PLACE }, &sealed).is_err(), "{row:?}");
    }
}
