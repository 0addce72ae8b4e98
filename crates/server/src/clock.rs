//! The only real clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign_domain::clock::Timestamp;
use countersign_service::time::TimeSource;

/// This machine's clocks.
pub struct SystemClock {
    began: Instant,
}

impl SystemClock {
    /// Monotonic time counts from now.
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
        Self { began: Instant::now() }
    }
}

impl TimeSource for SystemClock {
    fn wall(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH.plus(since_epoch)
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }
}
