//! Codes that people keep and type: those with which they may sign up, and those that let them in without a second factor. Short enough to be typed, too long to
//! be guessed.

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText};

/// Without letters that look like digits (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 80 random bits.
const LENGTH: usize = 16;
const GROUP: usize = 4;

/// What the database keeps of a code. There are too many for a search, so a plain hash is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypedCodeHash([u8; 32]);

/// A new code, in groups of four: shown once.
pub fn generate(entropy: &Entropy) -> SecretText {
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (at, byte) in entropy.bytes::<LENGTH>().into_iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    SecretText::new(text)
}

/// The group by which people tell codes apart.
pub fn shown_prefix(code: &SecretText) -> String {
    code.danger_expose().chars().take(GROUP).collect()
}

impl TypedCodeHash {
    /// Of a code as somebody typed it: case, spaces and dashes don't matter, and what looks alike is alike. None: it is no code.
    pub fn of_unverified(text: &str) -> Option<Self> {
        if text.len() > 4 * LENGTH {
            return None;
        }
        let plain: String = text.chars().filter(|char| !matches!(char, ' ' | '-')).map(canonical).collect();
        let is_code = plain.len() == LENGTH && plain.bytes().all(|byte| ALPHABET.contains(&byte));
        is_code.then(|| Self(sha256(&plain)))
    }

    /// For the database.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }
}

fn canonical(char: char) -> char {
    match char.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_recognised_however_it_is_typed() {
        let code = generate(&Entropy::new(|buffer| buffer.fill(0x21)));
        assert_eq!(code.danger_expose(), "1111-1111-1111-1111");
        let hash = TypedCodeHash::of_unverified(code.danger_expose()).unwrap();
        for typed in ["1111111111111111", "iiii llll 1111 IL1l", "1111-1111-1111-1111 "] {
            assert_eq!(TypedCodeHash::of_unverified(typed), Some(hash), "{typed:?}");
        }
    }

    #[test]
    fn what_can_be_no_code_is_refused_unhashed() {
        for text in ["", "1111-1111-1111-111", "1111-1111-1111-11111", "1111-1111-1111-111U", &"1".repeat(1000)] {
            assert_eq!(TypedCodeHash::of_unverified(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_letter_can_come_and_reads_back() {
        let mut next = 0_u8;
        let counting = std::sync::Mutex::new(move |buffer: &mut [u8]| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_add(1);
            }
        });
        let entropy = Entropy::new(move |buffer| (counting.lock().unwrap())(buffer));
        let both = [generate(&entropy), generate(&entropy)].map(|code| code.danger_expose().replace('-', ""));
        assert_eq!(both.concat().as_bytes(), ALPHABET);
        assert!(TypedCodeHash::of_unverified(&both[1]).is_some());
    }
}
