//! The master key, and the keys that come of it. It is never in the database; everything in the database that must be used again, or
//! recognised, hangs on it.

use std::{fmt, str::FromStr};

use aws_lc_rs::{aead, hkdf, hmac};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use countersign_domain::id::{MacKeyId, ProjectId};
use zeroize::Zeroizing;

use crate::{
    caller_marks::CallerMarksKey, dpop_nonce::DpopNonceKey, encoding, entropy::Entropy, one_time_code::OneTimeCodeKey,
    refresh_token::RefreshTokenKey, secret::SecretText,
};

/// 32 random bytes on which every secret at rest hangs.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Tells master keys apart without giving any away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKeyId(String);

/// A text that is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 random bytes in base64, as `openssl rand -base64 32` prints them")]
pub struct InvalidMasterKey;

/// What a derived key is for. Each purpose has keys of its own, so that no use of one can help against another.
#[derive(Debug, Clone, Copy)]
enum Purpose<'a> {
    KeyId,
    Seal { table: &'a str, column: &'a str },
    RefreshToken { project: &'a ProjectId, key: MacKeyId },
    CallerMarks { project: &'a ProjectId },
    DpopNonce { project: &'a ProjectId },
    OneTimeCode { project: &'a ProjectId },
}

impl MasterKey {
    /// A new one.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Zeroizing::new(entropy.bytes()))
    }

    /// From its text, in either base64 alphabet, padded or not.
    pub fn from_text(text: &str) -> Result<Self, InvalidMasterKey> {
        let text = text.trim();
        let bare = text.strip_suffix('=').unwrap_or(text);
        let bytes = encoding::decode(bare).or_else(|| STANDARD_NO_PAD.decode(bare).ok());
        let bytes = Zeroizing::new(bytes.ok_or(InvalidMasterKey)?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| InvalidMasterKey)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Its text, for the file that only the server may read.
    pub fn to_text(&self) -> SecretText {
        SecretText::new(encoding::encode(*self.0))
    }

    /// By what it is told from others.
    pub fn id(&self) -> MasterKeyId {
        let derived = self.derive(Purpose::KeyId);
        MasterKeyId(encoding::encode(&derived[..6]))
    }

    /// Authenticates refresh tokens of a project under one of its MAC keys.
    pub fn refresh_token_key(&self, project: &ProjectId, key: MacKeyId) -> RefreshTokenKey {
        RefreshTokenKey(hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(Purpose::RefreshToken { project, key })))
    }

    /// Marks from where refresh tokens of a project were used.
    pub fn caller_marks_key(&self, project: &ProjectId) -> CallerMarksKey {
        CallerMarksKey(hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(Purpose::CallerMarks { project })))
    }

    /// Makes a project's nonces for proofs of possession.
    pub fn dpop_nonce_key(&self, project: &ProjectId) -> DpopNonceKey {
        DpopNonceKey(hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(Purpose::DpopNonce { project })))
    }

    /// Recognises a project's one-time codes.
    pub fn one_time_code_key(&self, project: &ProjectId) -> OneTimeCodeKey {
        OneTimeCodeKey(hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(Purpose::OneTimeCode { project })))
    }

    pub(crate) fn sealing_key(&self, table: &str, column: &str) -> aead::RandomizedNonceKey {
        let key = self.derive(Purpose::Seal { table, column });
        #[expect(clippy::expect_used, reason = "the only failure is a key of another length")]
        aead::RandomizedNonceKey::new(&aead::AES_256_GCM, &*key).expect("32 bytes are an AES-256 key")
    }

    /// HKDF-SHA256 (RFC 5869) with an empty salt; the label names version and purpose, and its parts can't run together.
    fn derive(&self, purpose: Purpose<'_>) -> Zeroizing<[u8; 32]> {
        let label = purpose.to_string();
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&*self.0);
        let mut key = Zeroizing::new([0; 32]);
        let info = [label.as_bytes()];
        let filled = pseudorandom.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut *key));
        debug_assert!(filled.is_ok(), "HKDF-SHA256 gives 32 bytes");
        key
    }
}

impl fmt::Display for Purpose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("countersign v1/")?;
        match self {
            Self::KeyId => f.write_str("master key id"),
            Self::Seal { table, column } => write!(f, "seal/{table}/{column}"),
            Self::RefreshToken { project, key } => write!(f, "refresh token/{project}/{key}"),
            Self::CallerMarks { project } => write!(f, "caller marks/{project}"),
            Self::DpopNonce { project } => write!(f, "dpop nonce/{project}"),
            Self::OneTimeCode { project } => write!(f, "one-time code/{project}"),
        }
    }
}

impl MasterKeyId {
    /// As messages and sealed texts have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MasterKeyId {
    type Err = InvalidMasterKey;

    fn from_str(text: &str) -> Result<Self, InvalidMasterKey> {
        encoding::decode_array::<6>(text).map(|_| Self(text.to_owned())).ok_or(InvalidMasterKey)
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn a_key_reads_back_in_every_usual_spelling_of_base64() {
        // Its first six bits are 62, which the alphabets spell differently.
        let key = MasterKey(Zeroizing::new([0xFB; 32]));
        let (own, usual) = (key.to_text(), STANDARD_NO_PAD.encode(*key.0));
        assert!(usual.contains('+'));
        for bare in [own.danger_expose(), &usual] {
            for text in [bare.to_owned(), format!("{bare}="), format!("{bare}=\n")] {
                assert_eq!(MasterKey::from_text(&text).unwrap().id(), key.id(), "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "short",
            &encoding::encode([0; 31]),
            &encoding::encode([0; 33]),
            "!!!!",
            &format!("{}==", encoding::encode([0; 32])),
        ] {
            assert!(MasterKey::from_text(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn keys_of_different_purposes_projects_and_ids_differ() {
        let (p1, p2) = ("p1".parse().unwrap(), "p2".parse().unwrap());
        let master = key(1);
        let tag = |key: &hmac::Key| hmac::sign(key, b"x").as_ref().to_vec();
        let tags = [
            tag(&master.refresh_token_key(&p1, MacKeyId(1)).0),
            tag(&master.refresh_token_key(&p1, MacKeyId(2)).0),
            tag(&master.refresh_token_key(&p2, MacKeyId(1)).0),
            tag(&master.caller_marks_key(&p1).0),
            tag(&master.dpop_nonce_key(&p1).0),
            tag(&master.dpop_nonce_key(&p2).0),
            tag(&master.one_time_code_key(&p1).0),
            tag(&master.one_time_code_key(&p2).0),
            tag(&key(2).refresh_token_key(&p1, MacKeyId(1)).0),
        ];
        for (i, one) in tags.iter().enumerate() {
            assert!(tags[i + 1..].iter().all(|other| other != one));
        }
        assert_ne!(key(1).id(), key(2).id());
    }
}
