//! base64url without padding (RFC 4648 §5), the one spelling of bytes in tokens and in the database.

use base64::{
    Engine, alphabet,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    },
};

/// The text of some bytes.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a text. Padding, white space, the other alphabet and loose bits at the end are refused, so no bytes have two spellings.
pub fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bytes of a text in the other alphabet, padded (RFC 4648 §4), as HTTP's `Basic` has them.
pub fn decode_standard(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The bytes that somebody may have meant: either alphabet, padded or not, loose bits at the end. Only for finding out what went wrong;
/// nothing is proved by what has many spellings.
pub fn decode_loosely(text: &str) -> Option<Vec<u8>> {
    const LOOSE: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const EITHER: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LOOSE);
    EITHER.decode(text.replace('+', "-").replace('/', "_")).ok()
}

/// The bytes of a text, if there are exactly `N`.
pub fn decode_array<const N: usize>(text: impl AsRef<[u8]>) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_spelling_is_read_in_any_when_mistakes_are_looked_for() {
        let bytes = [0xfb, 0xef, 0xff, 0x01];
        for text in ["--__AQ", "++//AQ==", "+-/_AQ=", "--__AR"] {
            assert_eq!(decode_loosely(text).as_deref(), Some(&bytes[..]), "{text}");
        }
        assert_eq!(decode("--__AQ").as_deref(), Some(&bytes[..]));
        for text in ["++//AQ==", "--__AQ==", "--__AR"] {
            assert_eq!(decode(text), None, "{text}");
        }
        for text in ["--__A", "a b", "é", "=", "A==="] {
            assert_eq!(decode_loosely(text), None, "{text}");
        }
    }
}
