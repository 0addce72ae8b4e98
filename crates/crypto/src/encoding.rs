//! base64url without padding (RFC 4648 §5), the one spelling of bytes in tokens and in the database.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The text of some bytes.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a text. Padding, white space, the other alphabet and loose bits at the end are refused, so no bytes have two spellings.
pub fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bytes of a text, if there are exactly `N`.
pub fn decode_array<const N: usize>(text: impl AsRef<[u8]>) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}
