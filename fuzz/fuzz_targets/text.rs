//! Telephone numbers, identifiers of other people's making, names, and words from lists.
#![no_main]

use std::str::FromStr;

use countersign_domain::{
    client::ClientKind,
    message::{Channel, Destination, calling_code},
    proof::{Level, Method},
    text::{DeviceId, ExternalId, InvalidText, Name, PhoneNumber},
};
use countersign_fuzz::assert_tells_no_secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let is_clean = !text.chars().any(char::is_control);
    let is_phone = text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
    });
    assert_eq!(read(text, PhoneNumber::as_str), is_phone);
    if let Ok(number) = text.parse::<PhoneNumber>() {
        assert!(text[1..].starts_with(calling_code(&number)));
    }
    // A destination is one line, whatever it was read from: it goes into headers.
    if let Ok(destination) = text.parse::<Destination>() {
        assert_eq!(destination.channel() == Channel::Sms, is_phone);
        assert!(destination.as_str().bytes().all(|b| b.is_ascii_graphic()) && destination.masked().len() < 300);
        assert!(destination.as_str().eq_ignore_ascii_case(text));
    }
    assert_eq!(read(text, ExternalId::as_str), is_clean && (1..=255).contains(&text.len()));
    assert_eq!(read(text, Name::as_str), is_clean && text.len() <= 255);
    assert_eq!(read(text, DeviceId::as_str), is_clean && (1..=128).contains(&text.len()));
    if read(text, Method::as_str) {
        assert!(text.len() <= 32 && text.bytes().all(|b| b.is_ascii_graphic()));
    }
    read(text, |level: &Level| level.as_str());
    read(text, |kind: &ClientKind| kind.as_str());
    for shown in [
        text.parse::<PhoneNumber>().map(|it| format!("{it:?}")),
        text.parse::<ExternalId>().map(|it| format!("{it:?}")),
        text.parse::<Name>().map(|it| format!("{it:?}")),
        text.parse::<DeviceId>().map(|it| format!("{it:?}")),
    ] {
        assert_tells_no_secret(&shown.unwrap_or_default());
    }
});

/// Was it taken? Then it is kept as it was written.
fn read<T: FromStr<Err = InvalidText>>(text: &str, kept: fn(&T) -> &str) -> bool {
    match text.parse::<T>() {
        Ok(value) => {
            assert_eq!(kept(&value), text);
            true
        }
        Err(problem) => {
            assert_tells_no_secret(&problem.to_string());
            false
        }
    }
}
