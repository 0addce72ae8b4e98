//! What a confidential client and the server both know. Shown once; the database keeps a hash, which is enough for 256 random bits.

use aws_lc_rs::constant_time;

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText};

/// What every secret of a client begins with, so that secret scanners find it.
pub const PREFIX: &str = "cs_";

/// How much of one may be shown: the prefix and 6 of 43 characters.
const SHOWN: usize = PREFIX.len() + 6;

/// A new secret.
pub fn generate(entropy: &Entropy) -> SecretText {
    SecretText::new(format!("{PREFIX}{}", encoding::encode(entropy.bytes::<32>())))
}

/// The part of a secret that may be shown.
pub fn shown_prefix(secret: &SecretText) -> String {
    secret.danger_expose().chars().take(SHOWN).collect()
}

/// What the database keeps of a client's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSecretHash([u8; 32]);

impl ClientSecretHash {
    /// The hash of what somebody showed, or of a secret that was just made.
    pub fn of(text: &str) -> Self {
        Self(sha256(text))
    }

    /// As the database has it.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }

    /// From the database.
    pub fn from_text(text: &str) -> Option<Self> {
        encoding::decode_array(text).map(Self)
    }

    /// Are they the same? In constant time.
    pub fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_and_finds_only_its_own_secret() {
        let (mine, theirs) = (generate(&Entropy::system()), generate(&Entropy::system()));
        let kept = ClientSecretHash::from_text(&ClientSecretHash::of(mine.danger_expose()).to_text()).unwrap();
        assert!(kept.matches(&ClientSecretHash::of(mine.danger_expose())));
        assert!(!kept.matches(&ClientSecretHash::of(theirs.danger_expose())));
        assert_eq!(mine.danger_expose().len(), 46);
        assert!(mine.danger_expose().starts_with(&shown_prefix(&mine)));
        assert_eq!(shown_prefix(&mine).len(), 9);
    }
}
