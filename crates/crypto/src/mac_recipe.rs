//! Trying how a MAC that isn't right may have been made. The only answer is whether it was made so: no MAC leaves this file.

use aws_lc_rs::{constant_time, digest, hmac};

use crate::user_mac::V2_LABEL;

/// The hash functions that people reach for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256, the right one.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// What the key was made of.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// These bytes, as in v1.
    Plain(&'a [u8]),
    /// A MAC of these bytes under the label, as in v2.
    Derived(&'a [u8]),
    /// The same the wrong way round: a MAC of the label under these bytes.
    DerivedBackwards(&'a [u8]),
}

/// A way to make a MAC.
#[derive(Clone, Copy)]
pub struct Recipe<'a> {
    /// The hash function.
    pub hash: Hash,
    /// The key.
    pub key: Key<'a>,
    /// The message, in parts that follow one another.
    pub message: &'a [&'a [u8]],
}

impl Recipe<'_> {
    /// Is this what comes of it? In constant time.
    pub fn gives(&self, shown: &[u8]) -> bool {
        let mut context = hmac::Context::with_key(&self.key());
        for part in self.message {
            context.update(part);
        }
        constant_time::verify_slices_are_equal(context.sign().as_ref(), shown).is_ok()
    }

    fn key(&self) -> hmac::Key {
        let sha256 = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let of = |bytes: &[u8]| hmac::Key::new(self.hash.hmac(), bytes);
        match self.key {
            Key::Plain(bytes) => of(bytes),
            Key::Derived(bytes) => of(hmac::sign(&sha256(V2_LABEL), bytes).as_ref()),
            Key::DerivedBackwards(bytes) => of(hmac::sign(&sha256(bytes), V2_LABEL).as_ref()),
        }
    }
}

impl Hash {
    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// Is this the SHA-256 of these parts, with no key at all? In constant time.
pub fn is_plain_sha256(parts: &[&[u8]], shown: &[u8]) -> bool {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    constant_time::verify_slices_are_equal(context.finish().as_ref(), shown).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{secret::SecretText, user_mac::HmacSecret};

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 2202 §3 and RFC 4231 §4.3, test case 2 of both.
    #[test]
    fn the_published_answers_are_recognised_and_no_other() {
        let answers = [
            (Hash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Hash::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Hash::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Hash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (hash, answer) in answers {
            let recipe = Recipe { hash, key: Key::Plain(b"Jefe"), message: &[b"what do ya ", b"want for nothing?"] };
            let mut shown = bytes(answer);
            assert!(recipe.gives(&shown), "{hash:?}");
            assert!(!Recipe { message: &[b"what"], ..recipe }.gives(&shown));
            assert!(!recipe.gives(&shown[1..]) && !recipe.gives(&[]));
            shown[0] ^= 1;
            assert!(!recipe.gives(&shown));
        }
    }

    #[test]
    fn the_right_recipes_give_what_a_backend_makes() {
        let secret = HmacSecret::new(SecretText::new("hsec_x".to_owned()));
        let v1 = Recipe { hash: Hash::Sha256, key: Key::Plain(b"hsec_x"), message: &[b"ada"] };
        assert!(v1.gives(&secret.v1("ada")));
        let v2 = secret.v2(&"p1".parse().unwrap(), "ada", 7, None);
        let mac: [u8; 32] = crate::encoding::decode_array(v2.rsplit('.').next().unwrap()).unwrap();
        let recipe = Recipe { hash: Hash::Sha256, key: Key::Derived(b"hsec_x"), message: &[b"v2.7.p1.", b"ada"] };
        assert!(recipe.gives(&mac));
        for key in [Key::Plain(b"hsec_x"), Key::DerivedBackwards(b"hsec_x"), Key::Derived(b"hsec_y")] {
            assert!(!Recipe { key, ..recipe }.gives(&mac));
        }
    }

    #[test]
    fn a_plain_hash_is_recognised() {
        let abc = bytes("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(is_plain_sha256(&[b"a", b"bc"], &abc));
        assert!(!is_plain_sha256(&[b"ab"], &abc));
    }
}
