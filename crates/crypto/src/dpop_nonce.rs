//! Nonces that go into proofs (RFC 9449 §8): a proof that was made ahead of time, by somebody who had the key for a moment, can't know them.
//!
//! They are stateless: a MAC over the time, in steps of five minutes. Every node that has the master key makes the same ones, and none has
//! to remember any.

use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use countersign_domain::clock::Timestamp;

use crate::encoding;

/// The key of a project's nonces.
pub struct DpopNonceKey(pub(crate) hmac::Key);

/// How long one nonce is handed out; it is good for as long again.
const STEP: Duration = Duration::from_mins(5);

/// By how much the clocks of two nodes may differ: one may hand out a nonce that the other will make in a moment.
const DRIFT: Duration = Duration::from_secs(2);

/// 128 bits: nobody guesses one within its time.
const LENGTH: usize = 16;

impl DpopNonceKey {
    /// The nonce of the moment.
    pub fn nonce(&self, now: Timestamp) -> String {
        encoding::encode(self.of_step(step(now)))
    }

    /// Is this the nonce of the moment, or the one before?
    pub fn is_good(&self, nonce: &str, now: Timestamp) -> bool {
        let Some(nonce) = encoding::decode_array::<LENGTH>(nonce) else {
            return false;
        };
        let mut steps = vec![step(now) - 1, step(now), step(now.plus(DRIFT))];
        steps.dedup();
        steps.into_iter().any(|step| constant_time::verify_slices_are_equal(&self.of_step(step), &nonce).is_ok())
    }

    fn of_step(&self, step: i64) -> [u8; LENGTH] {
        let mut nonce = [0; LENGTH];
        nonce.copy_from_slice(&hmac::sign(&self.0, &step.to_be_bytes()).as_ref()[..LENGTH]);
        nonce
    }
}

fn step(at: Timestamp) -> i64 {
    at.seconds().div_euclid(i64::try_from(STEP.as_secs()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> DpopNonceKey {
        DpopNonceKey(hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]))
    }

    /// A step begins here.
    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_nonce_is_good_for_its_step_and_the_next() {
        let nonce = key(1).nonce(NOON);
        assert_eq!(nonce.len(), 22);
        assert_eq!(key(1).nonce(NOON.plus(STEP).minus(SECOND)), nonce, "handed out for one step");
        assert_ne!(key(1).nonce(NOON.plus(STEP)), nonce);
        assert!(key(1).is_good(&nonce, NOON));
        assert!(key(1).is_good(&nonce, NOON.plus(STEP * 2).minus(SECOND)));
        assert!(!key(1).is_good(&nonce, NOON.plus(STEP * 2)));
    }

    #[test]
    fn a_nonce_of_the_next_step_is_good_only_where_a_clock_may_be_ahead() {
        let next = key(1).nonce(NOON);
        assert!(key(1).is_good(&next, NOON.minus(DRIFT)));
        assert!(!key(1).is_good(&next, NOON.minus(DRIFT + SECOND)));
    }

    #[test]
    fn nonces_of_other_keys_and_other_texts_are_not_good() {
        let nonce = key(1).nonce(NOON);
        assert!(!key(2).is_good(&nonce, NOON));
        for text in ["", "AAAAAAAAAAAAAAAAAAAAAA", &nonce[1..], &format!("{nonce}="), &format!("{nonce}A"), " "] {
            assert!(!key(1).is_good(text, NOON), "{text}");
        }
    }

    #[test]
    fn there_are_nonces_at_the_ends_of_time() {
        for end in [Timestamp::NEVER, Timestamp::from_micros(i64::MIN), Timestamp::EPOCH] {
            assert!(key(1).is_good(&key(1).nonce(end), end));
        }
    }
}
