//! Codes that an authenticator app counts out (RFC 6238): six digits, a new one every thirty seconds, HMAC-SHA1. Apps know nothing else for certain.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, hmac};
use countersign_domain::clock::Timestamp;
use zeroize::Zeroizing;

use crate::{entropy::Entropy, one_time_code::OneTimeCode, secret::SecretText};

/// How long a code is shown.
pub const STEP_SECONDS: i64 = 30;
/// How many digits it has.
const DIGITS: usize = 6;
/// How far the clocks of phone and server may be apart, in steps (RFC 6238 §5.2).
const DRIFT: i64 = 1;
/// As long as the hash (RFC 4226 §4, R6).
const SEED: usize = 20;

/// What phone and server both know.
pub struct TotpSeed(Zeroizing<[u8; SEED]>);

impl TotpSeed {
    /// A new one.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Zeroizing::new(entropy.bytes()))
    }

    /// From what was sealed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// To be sealed.
    pub fn danger_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// As people type it into an app: base32 (RFC 4648 §6), without padding.
    pub fn to_text(&self) -> SecretText {
        SecretText::new(base32(&*self.0))
    }

    /// What an app reads off a QR code. `issuer` and `account` are what it shows.
    pub fn uri(&self, issuer: &str, account: &str) -> SecretText {
        let (issuer, account) = (percent_encoded(issuer), percent_encoded(account));
        let secret = self.to_text();
        let secret = secret.danger_expose();
        SecretText::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
        ))
    }

    /// The step whose code this is, if it is the code of about now. A step is good once: whoever takes it must see that it wasn't taken before.
    pub fn step_of(&self, unverified: &OneTimeCode, now: Timestamp) -> Option<i64> {
        let current = now.seconds().div_euclid(STEP_SECONDS);
        let mut found = None;
        // All of them, so that it takes as long whichever it is.
        for step in current - DRIFT..=current + DRIFT {
            let code = self.code(step);
            if constant_time::verify_slices_are_equal(code.as_bytes(), unverified.as_bytes()).is_ok() {
                found = Some(step);
            }
        }
        found
    }

    /// RFC 4226 §5.3.
    fn code(&self, step: i64) -> Zeroizing<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes[bytes.len() - 1] & 0x0f);
        let number = bytes[offset..offset + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        Zeroizing::new(format!("{:0DIGITS$}", (number & 0x7fff_ffff) % 1_000_000))
    }
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut block = [0_u8; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let number = u64::from_be_bytes(block);
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let index = (number >> (35 - 5 * place)) & 31;
            text.push(char::from(ALPHABET[usize::try_from(index).unwrap_or(0)]));
        }
    }
    text
}

/// All but the unreserved characters (RFC 3986 §2.3): a colon in a name would end it too early.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> TotpSeed {
        TotpSeed::from_bytes(b"12345678901234567890").unwrap()
    }

    fn code(text: &str) -> OneTimeCode {
        OneTimeCode::unverified(text).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    /// RFC 6238, appendix B, the last six of eight digits.
    #[test]
    fn the_published_examples_come_out() {
        for (second, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(published().step_of(&code(digits), at(second)), Some(second / 30), "{second}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_late_and_no_further() {
        let (seed, now) = (published(), 1_111_111_110);
        assert_eq!(now % STEP_SECONDS, 0);
        for (second, is_good) in [(-31, false), (-30, true), (0, true), (29, true), (59, true), (60, false)] {
            let shown = code("050471");
            assert_eq!(seed.step_of(&shown, at(now + second)).is_some(), is_good, "{second}");
        }
        assert_eq!(seed.step_of(&code("050472"), at(now)), None);
    }

    #[test]
    fn a_seed_is_written_for_apps() {
        assert_eq!(published().to_text().danger_expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = published().uri("Ada & Söhne: Werkzeug", "ada+x@example.com");
        let uri = uri.danger_expose();
        let begin = "otpauth://totp/Ada%20%26%20S%C3%B6hne%3A%20Werkzeug:ada%2Bx%40example.com?secret=GEZ";
        assert!(uri.starts_with(begin), "{uri}");
        assert!(uri.ends_with("&issuer=Ada%20%26%20S%C3%B6hne%3A%20Werkzeug&algorithm=SHA1&digits=6&period=30"));
    }

    /// RFC 4648 §10.
    #[test]
    fn base32_is_the_standards() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}
