//! Codes of six digits that are sent to somebody. So few digits are no secret from whoever can try a million times: what is kept is a hash
//! under a key that isn't in the database, bound to the challenge that the code belongs to.

use aws_lc_rs::hmac;
use countersign_domain::id::ChallengeId;

use crate::{encoding, entropy::Entropy, secret::SecretText};

/// How many digits a code has.
pub const DIGITS: usize = 6;
const CODES: u32 = 1_000_000;

/// The key of a project's codes.
pub struct OneTimeCodeKey(pub(crate) hmac::Key);

/// A code.
pub struct OneTimeCode(SecretText);

/// What the database keeps of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeCodeHash(String);

impl OneTimeCode {
    /// A new one; each is as likely as any other.
    pub fn generate(entropy: &Entropy) -> Self {
        // What lies beyond the last whole million would make small codes likelier.
        const BEYOND: u32 = u32::MAX - u32::MAX % CODES;
        loop {
            let number = u32::from_be_bytes(entropy.bytes());
            if number < BEYOND {
                return Self(SecretText::new(format!("{:0DIGITS$}", number % CODES)));
            }
        }
    }

    /// A code as a person typed it: spaces and a dash between the digits don't matter.
    pub fn unverified(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|char| !matches!(char, ' ' | '-')).collect();
        let is_code = digits.len() == DIGITS && text.len() <= 2 * DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        is_code.then(|| Self(SecretText::new(digits)))
    }

    /// Its digits, to be compared with what isn't kept as a hash.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.danger_expose().as_bytes()
    }

    /// The code itself, for the message that brings it.
    pub fn into_secret(self) -> SecretText {
        self.0
    }
}

impl OneTimeCodeKey {
    /// What is kept of a code that belongs to this challenge.
    pub fn hash(&self, challenge: ChallengeId, code: &OneTimeCode) -> OneTimeCodeHash {
        OneTimeCodeHash(encoding::encode(hmac::sign(&self.0, &input(challenge, code))))
    }

    /// Is it the code of this challenge? Takes as long whatever is right of it.
    pub fn matches(&self, challenge: ChallengeId, code: &OneTimeCode, hash: &OneTimeCodeHash) -> bool {
        let kept = encoding::decode(&hash.0).unwrap_or_default();
        hmac::verify(&self.0, &input(challenge, code), &kept).is_ok()
    }
}

fn input(challenge: ChallengeId, code: &OneTimeCode) -> Vec<u8> {
    [&challenge.to_bytes()[..], code.as_bytes()].concat()
}

impl OneTimeCodeHash {
    /// As the database has it.
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// For the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::clock::Timestamp;

    use super::*;
    use crate::master_key::MasterKey;

    fn key(project: &str) -> OneTimeCodeKey {
        MasterKey::from_text(&encoding::encode([7; 32])).unwrap().one_time_code_key(&project.parse().unwrap())
    }

    fn challenge(n: u8) -> ChallengeId {
        ChallengeId::new(Timestamp::EPOCH, [n; 10])
    }

    fn code(text: &str) -> OneTimeCode {
        OneTimeCode::unverified(text).unwrap()
    }

    #[test]
    fn a_code_is_good_for_its_own_challenge_and_project() {
        let hash = key("p1").hash(challenge(1), &code("123456"));
        assert!(key("p1").matches(challenge(1), &code("123456"), &hash));
        assert!(!key("p1").matches(challenge(1), &code("123457"), &hash));
        assert!(!key("p1").matches(challenge(2), &code("123456"), &hash));
        assert!(!key("p2").matches(challenge(1), &code("123456"), &hash));
        assert!(!key("p1").matches(challenge(1), &code("123456"), &OneTimeCodeHash::from_text("garbage".to_owned())));
    }

    #[test]
    fn people_may_group_the_digits() {
        for text in ["123456", "123 456", " 123-456 ", "1 2 3 4 5 6"] {
            assert_eq!(code(text).0.danger_expose(), "123456", "{text:?}");
        }
        let long = format!("123456{}", " ".repeat(100));
        for text in ["", "12345", "1234567", "12345a", "\u{0661}23456", "123\n456", &long] {
            assert!(OneTimeCode::unverified(text).is_none(), "{text:?} was taken");
        }
    }

    #[test]
    fn codes_begin_with_zeros_too_and_are_never_longer() {
        let source = |number: u32| Entropy::new(move |buffer| buffer.copy_from_slice(&number.to_be_bytes()));
        assert_eq!(OneTimeCode::generate(&source(42)).0.danger_expose(), "000042");
        assert_eq!(OneTimeCode::generate(&source(7_000_000)).0.danger_expose(), "000000");
        assert_eq!(OneTimeCode::generate(&source(999_999)).0.danger_expose(), "999999");
    }

    #[test]
    fn numbers_beyond_the_last_whole_million_are_drawn_again() {
        let draws = std::sync::Mutex::new(vec![5_u32, u32::MAX]);
        let source = Entropy::new(move |buffer| {
            buffer.copy_from_slice(&draws.lock().unwrap().pop().unwrap().to_be_bytes());
        });
        assert_eq!(OneTimeCode::generate(&source).0.danger_expose(), "000005");
    }
}
