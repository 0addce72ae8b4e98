//! Handles of sign-ins that are under way (`auth_session`): the sign-in's id and 256 random bits, of which the database keeps a hash.

use countersign_domain::id::SignInId;

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText};

const PREFIX: &str = "as_";
const SECRET: usize = 32;
const ID: usize = 16;

/// What the database keeps of a handle. A plain hash is right for 256 random bits: there is nothing to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleHash([u8; 32]);

/// A handle that somebody showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedHandle {
    /// The sign-in that it names.
    pub unverified_id: SignInId,
    /// What it must be known by.
    pub hash: HandleHash,
}

/// A new handle of a sign-in.
pub fn generate(id: SignInId, entropy: &Entropy) -> SecretText {
    let secret = entropy.bytes::<SECRET>();
    SecretText::new(format!("{PREFIX}{}", encoding::encode([&id.to_bytes()[..], &secret].concat())))
}

impl UnverifiedHandle {
    /// Reads a handle; none: it can be none.
    pub fn read(text: &str) -> Option<Self> {
        let bytes: [u8; ID + SECRET] = encoding::decode_array(text.strip_prefix(PREFIX)?)?;
        let id: [u8; ID] = bytes[..ID].try_into().ok()?;
        Some(Self { unverified_id: SignInId::from_bytes(id), hash: HandleHash(sha256(text)) })
    }
}

impl HandleHash {
    /// The hash of a handle that was just made.
    pub fn of(handle: &SecretText) -> Self {
        Self(sha256(handle.danger_expose()))
    }

    /// Of a sign-in that a browser drives: made of the browser's own secret, so that nobody could show anything it is the hash of.
    pub(crate) const fn of_browser(mac: [u8; 32]) -> Self {
        Self(mac)
    }

    /// For the database.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::clock::Timestamp;

    use super::*;

    #[test]
    fn a_handle_names_its_sign_in_and_no_two_are_alike() {
        let id = SignInId::new(Timestamp::from_seconds(1_800_000_000), [7; 10]);
        let (one, other) = (generate(id, &Entropy::system()), generate(id, &Entropy::system()));
        let read = UnverifiedHandle::read(one.danger_expose()).unwrap();
        assert_eq!((read.unverified_id, read.hash), (id, HandleHash::of(&one)));
        assert_ne!(HandleHash::of(&one), HandleHash::of(&other));
    }

    #[test]
    fn what_can_be_no_handle_is_refused() {
        let handle = generate(SignInId::from_bytes([1; 16]), &Entropy::system());
        let text = handle.danger_expose();
        for garbage in
            ["", "as_", "as_garbage", &text[3..], &text[..text.len() - 1], &format!("{text}A"), &format!("{text} ")]
        {
            assert_eq!(UnverifiedHandle::read(garbage), None, "{garbage:?}");
        }
    }
}
