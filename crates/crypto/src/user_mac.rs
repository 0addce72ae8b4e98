//! Proof of a user: a backend computes it from the customer's own user id, and the app shows it with each call.
//!
//! v1 is what the published guide computes: HMAC-SHA256 (RFC 2104) of the id under the secret, in padded standard base64 (RFC 4648 §4). It is
//! good for ever. v2 ends: `v2.<expires>.<mac>`, or, bound to a key that the app holds (RFC 7638 thumbprint), `v2k.<expires>.<jkt>.<mac>`.

use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_domain::{clock::Timestamp, id::ProjectId};

use crate::{encoding, secret::SecretText};

/// Under this label a secret's second key is derived: whoever gets v1 proofs for ids of their choosing must not come by a v2 proof.
pub(crate) const V2_LABEL: &[u8] = b"countersign user proof v2";

/// A secret that proves users of a project.
pub struct HmacSecret {
    text: SecretText,
    v1: hmac::Key,
    v2: hmac::Key,
}

/// What a caller showed, taken apart. Nothing of it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnverifiedUserMac {
    /// For ever.
    V1([u8; 32]),
    /// Until a moment.
    V2 {
        /// In seconds since 1970.
        expires: i64,
        /// The thumbprint of the key that it is bound to.
        jkt: Option<String>,
        /// The MAC.
        mac: [u8; 32],
    },
}

impl UnverifiedUserMac {
    /// Takes a header's value apart. Each proof has exactly one spelling.
    pub fn parse(value: &[u8]) -> Option<Self> {
        match value.split(|byte| *byte == b'.').collect::<Vec<_>>().as_slice() {
            [mac] => (mac.len() == 44).then(|| STANDARD.decode(mac).ok()?.try_into().ok()).flatten().map(Self::V1),
            [b"v2", expires, mac] => {
                Some(Self::V2 { expires: seconds(expires)?, jkt: None, mac: encoding::decode_array(mac)? })
            }
            [b"v2k", expires, jkt, mac] => {
                encoding::decode_array::<32>(jkt)?;
                let jkt = String::from_utf8(jkt.to_vec()).ok();
                Some(Self::V2 { expires: seconds(expires)?, jkt: Some(jkt?), mac: encoding::decode_array(mac)? })
            }
            _ => None,
        }
    }

    /// The MAC itself.
    pub fn mac(&self) -> &[u8; 32] {
        let (Self::V1(mac) | Self::V2 { mac, .. }) = self;
        mac
    }

    /// When it ends.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::V1(_) => None,
            Self::V2 { expires, .. } => Some(Timestamp::from_seconds(*expires)),
        }
    }

    /// Is now within its time, and was it made for at most `limit`?
    pub fn is_timely(&self, now: Timestamp, limit: Duration) -> bool {
        self.expires_at().is_none_or(|end| !end.is_past(now) && end <= now.plus(limit))
    }
}

/// Digits, no zero in front: one moment, one spelling. Eleven of them last for three thousand years.
fn seconds(digits: &[u8]) -> Option<i64> {
    let right = (1..=11).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    right.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

impl HmacSecret {
    /// The whole text is the key, prefix included.
    pub fn new(text: SecretText) -> Self {
        let key = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let label = key(V2_LABEL);
        let v2 = key(hmac::sign(&label, text.danger_expose().as_bytes()).as_ref());
        Self { v1: key(text.danger_expose().as_bytes()), v2, text }
    }

    /// The secret itself.
    pub fn text(&self) -> &SecretText {
        &self.text
    }

    /// The MAC of an id, for ever.
    pub fn v1(&self, id: &str) -> [u8; 32] {
        tag(&hmac::sign(&self.v1, id.as_bytes()))
    }

    /// The proof of an id until `expires`, as a header has it.
    pub fn v2(&self, project: &ProjectId, id: &str, expires: i64, jkt: Option<&str>) -> String {
        let mac = encoding::encode(self.v2_mac(project, id, expires, jkt));
        match jkt {
            None => format!("v2.{expires}.{mac}"),
            Some(jkt) => format!("v2k.{expires}.{jkt}.{mac}"),
        }
    }

    fn v2_mac(&self, project: &ProjectId, id: &str, expires: i64, jkt: Option<&str>) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.v2);
        // No part but the last can hold a dot.
        let head = match jkt {
            None => format!("v2.{expires}.{project}."),
            Some(jkt) => format!("v2k.{expires}.{jkt}.{project}."),
        };
        context.update(head.as_bytes());
        context.update(id.as_bytes());
        tag(&context.sign())
    }

    /// Was the MAC made under this secret, for this id? In constant time. Says nothing about its time.
    pub fn proves(&self, project: &ProjectId, id: &str, shown: &UnverifiedUserMac) -> bool {
        let (right, mac) = match shown {
            UnverifiedUserMac::V1(mac) => (self.v1(id), mac),
            UnverifiedUserMac::V2 { expires, jkt, mac } => (self.v2_mac(project, id, *expires, jkt.as_deref()), mac),
        };
        constant_time::verify_slices_are_equal(&right, mac).is_ok()
    }
}

fn tag(tag: &hmac::Tag) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The known answer of the published guide.
    const SECRET: &str = "hsec_mFLSkjGK6XLK1TUxL8wgiXrjwZCqcfmgbXTC0JmZFooSl9rQlzIrpsQHNor4guw2YOUP7vWA";
    const ID: &str = "gtLIK8ELsHTr0Fajg28Ud9eFpJJ3";
    const ANSWER: &str = "nyrKK9qcWqgPSdky2VE+arkyJjMFt9FD1Fxl/iNOD5U=";

    fn secret() -> HmacSecret {
        HmacSecret::new(SecretText::new(SECRET.to_owned()))
    }

    fn p1() -> ProjectId {
        "p1".parse().unwrap()
    }

    fn parse(text: &str) -> Option<UnverifiedUserMac> {
        UnverifiedUserMac::parse(text.as_bytes())
    }

    #[test]
    fn the_guides_known_answer_proves_its_user_and_no_other() {
        let shown = parse(ANSWER).unwrap();
        assert!(secret().proves(&p1(), ID, &shown));
        assert!(!secret().proves(&p1(), "gtLIK8ELsHTr0Fajg28Ud9eFpJJ4", &shown));
        assert_eq!(STANDARD.encode(secret().v1(ID)), ANSWER);
    }

    #[test]
    fn only_the_padded_standard_spelling_is_one() {
        let spellings = [
            ANSWER.trim_end_matches('=').to_owned(),
            ANSWER.replace('+', "-").replace('/', "_"),
            format!("{ANSWER}="),
            format!(" {ANSWER}"),
            format!("{ANSWER}\n"),
            ANSWER.replace("U=", "V="),
            "9f2aca2bda9c5aa80f49d932d9513e6ab932263305b7d143d45c65fe234e0f95".to_owned(),
            String::new(),
        ];
        for spelling in spellings {
            assert_eq!(parse(&spelling), None, "{spelling:?}");
        }
    }

    #[test]
    fn no_v1_answer_for_a_chosen_id_is_a_v2_proof() {
        let wanted = secret().v2(&p1(), ID, 1_800_000_000, None);
        let mac = STANDARD.decode(ANSWER).unwrap();
        for chosen in [format!("v2.1800000000.p1.{ID}"), "countersign user proof v2".to_owned()] {
            let forged = format!("v2.1800000000.{}", encoding::encode(secret().v1(&chosen)));
            assert_ne!(forged, wanted);
            assert!(!secret().proves(&p1(), ID, &parse(&forged).unwrap()));
        }
        assert!(!secret().proves(&p1(), ID, &parse(&format!("v2.1800000000.{}", encoding::encode(mac))).unwrap()));
    }

    #[test]
    fn a_v2_proof_is_of_one_project_one_moment_and_one_key() {
        let jkt = encoding::encode([7; 32]);
        let plain = secret().v2(&p1(), ID, 1_800_000_000, None);
        let bound = secret().v2(&p1(), ID, 1_800_000_000, Some(&jkt));
        for proof in [&plain, &bound] {
            assert!(secret().proves(&p1(), ID, &parse(proof).unwrap()));
            assert!(!secret().proves(&"p2".parse().unwrap(), ID, &parse(proof).unwrap()));
            let later = proof.replace("1800000000", "1800000001");
            assert!(!secret().proves(&p1(), ID, &parse(&later).unwrap()));
        }
        let another_key = bound.replace(&jkt, &encoding::encode([8; 32]));
        assert!(!secret().proves(&p1(), ID, &parse(&another_key).unwrap()));
    }

    #[test]
    fn a_moment_has_one_spelling() {
        let mac = encoding::encode([0; 32]);
        for expires in ["", "0", "01", "+1", "-1", " 1", "1e9", "1.0", "123456789012", "１"] {
            assert_eq!(parse(&format!("v2.{expires}.{mac}")), None, "{expires:?}");
        }
        assert!(parse(&format!("v2.1.{mac}")).is_some());
        for text in [format!("V2.1.{mac}"), format!("v2.1.{mac}="), format!("v2.1.{mac}.x"), format!("v2k.1.x.{mac}")] {
            assert_eq!(parse(&text), None, "{text:?}");
        }
    }

    #[test]
    fn a_proof_is_timely_until_its_end_and_no_further_ahead_than_allowed() {
        let ending = |expires| UnverifiedUserMac::V2 { expires, jkt: None, mac: [0; 32] };
        let now = Timestamp::from_seconds(1_000);
        let limit = Duration::from_mins(5);
        assert!(ending(1_001).is_timely(now, limit));
        assert!(ending(1_300).is_timely(now, limit));
        assert!(!ending(1_000).is_timely(now, limit), "its time is over");
        assert!(!ending(1_301).is_timely(now, limit), "too far ahead");
        assert!(UnverifiedUserMac::V1([0; 32]).is_timely(now, limit));
    }

    proptest! {
        #[test]
        fn what_a_backend_makes_is_what_proves(id in "[^\\x00-\\x1f]{1,40}", expires in 1_i64..99_999_999_999, bound: bool) {
            let jkt = encoding::encode([9; 32]);
            let made = secret().v2(&p1(), &id, expires, bound.then_some(jkt.as_str()));
            prop_assert!(secret().proves(&p1(), &id, &parse(&made).unwrap()));
            let longer = format!("{id}x");
            prop_assert!(!secret().proves(&p1(), &longer, &parse(&made).unwrap()));
            let v1 = STANDARD.encode(secret().v1(&id));
            prop_assert!(secret().proves(&p1(), &id, &parse(&v1).unwrap()));
        }

        #[test]
        fn any_bytes_can_be_shown(bytes: Vec<u8>) {
            if let Some(shown) = UnverifiedUserMac::parse(&bytes) {
                prop_assert!(!secret().proves(&p1(), "somebody", &shown));
            }
        }
    }
}
