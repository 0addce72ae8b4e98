//! Authorization codes as texts: 256 random bits, of which the database keeps a hash.

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText};

/// A new code.
pub fn generate(entropy: &Entropy) -> SecretText {
    SecretText::new(encoding::encode(entropy.bytes::<32>()))
}

/// What a code is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeHash([u8; 32]);

impl CodeHash {
    /// The hash of what somebody showed, or of a code that was just made. None: it can't be a code.
    pub fn of(text: &str) -> Option<Self> {
        encoding::decode_array::<32>(text).map(|_| Self(sha256(text)))
    }

    /// As the database has it.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_43_characters_and_has_one_hash() {
        let code = generate(&Entropy::system());
        assert_eq!(code.danger_expose().len(), 43);
        let hash = CodeHash::of(code.danger_expose()).unwrap();
        assert_eq!(CodeHash::of(code.danger_expose()), Some(hash));
        assert_ne!(hash.to_text(), code.danger_expose());
        for text in ["", "a", &"a".repeat(44), &format!("{}=", code.danger_expose())] {
            assert_eq!(CodeHash::of(text), None, "{text}");
        }
    }
}
