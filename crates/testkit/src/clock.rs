//! A clock that the test turns: it stands still in between, or goes on by itself.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use countersign_domain::clock::Timestamp;
use countersign_service::time::TimeSource;

/// A wall clock and a monotonic one, both turned by hand.
pub struct ManualClock {
    hands: Mutex<Hands>,
    /// Since when it goes on by itself.
    going_since: Option<Instant>,
}

struct Hands {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// Stands at `wall`.
    pub fn at(wall: Timestamp) -> Self {
        Self { hands: Mutex::new(Hands { wall, monotonic: Duration::from_hours(1) }), going_since: None }
    }

    /// Goes on from `wall`, for programs that go by the time of day.
    #[expect(clippy::disallowed_methods, reason = "the time by which others go")]
    pub fn going_from(wall: Timestamp) -> Self {
        Self { going_since: Some(Instant::now()), ..Self::at(wall) }
    }

    /// How far it has gone by itself.
    fn gone(&self) -> Duration {
        self.going_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Time goes by.
    pub fn advance(&self, span: Duration) {
        let mut hands = self.hands.lock().unwrap();
        hands.wall = hands.wall.plus(span);
        hands.monotonic += span;
    }

    /// The wall clock alone is set: no time goes by.
    pub fn leap_to(&self, wall: Timestamp) {
        self.hands.lock().unwrap().wall = wall.minus(self.gone());
    }
}

impl TimeSource for ManualClock {
    fn wall(&self) -> Timestamp {
        self.hands.lock().unwrap().wall.plus(self.gone())
    }

    fn monotonic(&self) -> Duration {
        self.hands.lock().unwrap().monotonic + self.gone()
    }
}
