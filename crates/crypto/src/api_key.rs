//! Keys of a project as texts: a prefix that says what it is, and random characters.

use aws_lc_rs::constant_time;

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText};

/// What a key is for, as its first characters say. Never changed: doing so would revoke every key there is, and blind every secret scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyText {
    /// `sk_`: a customer's backend shows it with each call.
    Secret,
    /// `pk_`: an app names its project by it. No secret.
    Publishable,
    /// `hsec_`: a customer's backend proves users with it, and shows it to nobody.
    Hmac,
}

/// How many base-62 characters follow the prefix: 428 bits.
const RANDOM_LENGTH: usize = 72;

/// How much of a key may be shown so that its holder can tell which one it is: the prefix and 8 of the 72 characters.
const SHOWN_LENGTH: usize = 8;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl KeyText {
    /// What it begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Secret => "sk_",
            Self::Publishable => "pk_",
            Self::Hmac => "hsec_",
        }
    }

    /// The part of a key that may be shown.
    pub fn shown_prefix(self, key: &SecretText) -> String {
        key.danger_expose().chars().take(self.prefix().len() + SHOWN_LENGTH).collect()
    }
}

/// A new key: shown once.
pub fn generate(kind: KeyText, entropy: &Entropy) -> SecretText {
    let mut text = String::with_capacity(kind.prefix().len() + RANDOM_LENGTH);
    text.push_str(kind.prefix());
    let mut missing = RANDOM_LENGTH;
    while missing > 0 {
        // A byte from 248 up would make the first eight characters likelier than the others.
        let usable = entropy.bytes::<RANDOM_LENGTH>().into_iter().filter(|byte| *byte < 248).take(missing);
        for byte in usable {
            text.push(char::from(BASE62[usize::from(byte % 62)]));
            missing -= 1;
        }
    }
    SecretText::new(text)
}

/// What the database keeps of a secret key. A plain SHA-256 is right for strings of 428 random bits: there is nothing to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretKeyHash([u8; 32]);

impl SecretKeyHash {
    /// The hash of what a caller showed, of whatever length; a text that isn't a secret key at all is refused unhashed.
    pub fn of_unverified(text: &str) -> Option<Self> {
        text.starts_with(KeyText::Secret.prefix()).then(|| Self(sha256(text)))
    }

    /// The hash of a key that was just made.
    pub fn of(secret: &SecretText) -> Self {
        Self(sha256(secret.danger_expose()))
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
    fn a_key_is_its_prefix_and_72_base62_characters() {
        for (kind, prefix) in [(KeyText::Secret, "sk_"), (KeyText::Publishable, "pk_"), (KeyText::Hmac, "hsec_")] {
            let key = generate(kind, &Entropy::system());
            let random = key.danger_expose().strip_prefix(prefix).unwrap();
            assert_eq!(random.len(), 72);
            assert!(random.bytes().all(|b| b.is_ascii_alphanumeric()));
            let shown = kind.shown_prefix(&key);
            assert!(key.danger_expose().starts_with(&shown));
            assert_eq!(shown.len(), prefix.len() + 8);
        }
    }

    #[test]
    fn every_character_is_equally_likely() {
        let mut next = 0_u8;
        let counting = std::sync::Mutex::new(move |buffer: &mut [u8]| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_add(1);
            }
        });
        let entropy = Entropy::new(move |buffer| counting.lock().unwrap()(buffer));
        let mut counts = [0_u32; 256];
        for _ in 0..62 {
            for byte in generate(KeyText::Secret, &entropy).danger_expose()[3..].bytes() {
                counts[usize::from(byte)] += 1;
            }
        }
        let drawn: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
        assert_eq!(drawn.len(), 62);
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(most - least <= 8, "{least} to {most}");
    }

    #[test]
    fn a_hash_reads_back_and_finds_only_its_own_key() {
        let (mine, theirs) =
            (generate(KeyText::Secret, &Entropy::system()), generate(KeyText::Secret, &Entropy::system()));
        let kept = SecretKeyHash::from_text(&SecretKeyHash::of(&mine).to_text()).unwrap();
        assert!(kept.matches(&SecretKeyHash::of_unverified(mine.danger_expose()).unwrap()));
        assert!(!kept.matches(&SecretKeyHash::of_unverified(theirs.danger_expose()).unwrap()));
        assert_eq!(SecretKeyHash::of_unverified("pk_abc"), None);
        assert_eq!(SecretKeyHash::of_unverified(""), None);
    }
}
