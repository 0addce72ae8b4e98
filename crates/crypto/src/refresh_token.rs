//! Refresh tokens: opaque to everyone else, to us a place in a session.
//!
//! `rt_` and the base64url of: version (1 byte), MAC key (4), generation (4), session (16), secret (16), project, MAC (16: HMAC-SHA-256
//! cut to 128 bits, RFC 2104 §5). The MAC refuses garbage without a look at the database and lets any generation be made again without
//! storing one; the secret, of which the row keeps only a hash, makes a stolen database worthless even to who also has the master key.

use aws_lc_rs::{constant_time, hmac};
use countersign_domain::id::{MacKeyId, ProjectId, SessionId};
use zeroize::Zeroizing;

use crate::{digest::sha256, encoding, entropy::Entropy, secret::SecretText};

const PREFIX: &str = "rt_";
const VERSION: u8 = 1;
const MAC_LENGTH: usize = 16;
const FIXED_LENGTH: usize = 1 + 4 + 4 + 16 + 16;
/// The longest project id is 63 bytes.
const LONGEST: usize = FIXED_LENGTH + 63 + MAC_LENGTH;

/// 128 random bits that every token of one session carries.
#[derive(Clone)]
pub struct RefreshSecret(Zeroizing<[u8; 16]>);

/// What the session's row keeps of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshSecretHash([u8; 32]);

/// A key under which refresh tokens are authentic.
pub struct RefreshTokenKey(pub(crate) hmac::Key);

/// What a refresh token says.
#[derive(Clone)]
pub struct RefreshToken {
    /// Where its session lives.
    pub project: ProjectId,
    /// The session it continues.
    pub session: SessionId,
    /// How many rotations came before it.
    pub generation: u32,
    /// The session's secret.
    pub secret: RefreshSecret,
    /// The key under which it is authentic.
    pub mac_key: MacKeyId,
}

/// A text in the form of a refresh token, which anybody may have made.
pub struct UnverifiedRefreshToken {
    token: RefreshToken,
    bytes: Zeroizing<Vec<u8>>,
}

/// A text that is no refresh token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token of this server")]
pub struct NotOurs;

impl RefreshSecret {
    /// A new session's.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Zeroizing::new(entropy.bytes()))
    }

    /// What may be kept of it.
    pub fn hash(&self) -> RefreshSecretHash {
        RefreshSecretHash(sha256(*self.0))
    }
}

impl RefreshSecretHash {
    /// As the database has it.
    pub fn to_text(self) -> String {
        encoding::encode(self.0)
    }

    /// From the database.
    pub fn from_text(text: &str) -> Option<Self> {
        encoding::decode_array(text).map(Self)
    }

    /// Is this the secret? In constant time.
    pub fn matches(&self, secret: &RefreshSecret) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &secret.hash().0).is_ok()
    }
}

impl RefreshToken {
    /// Its text, authenticated by `key`, which must be the one that `mac_key` names.
    pub fn sign(&self, key: &RefreshTokenKey) -> SecretText {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.mac_key.0.to_be_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.session.to_bytes());
        bytes.extend_from_slice(&*self.secret.0);
        bytes.extend_from_slice(self.project.as_str().as_bytes());
        let mac = hmac::sign(&key.0, &bytes);
        bytes.extend_from_slice(&mac.as_ref()[..MAC_LENGTH]);
        SecretText::new(format!("{PREFIX}{}", encoding::encode(&*bytes)))
    }
}

impl UnverifiedRefreshToken {
    /// Reads the form of a text, and believes none of it.
    pub fn parse(text: &str) -> Result<Self, NotOurs> {
        let encoded = text.strip_prefix(PREFIX).ok_or(NotOurs)?;
        if encoded.len() > LONGEST.div_ceil(3) * 4 {
            return Err(NotOurs);
        }
        let bytes = Zeroizing::new(encoding::decode(encoded).ok_or(NotOurs)?);
        let signed = bytes.len().checked_sub(MAC_LENGTH).map(|length| &bytes[..length]).ok_or(NotOurs)?;
        let token = read(signed).ok_or(NotOurs)?;
        Ok(Self { token, bytes })
    }

    /// The project that it claims.
    pub fn unverified_project(&self) -> &ProjectId {
        &self.token.project
    }

    /// The key under which it claims to be authentic.
    pub fn unverified_mac_key(&self) -> MacKeyId {
        self.token.mac_key
    }

    /// The token, if `key` made it.
    pub fn verify(self, key: &RefreshTokenKey) -> Result<RefreshToken, NotOurs> {
        let (signed, mac) = self.bytes.split_at(self.bytes.len() - MAC_LENGTH);
        let expected = hmac::sign(&key.0, signed);
        match constant_time::verify_slices_are_equal(&expected.as_ref()[..MAC_LENGTH], mac) {
            Ok(()) => Ok(self.token),
            Err(_) => Err(NotOurs),
        }
    }
}

fn read(signed: &[u8]) -> Option<RefreshToken> {
    let (version, rest) = signed.split_first()?;
    let (mac_key, rest) = rest.split_first_chunk::<4>()?;
    let (generation, rest) = rest.split_first_chunk::<4>()?;
    let (session, rest) = rest.split_first_chunk::<16>()?;
    let (secret, project) = rest.split_first_chunk::<16>()?;
    if *version != VERSION {
        return None;
    }
    Some(RefreshToken {
        project: std::str::from_utf8(project).ok()?.parse().ok()?,
        session: SessionId::from_bytes(*session),
        generation: u32::from_be_bytes(*generation),
        secret: RefreshSecret(Zeroizing::new(*secret)),
        mac_key: MacKeyId(u32::from_be_bytes(*mac_key)),
    })
}

#[cfg(test)]
mod tests {
    use countersign_domain::clock::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> RefreshTokenKey {
        RefreshTokenKey(hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]))
    }

    fn token(generation: u32) -> RefreshToken {
        RefreshToken {
            project: "p1".parse().unwrap(),
            session: SessionId::new(Timestamp::from_seconds(1_700_000_000), [7; 10]),
            generation,
            secret: RefreshSecret(Zeroizing::new([9; 16])),
            mac_key: MacKeyId(3),
        }
    }

    #[test]
    fn a_token_reads_back() {
        let text = token(41).sign(&key(1));
        let unverified = UnverifiedRefreshToken::parse(text.danger_expose()).ok().unwrap();
        assert_eq!(unverified.unverified_project().as_str(), "p1");
        assert_eq!(unverified.unverified_mac_key(), MacKeyId(3));
        let verified = unverified.verify(&key(1)).ok().unwrap();
        assert_eq!((verified.generation, verified.session), (41, token(41).session));
        assert!(token(1).secret.hash().matches(&verified.secret));
    }

    #[test]
    fn the_same_generation_is_made_again_to_the_byte() {
        assert_eq!(token(2).sign(&key(1)).danger_expose(), token(2).sign(&key(1)).danger_expose());
        assert_ne!(token(2).sign(&key(1)).danger_expose(), token(3).sign(&key(1)).danger_expose());
    }

    #[test]
    fn a_token_of_another_key_is_refused() {
        let text = token(1).sign(&key(2));
        let unverified = UnverifiedRefreshToken::parse(text.danger_expose()).ok().unwrap();
        assert!(unverified.verify(&key(1)).is_err());
    }

    #[test]
    fn no_character_of_a_token_can_be_changed_and_none_cut() {
        let text = token(1).sign(&key(1));
        let text = text.danger_expose();
        let accepted = |text: &str| UnverifiedRefreshToken::parse(text).and_then(|it| it.verify(&key(1))).is_ok();
        assert!(accepted(text));
        for position in 0..text.len() {
            for replacement in [b'A', b'B', b'_', b'=', b' ', b'.'] {
                let mut bytes = text.as_bytes().to_vec();
                if bytes[position] == replacement {
                    continue;
                }
                bytes[position] = replacement;
                assert!(!accepted(&String::from_utf8(bytes).unwrap()), "changed at {position}");
            }
            assert!(!accepted(&text[..position]), "cut to {position}");
        }
        assert!(!accepted(&format!("{text}A")));
        assert!(!accepted(&format!("{text}==")));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,300}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = UnverifiedRefreshToken::parse(&text);
            let _ = UnverifiedRefreshToken::parse(&format!("rt_{}", encoding::encode(bytes)));
        }
    }
}
