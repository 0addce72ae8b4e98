//! The right function under the right secret, over something that isn't the user id as it was sent.

use std::fmt::Write;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{secret::around, suspect::Suspect};
use crate::explain::{Code, Reason, publishable_key::bare};

pub(super) fn whitespace(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::IdWhitespace, |id| around(id).into_iter().chain([id.trim().to_owned()]).collect())
}

pub(super) fn other_case(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::IdOtherCase, |id| vec![id.to_lowercase(), id.to_uppercase(), title_case(id)])
}

/// Latin-1, UTF-16, with and without a mark of the byte order, and UTF-8 that was taken for Latin-1 once too often.
pub(super) fn other_encoding(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::IdOtherEncoding, encodings)
}

pub(super) fn not_normalized(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::IdNotNormalized, |id| vec![id.nfc().collect::<String>(), id.nfd().collect()])
}

pub(super) fn quoted(suspect: &Suspect<'_>) -> Option<Reason> {
    let quoted = |id: &str| {
        let json = Value::from(id).to_string();
        vec![ascii_json(&json), json, format!("'{id}'"), bare(id).to_owned()]
    };
    altered(suspect, Code::IdQuoted, quoted)
}

pub(super) fn percent_encoded(suspect: &Suspect<'_>) -> Option<Reason> {
    altered(suspect, Code::IdPercentEncoded, |id| {
        [percent_encodings(id), percent_decoded(id).into_iter().collect()].concat()
    })
}

/// What a program gets where there is no id, and makes a text of.
pub(super) fn undefined(suspect: &Suspect<'_>) -> Option<Reason> {
    let nothing = ["", "undefined", "null", "None", "nil", "NaN", "[object Object]", "{}"];
    altered(suspect, Code::IdUndefined, |_| nothing.to_vec())
}

pub(super) fn uid(suspect: &Suspect<'_>) -> Option<Reason> {
    let uid = suspect.uid?;
    altered(suspect, Code::IdIsUid, |_| vec![uid])
}

fn altered<T: AsRef<[u8]>>(suspect: &Suspect<'_>, code: Code, alter: impl Fn(&str) -> Vec<T>) -> Option<Reason> {
    suspect.is_of_altered_id(alter).then(|| code.into())
}

fn title_case(id: &str) -> String {
    let mut letters = id.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
        .unwrap_or_default()
}

fn encodings(id: &str) -> Vec<Vec<u8>> {
    let utf16 = |to_bytes: fn(u16) -> [u8; 2]| id.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
    let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    let latin1: Option<Vec<u8>> = id.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    // `é` as it looks when its two bytes of UTF-8 are taken for two letters.
    let taken_for_latin1 = id.bytes().map(char::from).collect::<String>().into_bytes();
    let mut all = vec![
        [&[0xff, 0xfe], &*little].concat(),
        [&[0xfe, 0xff], &*big].concat(),
        [&[0xef, 0xbb, 0xbf], id.as_bytes()].concat(),
        little,
        big,
        taken_for_latin1,
    ];
    all.extend(latin1);
    all
}

/// JSON as some write it: with every letter outside ASCII escaped.
fn ascii_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// As a component of a URI, and as a form has it.
fn percent_encodings(id: &str) -> Vec<String> {
    let encode = |kept: &[u8], space: &str| -> String {
        let encoded = |byte: u8| match byte {
            b' ' => space.to_owned(),
            byte if byte.is_ascii_alphanumeric() || kept.contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        id.bytes().map(encoded).collect()
    };
    vec![
        encode(b"-_.!~*'()", "%20"),
        encode(b"-_.~", "%20"),
        encode(b"-_.*", "+"),
        encode(b"-_.~", "%20").to_lowercase(),
    ]
}

/// What a percent-encoded text says, if it is one.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
