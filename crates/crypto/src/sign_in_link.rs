//! Links that sign somebody in, in the browser that asked for them: 128 random bits, of which the database keeps a hash.

use aws_lc_rs::constant_time;

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText};

const SECRET: usize = 16;

/// What a link is known by. A plain hash is right for 128 random bits that live for minutes.
#[derive(Debug, Clone, Copy, Eq)]
pub struct LinkHash([u8; 32]);

/// What a new link carries.
pub fn generate(entropy: &Entropy) -> SecretText {
    SecretText::new(encoding::encode(entropy.bytes::<SECRET>()))
}

impl LinkHash {
    /// Of what somebody showed, or of what was just made. None: no link of ours carries that.
    pub fn of(text: &str) -> Option<Self> {
        encoding::decode_array::<SECRET>(text).map(|secret| Self(sha256(secret)))
    }

    /// For the database.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }

    /// From the database.
    pub fn from_text(text: &str) -> Option<Self> {
        encoding::decode_array(text).map(Self)
    }
}

impl PartialEq for LinkHash {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_one_hash_and_garbage_has_none() {
        let (one, other) = (generate(&Entropy::system()), generate(&Entropy::system()));
        let hash = LinkHash::of(one.danger_expose()).unwrap();
        assert_eq!(LinkHash::from_text(&hash.to_text()), Some(hash));
        assert_ne!(LinkHash::of(other.danger_expose()), Some(hash));
        for garbage in ["", "a", "!!!!!!!!!!!!!!!!!!!!!!", &format!("{}A", one.danger_expose())] {
            assert_eq!(LinkHash::of(garbage), None, "{garbage:?}");
        }
    }
}
