//! A clock that stands still until the test turns it.

use std::{sync::Mutex, time::Duration};

use countersign_domain::clock::Timestamp;
use countersign_service::time::TimeSource;

/// A wall clock and a monotonic one, both turned by hand.
pub struct ManualClock(Mutex<Hands>);

struct Hands {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// Stands at `wall`.
    pub fn at(wall: Timestamp) -> Self {
        Self(Mutex::new(Hands { wall, monotonic: Duration::from_hours(1) }))
    }

    /// Time goes by.
    pub fn advance(&self, span: Duration) {
        let mut hands = self.0.lock().unwrap();
        hands.wall = hands.wall.plus(span);
        hands.monotonic += span;
    }

    /// The wall clock alone is set: no time goes by.
    pub fn leap_to(&self, wall: Timestamp) {
        self.0.lock().unwrap().wall = wall;
    }
}

impl TimeSource for ManualClock {
    fn wall(&self) -> Timestamp {
        self.0.lock().unwrap().wall
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().monotonic
    }
}
