//! Proofs that were seen lately: each is good once. A node knows only those that were shown to itself, and at most so many; what must not
//! happen twice anywhere is spent in the database.

use std::{
    collections::{HashSet, VecDeque},
    sync::Mutex,
    time::Duration,
};

use countersign_crypto::dpop::{AHEAD, LIFETIME};
use metrics::counter;

/// Twice as long as a proof can be taken, so that a clock that is set back by as much revives none.
const REMEMBERED: Duration = LIFETIME.saturating_add(AHEAD).saturating_mul(2);

/// The proofs that this node has seen, by their hashes.
pub(crate) struct SeenProofs {
    capacity: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    hashes: HashSet<[u8; 32]>,
    /// The same in the order of their coming, each with the monotonic time.
    order: VecDeque<(Duration, [u8; 32])>,
}

impl SeenProofs {
    /// Remembers at most so many; the oldest make room.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), seen: Mutex::default() }
    }

    /// Remembers a proof; `false` where it was seen before.
    pub(crate) fn is_new(&self, proof: [u8; 32], now: Duration) -> bool {
        // A lock that a panic has poisoned tells nothing: count as seen.
        self.seen.lock().is_ok_and(|mut seen| {
            seen.forget_old(now);
            if !seen.hashes.insert(proof) {
                return false;
            }
            if seen.order.len() >= self.capacity {
                counter!("countersign_dpop_proofs_forgotten_total").increment(1);
                seen.forget_oldest();
            }
            seen.order.push_back((now, proof));
            true
        })
    }
}

impl Seen {
    fn forget_old(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(at, _)| now.saturating_sub(*at) > REMEMBERED) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, proof)) = self.order.pop_front() {
            self.hashes.remove(&proof);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_proof_is_new_once_for_longer_than_it_lives() {
        let seen = SeenProofs::new(10);
        assert!(seen.is_new([1; 32], SECOND));
        assert!(seen.is_new([2; 32], SECOND));
        for later in [Duration::ZERO, LIFETIME, LIFETIME + AHEAD, REMEMBERED] {
            assert!(!seen.is_new([1; 32], SECOND + later), "{later:?}");
        }
        assert!(seen.is_new([1; 32], SECOND * 2 + REMEMBERED));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_make_room() {
        let seen = SeenProofs::new(100);
        let proof = |number: u32| {
            let mut proof = [0; 32];
            proof[..4].copy_from_slice(&number.to_be_bytes());
            proof
        };
        for number in 0..10_000 {
            assert!(seen.is_new(proof(number), SECOND));
        }
        assert!((9_900..10_000).all(|number| !seen.is_new(proof(number), SECOND)), "the newest are remembered");
        assert!(seen.is_new(proof(9_899), SECOND), "those before are not");
        let inside = seen.seen.lock().unwrap();
        assert_eq!((inside.hashes.len(), inside.order.len()), (100, 100));
    }

    #[test]
    fn what_is_over_makes_room_by_itself() {
        let seen = SeenProofs::new(100);
        for number in 0..50 {
            seen.is_new([number; 32], SECOND);
        }
        seen.is_new([99; 32], SECOND * 2 + REMEMBERED);
        assert_eq!(seen.seen.lock().unwrap().order.len(), 1);
    }
}
