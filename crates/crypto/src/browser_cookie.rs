//! What browsers hold in cookies: 256 random bits that name a visit, and 256 others once somebody is signed in. Everything that belongs to one
//! browser alone, what a sign-in is known by and what its forms must carry, is made of these, so that nothing else need be kept.

use aws_lc_rs::{constant_time, hmac};
use countersign_domain::id::{BrowserSessionId, SignInId};

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText, sign_in_handle::HandleHash};

const SECRET: usize = 32;
const ID: usize = 16;

/// A browser that is about to sign in. No `Debug`.
#[derive(Clone)]
pub struct Visit([u8; SECRET]);

impl Visit {
    /// A new one.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// What a cookie says. None: it is none of ours.
    pub fn read(cookie: &str) -> Option<Self> {
        encoding::decode_array(cookie).map(Self)
    }

    /// For the cookie.
    pub fn to_cookie(&self) -> SecretText {
        SecretText::new(encoding::encode(self.0))
    }

    /// By what a sign-in of this browser is known. It is no handle that an app could show: those are hashes of what they show.
    pub fn handle(&self, id: SignInId) -> HandleHash {
        HandleHash::of_browser(mac(&self.0, "sign-in", &id.to_bytes()))
    }

    /// What a form of this sign-in must carry, so that no other page can send it.
    pub fn form_token(&self, id: SignInId) -> String {
        encoding::encode(mac(&self.0, "form", &id.to_bytes()))
    }

    /// Is this what a form of this sign-in carries?
    pub fn is_form_token(&self, id: SignInId, unverified: &str) -> bool {
        is_token(mac(&self.0, "form", &id.to_bytes()), unverified)
    }
}

/// The cookie of a browser in which somebody is signed in. No `Debug`.
#[derive(Clone)]
pub struct SessionCookie {
    /// The session that it names.
    pub unverified_id: BrowserSessionId,
    secret: [u8; SECRET],
}

/// What the database keeps of it. A plain hash is right for 256 random bits: there is nothing to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieHash([u8; 32]);

impl SessionCookie {
    /// A new one.
    pub fn generate(id: BrowserSessionId, entropy: &Entropy) -> Self {
        Self { unverified_id: id, secret: entropy.bytes() }
    }

    /// What a cookie says. None: it is none of ours.
    pub fn read(cookie: &str) -> Option<Self> {
        let bytes: [u8; ID + SECRET] = encoding::decode_array(cookie)?;
        let id: [u8; ID] = bytes[..ID].try_into().ok()?;
        Some(Self { unverified_id: BrowserSessionId::from_bytes(id), secret: bytes[ID..].try_into().ok()? })
    }

    /// For the cookie.
    pub fn to_cookie(&self) -> SecretText {
        SecretText::new(encoding::encode([&self.unverified_id.to_bytes()[..], &self.secret].concat()))
    }

    /// What it is known by.
    pub fn hash(&self) -> CookieHash {
        CookieHash(sha256(self.secret))
    }

    /// What the forms of the account's pages must carry.
    pub fn form_token(&self) -> String {
        encoding::encode(mac(&self.secret, "form", &self.unverified_id.to_bytes()))
    }

    /// Is this what they carry?
    pub fn is_form_token(&self, unverified: &str) -> bool {
        is_token(mac(&self.secret, "form", &self.unverified_id.to_bytes()), unverified)
    }
}

impl CookieHash {
    /// For the database.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }
}

fn mac(secret: &[u8], purpose: &str, about: &[u8]) -> [u8; 32] {
    let label = format!("countersign browser {purpose}:");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut mac = [0; 32];
    mac.copy_from_slice(hmac::sign(&key, &[label.as_bytes(), about].concat()).as_ref());
    mac
}

fn is_token(expected: [u8; 32], unverified: &str) -> bool {
    let shown = encoding::decode_array::<32>(unverified);
    shown.is_some_and(|shown| constant_time::verify_slices_are_equal(&expected, &shown).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_has_a_handle_and_a_form_token_for_each_sign_in_and_shares_none() {
        let (visit, other) = (Visit::generate(&Entropy::system()), Visit::generate(&Entropy::system()));
        let (one, two) = (SignInId::from_bytes([1; 16]), SignInId::from_bytes([2; 16]));
        let again = Visit::read(visit.to_cookie().danger_expose()).unwrap();
        assert_eq!(again.handle(one), visit.handle(one));
        assert!(again.is_form_token(one, &visit.form_token(one)));
        assert!(!visit.is_form_token(two, &visit.form_token(one)) && !other.is_form_token(one, &visit.form_token(one)));
        assert!(visit.handle(one) != visit.handle(two) && visit.handle(one) != other.handle(one));
        assert_ne!(visit.handle(one).to_text(), visit.form_token(one), "what stands in a page is no handle");
    }

    #[test]
    fn a_session_cookie_says_which_session_and_no_other_secret_opens_it() {
        let id = BrowserSessionId::from_bytes([7; 16]);
        let (cookie, other) =
            (SessionCookie::generate(id, &Entropy::system()), SessionCookie::generate(id, &Entropy::system()));
        let again = SessionCookie::read(cookie.to_cookie().danger_expose()).unwrap();
        assert_eq!((again.unverified_id, again.hash()), (id, cookie.hash()));
        assert_ne!(other.hash(), cookie.hash());
        assert!(again.is_form_token(&cookie.form_token()) && !other.is_form_token(&cookie.form_token()));
    }

    #[test]
    fn garbage_is_no_cookie() {
        for garbage in ["", "a", &"A".repeat(42), &"A".repeat(44), &"!".repeat(43), &"A".repeat(65)] {
            assert!(Visit::read(garbage).is_none() && SessionCookie::read(garbage).is_none(), "{garbage:?}");
        }
        assert!(!Visit::generate(&Entropy::system()).is_form_token(SignInId::from_bytes([1; 16]), ""));
    }
}
