//! Proof of key for a code's exchange (RFC 7636): whoever redeems a code is who asked for it. S256 only: `plain` is no proof to who sees the
//! request.

use aws_lc_rs::constant_time;

use crate::{digest::sha256, encoding};

/// The hash of a verifier that only the client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Reads a challenge: 32 bytes, in their one spelling.
    pub fn parse(text: &str) -> Option<Self> {
        encoding::decode_array(text).map(Self)
    }

    /// The challenge of a verifier, as a client makes it.
    pub fn of(verifier: &str) -> Self {
        Self(sha256(verifier))
    }

    /// As a request has it.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }

    /// Is this the verifier that it was made of? In constant time. One that is too short to be random isn't taken (§4.1).
    pub fn matches(&self, verifier: &str) -> bool {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let is_verifier = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
        is_verifier && constant_time::verify_slices_are_equal(&self.0, &sha256(verifier)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_matches() {
        // RFC 7636 §B.
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.matches("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.matches("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert_eq!(CodeChallenge::of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), challenge);
        assert_eq!(challenge.to_text(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_verifier_that_is_too_short_too_long_or_of_other_characters_is_none() {
        for verifier in [String::new(), "a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43))] {
            assert!(!CodeChallenge::of(&verifier).matches(&verifier), "{verifier}");
        }
        for length in [43, 128] {
            let verifier = "a".repeat(length);
            assert!(CodeChallenge::of(&verifier).matches(&verifier));
        }
    }

    #[test]
    fn a_challenge_has_one_spelling() {
        let short = encoding::encode([7; 31]);
        let padded = format!("{}=", encoding::encode([7; 32]));
        // The last character has two loose bits.
        let loose = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN";
        for text in ["", "plain", &short, &padded, loose, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"] {
            assert_eq!(CodeChallenge::parse(text), None, "{text}");
        }
    }
}
