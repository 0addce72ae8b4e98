//! The time, for everything the server does.
//!
//! Time goes on monotonically from a reference that is looked at every tick: on PostgreSQL the database's clock, which all nodes share, on
//! SQLite this machine's. When the reference leaps against monotonic time, the new time is taken, and for a while nothing may end because
//! of an age: an hour that never was must not make a thief of anybody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use countersign_domain::clock::Timestamp;
use metrics::counter;
use tracing::warn;

/// Where time comes from.
pub trait TimeSource: Send + Sync {
    /// The wall clock.
    fn wall(&self) -> Timestamp;
    /// Time since some moment, which only goes forward.
    fn monotonic(&self) -> Duration;
}

/// Reference and monotonic time drift apart by less than this between two looks; more is a leap.
const LEAP: Duration = Duration::from_secs(2);

/// Keeps the time.
pub struct Timekeeper {
    source: Arc<dyn TimeSource>,
    /// Reference minus monotonic time, in microseconds.
    offset: AtomicI64,
    /// When the reference last leapt, in monotonic microseconds; -1: never.
    leapt_at: AtomicI64,
}

impl Timekeeper {
    /// Begins with a look at the reference, or, where there is none, at the wall clock.
    pub fn new(source: Arc<dyn TimeSource>, reference: Option<Timestamp>) -> Self {
        let reference = reference.unwrap_or_else(|| source.wall());
        let offset = reference.micros() - micros(source.monotonic());
        Self { source, offset: AtomicI64::new(offset), leapt_at: AtomicI64::new(-1) }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(micros(self.monotonic()).saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Time that only goes forward: for what happens within this process.
    pub fn monotonic(&self) -> Duration {
        self.source.monotonic()
    }

    /// The wall clock, which may have leapt since anybody looked.
    pub fn wall(&self) -> Timestamp {
        self.source.wall()
    }

    /// Would a look at this reference set the time back, so that what is over could begin again?
    pub fn is_set_back_by(&self, reference: Timestamp) -> bool {
        reference.plus(LEAP) < self.now()
    }

    /// Looks at the reference, which says it is `reference` now.
    pub fn look_at(&self, reference: Timestamp) {
        let monotonic = micros(self.monotonic());
        let offset = reference.micros().saturating_sub(monotonic);
        let before = self.offset.swap(offset, Ordering::Relaxed);
        let moved = offset.saturating_sub(before);
        if moved.unsigned_abs() > u128_to_u64(LEAP.as_micros()) {
            self.leapt_at.store(monotonic, Ordering::Relaxed);
            counter!("countersign_clock_leaps_total").increment(1);
            let seconds = moved / 1_000_000;
            warn!(seconds, "the clock leapt by {seconds} s; nothing expires for a while");
        }
    }

    /// How long ago the reference leapt; none: it never did.
    pub fn since_leap(&self) -> Option<Duration> {
        let leapt_at = self.leapt_at.load(Ordering::Relaxed);
        let since = u64::try_from(micros(self.monotonic()) - leapt_at).unwrap_or(0);
        (leapt_at >= 0).then(|| Duration::from_micros(since))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn u128_to_u64(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use countersign_domain::clock::ClockState;

    use super::*;

    #[derive(Default)]
    struct ByHand(Mutex<(i64, u64)>);

    impl ByHand {
        fn set(&self, wall: i64, monotonic: u64) {
            *self.0.lock().unwrap() = (wall, monotonic);
        }
    }

    impl TimeSource for ByHand {
        fn wall(&self) -> Timestamp {
            Timestamp::from_seconds(self.0.lock().unwrap().0)
        }
        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.lock().unwrap().1)
        }
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn time_goes_on_between_looks() {
        let hand = Arc::new(ByHand::default());
        hand.set(1_000, 5);
        let time = Timekeeper::new(hand.clone(), None);
        hand.set(1_003, 8);
        assert_eq!(time.now(), Timestamp::from_seconds(1_003));
        time.look_at(time.wall());
        assert_eq!(ClockState::after_leap(time.since_leap(), MINUTE), ClockState::Settled);
    }

    #[test]
    fn a_leap_either_way_is_noticed_taken_and_settles() {
        for leap in [86_400, -86_400] {
            let hand = Arc::new(ByHand::default());
            hand.set(1_000_000, 5);
            let time = Timekeeper::new(hand.clone(), None);
            hand.set(1_000_001 + leap, 6);
            assert_eq!(time.now(), Timestamp::from_seconds(1_000_001), "nobody has looked yet");
            time.look_at(time.wall());
            assert_eq!(time.now(), Timestamp::from_seconds(1_000_001 + leap));
            assert_eq!(ClockState::after_leap(time.since_leap(), MINUTE), ClockState::Leapt);
            hand.set(1_000_060 + leap, 65);
            time.look_at(time.wall());
            assert_eq!(ClockState::after_leap(time.since_leap(), MINUTE), ClockState::Leapt);
            hand.set(1_000_061 + leap, 66);
            assert_eq!(ClockState::after_leap(time.since_leap(), MINUTE), ClockState::Settled);
        }
    }

    #[test]
    fn drift_is_no_leap() {
        let hand = Arc::new(ByHand::default());
        hand.set(1_000, 0);
        let time = Timekeeper::new(hand.clone(), None);
        hand.set(1_011, 10);
        time.look_at(time.wall());
        assert_eq!(ClockState::after_leap(time.since_leap(), MINUTE), ClockState::Settled);
        assert_eq!(time.now(), Timestamp::from_seconds(1_011));
    }

    #[test]
    fn another_clock_is_the_reference_where_there_is_one() {
        let hand = Arc::new(ByHand::default());
        hand.set(5_000, 0);
        let time = Timekeeper::new(hand, Some(Timestamp::from_seconds(1_000)));
        assert_eq!(time.now(), Timestamp::from_seconds(1_000));
    }
}
