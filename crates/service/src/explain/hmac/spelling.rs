//! How an HMAC is written, read as loosely as people write.

use countersign_crypto::encoding;

use super::user_id::percent_decoded;
use crate::explain::Code;

/// One way to read what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    /// What isn't as it should be.
    pub(super) mistakes: Vec<Code>,
    pub(super) frame: Frame,
    /// The bytes, of whatever length.
    pub(super) mac: Vec<u8>,
}

/// What stands around the MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    V1,
    V2 {
        /// Digits.
        expires: String,
        jkt: Option<String>,
    },
}

impl Frame {
    /// What the MAC is over, before the user id.
    pub(super) fn head(&self, project: &str) -> String {
        match self {
            Self::V1 => String::new(),
            Self::V2 { expires, jkt: None } => format!("v2.{expires}.{project}."),
            Self::V2 { expires, jkt: Some(jkt) } => format!("v2k.{expires}.{jkt}.{project}."),
        }
    }
}

/// Longer than the longest way to write any proof.
const LONGEST: usize = 1_024;
pub(super) const SHA256_LENGTH: usize = 32;
/// In padded base64.
const PADDED_LENGTH: usize = 44;

/// Every way to read what was sent, the likeliest first. Few: each is tried with every mistake.
pub(super) fn spellings(shown: &[u8]) -> Vec<Spelling> {
    let Some(text) = std::str::from_utf8(shown).ok().filter(|text| text.len() <= LONGEST) else {
        return Vec::new();
    };
    let mut mistakes = Vec::new();
    let text = peeled(text, &mut mistakes);
    let Some((frame, mac)) = framed(&text, &mut mistakes) else { return Vec::new() };
    let read = readings(&mac, &frame).into_iter();
    read.map(|(more, mac)| Spelling { mistakes: [&*mistakes, &*more].concat(), frame: frame.clone(), mac }).collect()
}

/// Takes off what stands around it.
fn peeled(text: &str, mistakes: &mut Vec<Code>) -> String {
    let mut text = text;
    let trimmed = text.trim();
    if trimmed != text {
        mistakes.push(Code::HmacWhitespace);
        text = trimmed;
    }
    let unquoted = ['"', '\'', '`'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    if let Some(unquoted) = unquoted {
        mistakes.push(Code::HmacQuoted);
        text = unquoted;
    }
    let is_named = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if let Some(name) = ["sha256=", "sha256:", "hmac-sha256="].into_iter().find(|name| is_named(name)) {
        mistakes.push(Code::HmacPrefixed);
        text = &text[name.len()..];
    }
    match percent_decoded(text) {
        Some(decoded) => {
            mistakes.push(Code::HmacPercentEncoded);
            decoded
        }
        None => text.to_owned(),
    }
}

fn framed(text: &str, mistakes: &mut Vec<Code>) -> Option<(Frame, String)> {
    let parts: Vec<&str> = text.split('.').collect();
    let (version, expires, jkt, mac) = match parts.as_slice() {
        [mac] => return Some((Frame::V1, (*mac).to_owned())),
        [version, expires, mac] if version.eq_ignore_ascii_case("v2") => (version, expires, None, mac),
        [version, expires, jkt, mac] if version.eq_ignore_ascii_case("v2k") => (version, expires, Some(*jkt), mac),
        _ => return None,
    };
    if version.contains('V') || version.contains('K') {
        mistakes.push(Code::V2UpperCase);
    }
    let is_time = (1..=20).contains(&expires.len()) && expires.bytes().all(|b| b.is_ascii_digit());
    let frame = Frame::V2 { expires: (*expires).to_owned(), jkt: jkt.map(str::to_owned) };
    is_time.then(|| (frame, (*mac).to_owned()))
}

/// The bytes that a MAC may stand for.
fn readings(mac: &str, frame: &Frame) -> Vec<(Vec<Code>, Vec<u8>)> {
    let hex = unhexed(mac).map(|bytes| (vec![Code::HmacHexEncoded], bytes));
    hex.into_iter()
        .chain(with_pluses(mac).into_iter().flat_map(|(lost, text)| in_base64(&text, &lost, frame)))
        .collect()
}

/// Where a space stands for a `+`. One at the beginning doesn't arrive.
fn with_pluses(mac: &str) -> Vec<(Vec<Code>, String)> {
    let text = mac.replace(' ', "+");
    let lost = || vec![Code::HmacPlusLost];
    if text.len() == PADDED_LENGTH - 1 && text.ends_with('=') {
        return vec![(lost(), format!("+{text}"))];
    }
    vec![if mac.contains(' ') { (lost(), text) } else { (Vec::new(), text) }]
}

fn in_base64(text: &str, lost: &[Code], frame: &Frame) -> Vec<(Vec<Code>, Vec<u8>)> {
    let Some(bytes) = encoding::decode_loosely(text) else { return Vec::new() };
    let hex_within = std::str::from_utf8(&bytes).ok().and_then(unhexed);
    let hex_within = hex_within.map(|bytes| ([lost, &[Code::HmacHexInBase64]].concat(), bytes));
    hex_within.into_iter().chain([([lost, &mistakes_of_base64(text, frame)].concat(), bytes)]).collect()
}

fn mistakes_of_base64(text: &str, frame: &Frame) -> Vec<Code> {
    let is_url_safe = text.contains(['-', '_']);
    let is_padded = text.len().is_multiple_of(4);
    match frame {
        Frame::V1 => {
            let url_safe = is_url_safe.then_some(Code::HmacUrlSafeBase64);
            url_safe.into_iter().chain((!is_padded).then_some(Code::HmacUnpaddedBase64)).collect()
        }
        Frame::V2 { .. } => text.contains(['+', '/', '=']).then_some(Code::HmacStandardBase64).into_iter().collect(),
    }
}

/// The bytes of a digest in hex, in either case.
fn unhexed(text: &str) -> Option<Vec<u8>> {
    let is_digest = [20, SHA256_LENGTH, 48, 64].contains(&(text.len() / 2)) && text.len().is_multiple_of(2);
    if !is_digest || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<Vec<&'static str>> {
        let words = |codes: &[Code]| codes.iter().map(|code| code.as_str()).collect();
        spellings(text.as_bytes()).iter().map(|spelling| words(&spelling.mistakes)).collect()
    }

    /// The known answer of the published guide.
    const RIGHT: &str = "nyrKK9qcWqgPSdky2VE+arkyJjMFt9FD1Fxl/iNOD5U=";
    const HEX: &str = "9f2aca2bda9c5aa80f49d932d9513e6ab932263305b7d143d45c65fe234e0f95";

    #[test]
    fn the_right_spelling_has_no_mistakes() {
        assert_eq!(mistakes(RIGHT), [Vec::<&str>::new()]);
        let v2 = format!("v2.1800000000.{}", RIGHT.replace('+', "-").replace('/', "_").trim_end_matches('='));
        assert_eq!(mistakes(&v2), [Vec::<&str>::new()]);
    }

    #[test]
    fn every_way_to_write_the_same_bytes_is_read() {
        let url_safe = RIGHT.replace('+', "-").replace('/', "_");
        for (text, mistake) in [
            (HEX.to_owned(), "hmac_hex_encoded"),
            (HEX.to_uppercase(), "hmac_hex_encoded"),
            (url_safe.clone(), "hmac_url_safe_base64"),
            (RIGHT.trim_end_matches('=').to_owned(), "hmac_unpadded_base64"),
            (format!("{RIGHT}\n"), "hmac_whitespace"),
            (format!("\"{RIGHT}\""), "hmac_quoted"),
            (RIGHT.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D"), "hmac_percent_encoded"),
            (RIGHT.replace('+', " "), "hmac_plus_lost"),
            (format!("sha256={}", RIGHT.replace('+', "%20")), "hmac_plus_lost"),
            (format!("SHA256={RIGHT}"), "hmac_prefixed"),
            (format!("sha256={HEX}"), "hmac_prefixed"),
        ] {
            let bytes = encoding::decode_loosely(RIGHT).unwrap();
            let read = spellings(text.as_bytes());
            let found = read.iter().find(|it| it.mac == bytes).unwrap_or_else(|| panic!("{text}"));
            assert!(found.mistakes.iter().any(|code| code.as_str() == mistake), "{text}: {:?}", found.mistakes);
        }
    }

    #[test]
    fn a_plus_at_the_beginning_is_lost_without_a_trace() {
        let right = format!("+{}", &RIGHT[1..]);
        let read = spellings(&right.as_bytes()[1..]);
        assert_eq!(read[0].mistakes, [Code::HmacPlusLost]);
        assert_eq!(read[0].mac, encoding::decode_loosely(&right).unwrap());
    }

    #[test]
    fn hex_in_base64_is_read_twice() {
        let text = "OWYyYWNhMmJkYTljNWFhODBmNDlkOTMyZDk1MTNlNmFiOTMyMjYzMzA1YjdkMTQzZDQ1YzY1ZmUyMzRlMGY5NQ==";
        assert_eq!(mistakes(text), [vec!["hmac_hex_in_base64"], vec![]]);
    }

    #[test]
    fn what_is_no_proof_at_all_has_no_spelling() {
        for text in ["", "v3.1.x", "v2.1", "v2.x.AAAA", "v2..AAAA", "a b\u{e9}", &"A".repeat(2_000), "a.b.c.d.e"] {
            assert!(spellings(text.as_bytes()).iter().all(|it| it.mac.is_empty()), "{text:?}");
        }
        assert!(spellings(b"\xff").is_empty());
    }
}
