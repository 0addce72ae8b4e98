//! The signature over `body ‖ "." ‖ timestamp`, the bytes as they are sent, and the headers that carry it. The path isn't under it, nor is any other
//! header.

use countersign_domain::clock::Timestamp;

use super::{
    SIGNATURE, SUITE,
    keys::{Signer, Verifier},
};
use crate::{digest::sha256, encoding};

/// How far the sender's clock may be from ours, in seconds, before or after.
pub const SKEW: u64 = 300;

/// More digits than any time has that could be fresh: 300,000 years.
const DIGITS: usize = 13;

/// What a call says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// `X-Enc-Alg`.
    pub enc_alg: Option<&'a str>,
    /// `X-Timestamp`.
    pub timestamp: Option<&'a str>,
    /// `X-Signature-Alg`.
    pub signature_alg: Option<&'a str>,
    /// `X-Signature`.
    pub signature: Option<&'a str>,
}

/// A signature that was read. Whose it is shows when it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedSignature {
    timestamp: i64,
    signature: [u8; 64],
}

/// A header that is missing, or isn't what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// `X-Enc-Alg`.
    #[error("`X-Enc-Alg` is not `x25519-aesgcm`")]
    EncAlg,
    /// `X-Timestamp`.
    #[error("`X-Timestamp` is no whole number of seconds, as digits without a zero before them")]
    Timestamp,
    /// `X-Signature-Alg`.
    #[error("`X-Signature-Alg` is not `ed25519`")]
    SignatureAlg,
    /// `X-Signature`.
    #[error("`X-Signature` is not 64 bytes in base64url")]
    Signature,
}

/// Why a signature isn't taken. For logs: whoever sent it hears one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It was made too long ago, or will be.
    #[error("the call was signed at another time: compare the clocks")]
    Stale,
    /// None of the keys made it, or the body is another.
    #[error("none of the keys signed this")]
    NotSigned,
}

/// A signature that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which of the keys signed it, counted from 0.
    pub by: usize,
    /// The SHA-256 of what was signed: with the key, by what a replay is known.
    pub digest: [u8; 32],
    /// From when on it is stale, so that nobody need remember it any longer.
    pub stale_at: Timestamp,
}

/// What the headers of an answer say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `X-Timestamp`.
    pub timestamp: String,
    /// `X-Signature`.
    pub signature: String,
}

impl UnverifiedSignature {
    /// Reads the headers. Each must be there, and has one spelling.
    pub fn read(headers: &Headers<'_>) -> Result<Self, BadHeader> {
        if headers.enc_alg != Some(SUITE) {
            return Err(BadHeader::EncAlg);
        }
        if headers.signature_alg != Some(SIGNATURE) {
            return Err(BadHeader::SignatureAlg);
        }
        Ok(Self {
            timestamp: headers.timestamp.and_then(seconds).ok_or(BadHeader::Timestamp)?,
            signature: headers.signature.and_then(encoding::decode_array).ok_or(BadHeader::Signature)?,
        })
    }

    /// Is it fresh, and did one of the keys make it over this body?
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k Verifier>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Verified, NotTaken> {
        if now.seconds().abs_diff(self.timestamp) > SKEW {
            return Err(NotTaken::Stale);
        }
        let message = message(body, &self.timestamp.to_string());
        let by = keys.into_iter().position(|key| key.has_signed(&message, &self.signature));
        Ok(Verified {
            by: by.ok_or(NotTaken::NotSigned)?,
            digest: sha256(&message),
            stale_at: Timestamp::from_seconds(self.timestamp.saturating_add_unsigned(SKEW + 1)),
        })
    }
}

/// Signs a body as it is sent.
pub fn sign(by: &Signer, body: &[u8], now: Timestamp) -> SignedHeaders {
    let timestamp = now.seconds().max(0).to_string();
    let signature = by.sign(&message(body, &timestamp));
    SignedHeaders { signature: encoding::encode(signature), timestamp }
}

fn message(body: &[u8], timestamp: &str) -> Vec<u8> {
    [body, b".", timestamp.as_bytes()].concat()
}

/// The one spelling of a whole number: what is signed are the digits, and whoever compares must not take others for the same.
fn seconds(text: &str) -> Option<i64> {
    let is_canonical = text == "0" || !text.starts_with('0');
    let are_digits = text.len() <= DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    if is_canonical && are_digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const BODY: &[u8] = br#"{"enc":"x25519-aesgcm"}"#;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn signer(n: u8) -> Signer {
        Signer::from_bytes(&[n; 32]).unwrap()
    }

    fn verifier(n: u8) -> Verifier {
        signer(n).verifier().unwrap()
    }

    fn read(timestamp: &str, signature: &str) -> Result<UnverifiedSignature, BadHeader> {
        UnverifiedSignature::read(&Headers {
            enc_alg: Some("x25519-aesgcm"),
            timestamp: Some(timestamp),
            signature_alg: Some("ed25519"),
            signature: Some(signature),
        })
    }

    fn signed() -> UnverifiedSignature {
        let SignedHeaders { timestamp, signature } = sign(&signer(1), BODY, at(NOW));
        read(&timestamp, &signature).unwrap()
    }

    #[test]
    fn what_one_of_the_keys_signed_is_taken_and_which_it_was_is_said() {
        let both = [verifier(2), verifier(1)];
        let taken = signed().verify(&both, BODY, at(NOW)).unwrap();
        assert_eq!((taken.by, taken.stale_at), (1, at(NOW + 301)));
        assert_eq!(taken.digest, sha256([BODY, b".1800000000"].concat()));
        assert_eq!(signed().verify(&both[..1], BODY, at(NOW)), Err(NotTaken::NotSigned));
        assert_eq!(signed().verify([], BODY, at(NOW)), Err(NotTaken::NotSigned));
    }

    #[test]
    fn a_body_that_was_changed_after_it_was_signed_is_refused() {
        for at_byte in 0..BODY.len() {
            let mut changed = BODY.to_vec();
            changed[at_byte] ^= 1;
            assert_eq!(signed().verify([&verifier(1)], &changed, at(NOW)), Err(NotTaken::NotSigned), "{at_byte}");
        }
        for changed in [&BODY[1..], &BODY[..BODY.len() - 1], b""] {
            assert_eq!(signed().verify([&verifier(1)], changed, at(NOW)), Err(NotTaken::NotSigned));
        }
        assert!(signed().verify([&verifier(1)], BODY, at(NOW)).is_ok());
    }

    #[test]
    fn a_flipped_bit_of_the_signature_or_another_time_under_it_is_refused() {
        let good = signed();
        for bit in 0..512 {
            let mut changed = good.clone();
            changed.signature[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(changed.verify([&verifier(1)], BODY, at(NOW)), Err(NotTaken::NotSigned), "bit {bit}");
        }
        let later = UnverifiedSignature { timestamp: NOW + 1, ..good.clone() };
        assert_eq!(later.verify([&verifier(1)], BODY, at(NOW)), Err(NotTaken::NotSigned));
        assert!(good.verify([&verifier(1)], BODY, at(NOW)).is_ok());
    }

    #[test]
    fn a_call_is_fresh_for_three_hundred_seconds_on_either_side() {
        for (offset, is_fresh) in [(300, true), (301, false), (-300, true), (-301, false)] {
            let judged = signed().verify([&verifier(1)], BODY, at(NOW + offset));
            assert_eq!(judged.is_ok(), is_fresh, "{offset}");
            assert!(is_fresh || judged == Err(NotTaken::Stale));
        }
        let in_the_last_instant = Timestamp::from_micros((NOW + 300) * 1_000_000 + 999_999);
        assert!(signed().verify([&verifier(1)], BODY, in_the_last_instant).is_ok());
    }

    #[test]
    fn a_body_and_a_time_run_together_differently_are_another_message() {
        // `body.1` and `800000000` would be the same bytes as `body` and `1.800000000`, if such a time could be written.
        let split = sign(&signer(1), b"body", at(NOW));
        let forged = read("800000000", &split.signature).unwrap();
        assert_eq!(forged.verify([&verifier(1)], b"body.1", at(800_000_000)), Err(NotTaken::NotSigned));
        assert_eq!(read("1.800000000", &split.signature), Err(BadHeader::Timestamp));
    }

    #[test]
    fn a_time_has_one_spelling() {
        let signature = sign(&signer(1), BODY, at(NOW)).signature;
        for text in [
            "",
            "+1",
            "-1",
            "01",
            "00",
            " 1",
            "1 ",
            "1.0",
            "1e9",
            "0x1",
            "1_000",
            "١",
            "12345678901234",
            "18446744073709551617",
            "1800000000,1800000000",
            "1800000000\n",
        ] {
            assert_eq!(read(text, &signature), Err(BadHeader::Timestamp), "{text:?}");
        }
        for text in ["0", "1", "1800000000", "9999999999999"] {
            assert_eq!(read(text, &signature).map(|read| read.timestamp.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn every_header_must_be_there_and_say_what_we_do() {
        let SignedHeaders { timestamp, signature } = sign(&signer(1), BODY, at(NOW));
        let good = Headers {
            enc_alg: Some(SUITE),
            timestamp: Some(&timestamp),
            signature_alg: Some(SIGNATURE),
            signature: Some(&signature),
        };
        assert_eq!(UnverifiedSignature::read(&good), Ok(signed()));
        let (padded, short) = (format!("{signature}=="), encoding::encode([7; 63]));
        for (bad, error) in [
            (Headers { enc_alg: None, ..good }, BadHeader::EncAlg),
            (Headers { enc_alg: Some("none"), ..good }, BadHeader::EncAlg),
            (Headers { enc_alg: Some("X25519-AESGCM"), ..good }, BadHeader::EncAlg),
            (Headers { timestamp: None, ..good }, BadHeader::Timestamp),
            (Headers { signature_alg: None, ..good }, BadHeader::SignatureAlg),
            (Headers { signature_alg: Some("rsa-pss-sha256"), ..good }, BadHeader::SignatureAlg),
            (Headers { signature: None, ..good }, BadHeader::Signature),
            (Headers { signature: Some(""), ..good }, BadHeader::Signature),
            (Headers { signature: Some(&padded), ..good }, BadHeader::Signature),
            (Headers { signature: Some(&short), ..good }, BadHeader::Signature),
        ] {
            assert_eq!(UnverifiedSignature::read(&bad), Err(error), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_signed_is_taken(body: Vec<u8>, now in 0..100_000_000_000_i64) {
            let SignedHeaders { timestamp, signature } = sign(&signer(1), &body, at(now));
            let read = read(&timestamp, &signature).unwrap();
            prop_assert!(read.verify([&verifier(1)], &body, at(now)).is_ok());
        }

        #[test]
        fn a_time_that_is_read_is_written_the_same(text in "\\PC{0,16}|[0-9+ -]{0,15}") {
            if let Some(read) = seconds(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn nothing_overflows(seconds_of_header in 0..=9_999_999_999_999_i64, now: i64) {
            let read = read(&seconds_of_header.to_string(), &encoding::encode([7; 64])).unwrap();
            prop_assert!(read.verify([&verifier(1)], BODY, Timestamp::from_micros(now)).is_err());
        }
    }
}
