//! Compact JWS (RFC 7515 §7.1), as strict as one's own tokens allow: three parts, base64url, a header of exactly `alg`, `typ` and `kid`.
//!
//! Nothing in a header leads anywhere: not `jwk`, `jku` or `x5u` to a key, not `b64` or `crit` to another reading. A header with any of
//! them isn't ours.

use serde::{Deserialize, de::DeserializeOwned};

use crate::encoding;

/// What stands before a signature was checked.
#[derive(Debug)]
pub struct UnverifiedJws<'a> {
    /// The header.
    pub unverified_header: Header,
    /// What the signature is over.
    pub signed: &'a str,
    unverified_payload: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

/// The header of a JWS of ours.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The algorithm (RFC 7515 §4.1.1).
    pub alg: String,
    /// The kind of token (RFC 8725 §3.11).
    pub typ: String,
    /// The key.
    pub kid: String,
}

/// A text that is no token of ours, whatever the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this server")]
pub struct NotOurs;

/// Longer than any token that we make.
const LONGEST: usize = 8 * 1024;

impl<'a> UnverifiedJws<'a> {
    /// Takes a text apart and believes none of it.
    pub fn parse(text: &'a str) -> Result<Self, NotOurs> {
        if text.len() > LONGEST {
            return Err(NotOurs);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(NotOurs)?;
        let (header, unverified_payload) = signed.split_once('.').ok_or(NotOurs)?;
        let header = encoding::decode(header).ok_or(NotOurs)?;
        Ok(Self {
            unverified_header: object(&header)?,
            signed,
            unverified_payload,
            signature: encoding::decode(signature).ok_or(NotOurs)?,
        })
    }

    /// The payload. Only for who has checked the signature.
    pub(super) fn payload(&self) -> Result<Vec<u8>, NotOurs> {
        encoding::decode(self.unverified_payload).ok_or(NotOurs)
    }
}

/// A JSON object. Left alone, serde takes a list of the members' values for one, and reads over what isn't UTF-8 in members that it doesn't know
/// (RFC 7519 §7.2).
pub(super) fn object<T: DeserializeOwned>(json: &[u8]) -> Result<T, NotOurs> {
    let json = str::from_utf8(json).map_err(|_| NotOurs)?;
    if !json.trim_ascii_start().starts_with('{') {
        return Err(NotOurs);
    }
    serde_json::from_str(json).map_err(|_| NotOurs)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_an_object_of_good_text_is_taken() {
        assert!(object::<Value>(b" {\"a\": \"\xc3\xbc\"}").is_ok());
        for json in [&b"[1]"[..], b"1", b"", b"{\"a\": \"\xaa\"}", b"{\"\xff\": 1}", b"{} {}"] {
            assert_eq!(object::<Value>(json), Err(NotOurs), "{}", String::from_utf8_lossy(json));
        }
    }
}
