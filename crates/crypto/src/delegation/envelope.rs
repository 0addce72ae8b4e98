//! The envelope: `{"enc":"x25519-aesgcm","epk","iv","ct"}`. A key pair is drawn for each, so that a key of AES is used once.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    SUITE,
    keys::{Opener, Recipient},
};
use crate::{digest::sha256, encoding, entropy::Entropy, jose::unambiguous::members};

/// Names what the key is for, in HKDF (RFC 5869 §3.2).
const INFO: &[u8] = b"idp-sp-ecies-v1";
const TAG: usize = 16;

/// An envelope that was read. Whether it is for us shows when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedEnvelope {
    epk: Recipient,
    iv: [u8; NONCE_LEN],
    ct: Vec<u8>,
}

/// What was in an envelope.
pub struct Opened {
    /// The text.
    pub text: Zeroizing<Vec<u8>>,
    /// Which of the keys opened it, counted from 0.
    pub by: usize,
}

/// Why an envelope isn't opened. For logs: whoever sent it hears one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotOpen {
    /// It isn't a JSON object of four texts, or says something twice.
    #[error("the body is no envelope")]
    NotAnEnvelope,
    /// Another suite.
    #[error("the envelope is of another suite")]
    Suite,
    /// `epk` is not 32 bytes in base64url, another spelling of a key, or one with which everybody agrees.
    #[error("`epk` is no key")]
    EphemeralKey,
    /// `iv` is not 12 bytes in base64url.
    #[error("`iv` is not 12 bytes")]
    Nonce,
    /// `ct` is no base64url, or too short to have a tag.
    #[error("`ct` is no ciphertext with a tag")]
    Ciphertext,
    /// It was changed, or is for somebody else.
    #[error("none of the keys opens it")]
    Refused,
}

/// A text couldn't be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text can't be sealed")]
pub struct CannotSeal;

/// Seals a text for whoever holds the other half of `to`.
pub fn seal(to: &Recipient, text: &[u8], entropy: &Entropy) -> Result<Vec<u8>, CannotSeal> {
    let ephemeral = Opener::generate(entropy).map_err(|_| CannotSeal)?;
    let iv: [u8; NONCE_LEN] = entropy.bytes();
    let key = key(&ephemeral, to).ok_or(CannotSeal)?;
    let mut sealed = Zeroizing::new(Vec::with_capacity(text.len() + TAG));
    sealed.extend_from_slice(text);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut *sealed)
        .map_err(|_| CannotSeal)?;
    let envelope = UnverifiedEnvelope { epk: ephemeral.recipient(), iv, ct: sealed.to_vec() };
    Ok(envelope.to_json().into_bytes())
}

impl UnverifiedEnvelope {
    /// Reads an envelope. It has four members and no other, each with one spelling.
    pub fn parse(body: &[u8]) -> Result<Self, CannotOpen> {
        let members = members(body).filter(|members| members.len() == 4).ok_or(CannotOpen::NotAnEnvelope)?;
        let text = |name| members.get(name).and_then(Value::as_str).ok_or(CannotOpen::NotAnEnvelope);
        let (suite, epk, iv, ct) = (text("enc")?, text("epk")?, text("iv")?, text("ct")?);
        if suite != SUITE {
            return Err(CannotOpen::Suite);
        }
        let epk = encoding::decode_array(epk).ok_or(CannotOpen::EphemeralKey)?;
        Ok(Self {
            epk: Recipient::from_bytes(epk).map_err(|_| CannotOpen::EphemeralKey)?,
            iv: encoding::decode_array(iv).ok_or(CannotOpen::Nonce)?,
            ct: encoding::decode(ct).filter(|ct| ct.len() >= TAG).ok_or(CannotOpen::Ciphertext)?,
        })
    }

    /// Opens it by whichever key it is for: there are several while keys take turns.
    pub fn open<'k>(&self, keys: impl IntoIterator<Item = &'k Opener>) -> Result<Opened, CannotOpen> {
        for (by, opener) in keys.into_iter().enumerate() {
            let Some(key) = key(opener, &self.epk) else { continue };
            let mut text = Zeroizing::new(self.ct.clone());
            let nonce = Nonce::assume_unique_for_key(self.iv);
            if let Ok(opened) = key.open_in_place(nonce, Aad::empty(), &mut text) {
                let length = opened.len();
                text.truncate(length);
                return Ok(Opened { text, by });
            }
        }
        Err(CannotOpen::Refused)
    }

    /// By what it is known again, however its JSON was written: nobody but who sealed it can make another of it that opens.
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256([&self.epk.to_bytes()[..], &self.iv, &self.ct].concat())
    }

    /// As it is sent.
    pub fn to_json(&self) -> String {
        let [epk, iv] = [encoding::encode(self.epk.to_bytes()), encoding::encode(self.iv)];
        format!(r#"{{"enc":"{SUITE}","epk":"{epk}","iv":"{iv}","ct":"{}"}}"#, encoding::encode(&self.ct))
    }
}

/// What both sides make of what they agree on.
fn key(own: &Opener, other: &Recipient) -> Option<LessSafeKey> {
    let secret = own.agree(other)?;
    let mut key = Zeroizing::new([0; 32]);
    let extracted = Salt::new(HKDF_SHA256, &[]).extract(&*secret);
    extracted.expand(&[INFO], HKDF_SHA256).and_then(|made| made.fill(&mut *key)).ok()?;
    UnboundKey::new(&AES_256_GCM, &*key).map(LessSafeKey::new).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn opener(n: u8) -> Opener {
        Opener::from_bytes(&[n; 32]).unwrap()
    }

    fn sealed(text: &[u8]) -> Value {
        let body = seal(&opener(1).recipient(), text, &Entropy::system()).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn opened(body: impl AsRef<[u8]>) -> Result<Vec<u8>, CannotOpen> {
        UnverifiedEnvelope::parse(body.as_ref())?.open([&opener(1)]).map(|opened| opened.text.to_vec())
    }

    fn with(envelope: &Value, name: &str, value: impl Into<Value>) -> Result<Vec<u8>, CannotOpen> {
        let mut changed = envelope.clone();
        changed[name] = value.into();
        opened(changed.to_string())
    }

    /// The bytes of a member, changed.
    fn changed(envelope: &Value, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<u8>, CannotOpen> {
        let mut bytes = encoding::decode(envelope[name].as_str().unwrap()).unwrap();
        change(&mut bytes);
        with(envelope, name, encoding::encode(bytes))
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_key_wherever_that_stands_and_by_no_other() {
        let body = seal(&opener(2).recipient(), b"hello", &Entropy::system()).unwrap();
        let envelope = UnverifiedEnvelope::parse(&body).unwrap();
        let both = [opener(1), opener(2)];
        let done = envelope.open(&both).unwrap();
        assert_eq!((&**done.text, done.by), (&b"hello"[..], 1));
        assert_eq!(envelope.open(&both[1..]).map(|done| done.by), Ok(0));
        assert_eq!(envelope.open(&both[..1]).err(), Some(CannotOpen::Refused));
        assert_eq!(envelope.open([]).err(), Some(CannotOpen::Refused));
    }

    #[test]
    fn two_envelopes_of_one_text_have_nothing_in_common() {
        let (one, two) = (sealed(b"hello"), sealed(b"hello"));
        for name in ["epk", "iv", "ct"] {
            assert_ne!(one[name], two[name], "{name}");
        }
        assert_eq!((opened(one.to_string()), opened(two.to_string())), (Ok(b"hello".to_vec()), Ok(b"hello".to_vec())));
    }

    #[test]
    fn a_flipped_bit_in_any_field_is_noticed() {
        let envelope = sealed(b"hello");
        assert_eq!(opened(envelope.to_string()), Ok(b"hello".to_vec()));
        for name in ["epk", "iv", "ct"] {
            let bits = encoding::decode(envelope[name].as_str().unwrap()).unwrap().len() * 8;
            for bit in 0..bits {
                let refused = changed(&envelope, name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
                let is_expected = match refused {
                    Err(CannotOpen::Refused) => true,
                    Err(CannotOpen::EphemeralKey) => name == "epk",
                    _ => false,
                };
                assert!(is_expected, "bit {bit} of {name}: {refused:?}");
            }
        }
    }

    #[test]
    fn a_ciphertext_that_is_cut_lengthened_or_of_another_envelope_is_refused() {
        let (envelope, other) = (sealed(b"hello"), sealed(b"hello"));
        assert_eq!(changed(&envelope, "ct", |ct| ct.truncate(20)), Err(CannotOpen::Refused));
        assert_eq!(changed(&envelope, "ct", |ct| ct.truncate(15)), Err(CannotOpen::Ciphertext));
        assert_eq!(changed(&envelope, "ct", Vec::clear), Err(CannotOpen::Ciphertext));
        assert_eq!(changed(&envelope, "ct", |ct| ct.push(0)), Err(CannotOpen::Refused));
        for name in ["epk", "iv", "ct"] {
            assert_eq!(with(&envelope, name, other[name].clone()), Err(CannotOpen::Refused), "{name}");
        }
        assert_eq!(with(&envelope, "ct", envelope["ct"].clone()), Ok(b"hello".to_vec()));
    }

    #[test]
    fn a_key_or_nonce_of_another_length_is_refused() {
        let envelope = sealed(b"hello");
        for length in [0, 31, 33, 64] {
            let refused = changed(&envelope, "epk", |epk| epk.resize(length, 7));
            assert_eq!(refused, Err(CannotOpen::EphemeralKey), "{length}");
        }
        for length in [0, 11, 13, 16] {
            assert_eq!(changed(&envelope, "iv", |iv| iv.resize(length, 7)), Err(CannotOpen::Nonce), "{length}");
        }
        assert_eq!(changed(&envelope, "epk", |epk| epk.resize(32, 7)), Ok(b"hello".to_vec()));
    }

    #[test]
    fn a_key_with_which_everybody_agrees_on_zeros_is_refused() {
        // Whoever sends zeros knows the key that they would come to, without any private half.
        let known = UnboundKey::new(&AES_256_GCM, &{
            let mut key = [0; 32];
            let extracted = Salt::new(HKDF_SHA256, &[]).extract(&[0; 32]);
            extracted.expand(&[INFO], HKDF_SHA256).unwrap().fill(&mut key).unwrap();
            key
        });
        let mut ct = b"forged".to_vec();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        LessSafeKey::new(known.unwrap()).seal_in_place_append_tag(nonce, Aad::empty(), &mut ct).unwrap();
        let forged = |epk: [u8; 32]| {
            let [epk, iv, ct] = [encoding::encode(epk), encoding::encode([0; 12]), encoding::encode(&ct)];
            json!({ "enc": SUITE, "epk": epk, "iv": iv, "ct": ct }).to_string()
        };
        let mut one = [0; 32];
        one[0] = 1;
        for epk in [[0; 32], one] {
            assert_eq!(opened(forged(epk)), Err(CannotOpen::EphemeralKey));
        }
        // The twin: an honest key gets as far as the tag.
        assert_eq!(opened(forged(opener(3).recipient().to_bytes())), Err(CannotOpen::Refused));
    }

    #[test]
    fn another_suite_is_refused() {
        let envelope = sealed(b"hello");
        for suite in ["x25519-aesgcm-v2", "X25519-AESGCM", "", "none", "x25519-chacha20poly1305"] {
            assert_eq!(with(&envelope, "enc", suite), Err(CannotOpen::Suite), "{suite}");
        }
        assert_eq!(with(&envelope, "enc", SUITE), Ok(b"hello".to_vec()));
    }

    #[test]
    fn what_says_more_less_or_the_same_twice_is_no_envelope() {
        let envelope = sealed(b"hello");
        let text = envelope.to_string();
        let without = |name: &str| {
            let mut less = envelope.clone();
            less.as_object_mut().unwrap().remove(name);
            less.to_string()
        };
        let mut bad =
            vec![String::new(), "null".to_owned(), "[]".to_owned(), format!("[{text}]"), format!("{text}{text}")];
        bad.extend(["enc", "epk", "iv", "ct"].map(without));
        bad.push(text.replacen('{', r#"{"kid":"a","#, 1));
        bad.push(text.replacen('{', r#"{"enc":"x25519-aesgcm","#, 1));
        bad.push(text.replacen('{', r#"{"\u0065nc":"x25519-aesgcm","#, 1));
        bad.push(text.replace("\"epk\"", "\"EPK\""));
        for body in bad {
            assert_eq!(opened(&body), Err(CannotOpen::NotAnEnvelope), "{body}");
        }
        for value in [Value::Null, json!(1), json!(["A"]), json!({})] {
            assert_eq!(with(&envelope, "ct", value.clone()), Err(CannotOpen::NotAnEnvelope), "{value}");
        }
        // Another order and white space are the same envelope.
        let [enc, epk, iv, ct] = ["enc", "epk", "iv", "ct"].map(|name| envelope[name].to_string());
        let same = format!("{{ \"ct\": {ct},\n \"iv\": {iv}, \"epk\": {epk}, \"enc\": {enc} }}");
        assert_eq!(opened(same), Ok(b"hello".to_vec()));
    }

    #[test]
    fn each_field_has_one_spelling() {
        let envelope = sealed(b"hello!");
        let respelt = |name: &str, respell: &dyn Fn(&str) -> String| {
            with(&envelope, name, respell(envelope[name].as_str().unwrap()))
        };
        for (name, error) in
            [("epk", CannotOpen::EphemeralKey), ("iv", CannotOpen::Nonce), ("ct", CannotOpen::Ciphertext)]
        {
            for respell in
                [|text: &str| format!("{text}="), |text: &str| format!(" {text}"), |text: &str| format!("{text}\n")]
            {
                assert_eq!(respelt(name, &respell), Err(error), "{name}");
            }
        }
        // 32 bytes leave two loose bits in their last letter.
        let loose = |text: &str| {
            let (rest, last) = text.split_at(text.len() - 1);
            format!("{rest}{}", char::from(last.as_bytes()[0] + 1))
        };
        assert_eq!(respelt("epk", &loose), Err(CannotOpen::EphemeralKey));
        assert_eq!(respelt("epk", &str::to_owned), Ok(b"hello!".to_vec()));
        // `+` and `/` are of the other alphabet.
        let other = |text: &str| text.replace(['-', '_'], "+") + "+";
        assert_eq!(respelt("ct", &other), Err(CannotOpen::Ciphertext));
    }

    #[test]
    fn a_text_may_be_empty_and_long() {
        for text in [vec![], vec![7; 100_000]] {
            assert_eq!(opened(sealed(&text).to_string()), Ok(text));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_comes_back(text: Vec<u8>, seed: [u8; 32]) {
            let to = Opener::from_bytes(&seed).unwrap();
            let body = seal(&to.recipient(), &text, &Entropy::system()).unwrap();
            let envelope = UnverifiedEnvelope::parse(&body).unwrap();
            prop_assert_eq!(envelope.to_json().into_bytes(), body);
            prop_assert_eq!(&**envelope.open([&to]).unwrap().text, &*text);
        }

        #[test]
        fn whatever_comes_is_read_or_refused(body: Vec<u8>, text: String) {
            let _ = opened(body);
            let _ = opened(text);
        }
    }
}
