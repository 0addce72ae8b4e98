//! E-mail addresses.
#![no_main]

use countersign_domain::text::EmailAddress;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(address) = text.parse::<EmailAddress>() else {
        return;
    };
    let kept = address.as_str();
    assert_eq!(kept, text.to_ascii_lowercase());
    assert_eq!(kept.parse().as_ref(), Ok(&address));
    assert_eq!(text.to_ascii_uppercase().parse().as_ref(), Ok(&address));
    assert!(is_mailbox(kept), "{kept:?} is no plain mailbox of RFC 5321");
    for spelling in
        [format!(" {text}"), format!("{text} "), format!("{text}."), format!("<{text}>"), format!("\"{text}")]
    {
        assert!(spelling.parse::<EmailAddress>().is_err(), "{spelling:?} is a second spelling");
    }
    let (local, domain) = kept.split_once('@').unwrap();
    let masked = address.masked();
    assert_eq!(masked, format!("{}…@{domain}", &local[..1]));
    assert!(!format!("{address:?}").contains('@'));
});

/// A dot-string, an at sign, and a domain of letters, digits and hyphens (RFC 5321 §4.1.2).
fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let atext = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(atext);
    let let_dig = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.len() <= 63
            && let_dig(bytes.first())
            && let_dig(bytes.last())
            && bytes.iter().all(|b| let_dig(Some(b)) || *b == b'-')
    };
    text.len() <= 254 && local.len() <= 64 && local.split('.').all(is_atom) && domain.split('.').all(is_label)
}
