//! Points in time, as the database keeps them.

use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The beginning of the epoch.
    pub const EPOCH: Self = Self(0);
    /// Later than everything; "never" where an end is asked for.
    pub const NEVER: Self = Self(i64::MAX);

    /// A timestamp from microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A timestamp from whole seconds since the epoch, as JWTs write it (RFC 7519 §2, `NumericDate`).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// In UTC, to the second, as RFC 3339 has it; what was before the epoch is the epoch.
    pub fn rfc3339(self) -> String {
        let micros = u64::try_from(self.0).unwrap_or(0);
        // The last moment of the year 9999, beyond which there is no such text.
        let moment = std::time::UNIX_EPOCH + Duration::from_micros(micros.min(253_402_300_799_000_000));
        humantime::format_rfc3339_seconds(moment).to_string()
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(span)))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(span)))
    }

    /// How long ago `earlier` was. A clock that stepped back makes ages negative; they count as zero.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0).max(0);
        Duration::from_micros(micros.unsigned_abs())
    }

    /// Has this moment come?
    pub fn is_past(self, now: Self) -> bool {
        self <= now
    }
}

fn micros_of(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// What is known of the clock itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// Wall time has gone with monotonic time.
    Settled,
    /// Wall time has just leapt against monotonic time: no age can be believed, so nothing may end because of one.
    Leapt,
}

impl ClockState {
    /// Its state when the last leap, if any, was `since_leap` ago, and doubt lasts for `settling`.
    pub fn after_leap(since_leap: Option<Duration>, settling: Duration) -> Self {
        if since_leap.is_some_and(|ago| ago < settling) { Self::Leapt } else { Self::Settled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_never_negative() {
        let now = Timestamp::from_seconds(10);
        assert_eq!(now.since(Timestamp::from_seconds(20)), Duration::ZERO);
        assert_eq!(now.since(Timestamp::from_seconds(4)), Duration::from_secs(6));
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_time() {
        assert_eq!(Timestamp::NEVER.plus(Duration::MAX), Timestamp::NEVER);
        assert_eq!(Timestamp::from_micros(i64::MIN).minus(Duration::MAX).micros(), i64::MIN);
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(Timestamp::from_micros(-1).seconds(), -1);
        assert_eq!(Timestamp::from_micros(-1).millis(), -1);
    }
}
