//! Limits on how often a caller may call: the generic cell rate algorithm (ITU-T I.371, GCRA), one number a caller, at most so many
//! callers. Each node counts for itself.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use quick_cache::sync::Cache;

/// How often something may happen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Time between two, when they come evenly.
    interval: Duration,
    /// How many may come at once.
    burst: NonZeroU32,
}

impl Rate {
    pub(crate) fn per_second(count: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { interval: Duration::from_secs(1) / count.get(), burst }
    }

    /// So many at once, and again once that long has passed.
    pub(crate) fn within(count: NonZeroU32, span: Duration) -> Self {
        Self { interval: span / count.get(), burst: count }
    }

    pub(crate) fn per_hour(count: NonZeroU32) -> Self {
        Self::within(count, Duration::from_hours(1))
    }

    pub(crate) fn per_minute(count: NonZeroU32) -> Self {
        Self::within(count, Duration::from_mins(1))
    }

    /// Until when a caller has used up what came before, one more call included, if that is within the rate.
    fn next(self, used_until: u64, now: u64) -> Result<u64, TooMany> {
        let interval = micros(self.interval).max(1);
        let tolerance = interval.saturating_mul(u64::from(self.burst.get()));
        let next = used_until.max(now).saturating_add(interval);
        if next > now.saturating_add(tolerance) {
            return Err(TooMany { retry_after: Duration::from_micros(next - now - tolerance) });
        }
        Ok(next)
    }
}

/// Over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// When to come again.
    pub retry_after: Duration,
}

/// Counts callers.
pub(crate) struct Limits {
    hasher: RandomState,
    /// The moment, in microseconds, at which a caller will have used up what came before.
    used_until: Cache<u64, Arc<AtomicU64>>,
}

impl Limits {
    /// Counts at most so many callers; beyond, those long unseen are forgotten.
    pub(crate) fn new(callers: usize) -> Self {
        Self { hasher: RandomState::new(), used_until: Cache::new(callers) }
    }

    /// Counts one call of `who` at `now`, a monotonic time, if it is within the rate.
    pub(crate) fn take(&self, who: &impl Hash, rate: Rate, now: Duration) -> Result<(), TooMany> {
        let cell = self.cell(who);
        let mut used_until = cell.load(Ordering::Relaxed);
        loop {
            let next = rate.next(used_until, micros(now))?;
            match cell.compare_exchange_weak(used_until, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(current) => used_until = current,
            }
        }
    }

    /// Would a call of `who` be within the rate? Counts nothing.
    pub(crate) fn has_room(&self, who: &impl Hash, rate: Rate, now: Duration) -> bool {
        self.room(who, rate, now).is_ok()
    }

    /// The same, with when there will be room.
    pub(crate) fn room(&self, who: &impl Hash, rate: Rate, now: Duration) -> Result<(), TooMany> {
        let cell = self.used_until.get(&self.hasher.hash_one(who));
        rate.next(cell.map_or(0, |cell| cell.load(Ordering::Relaxed)), micros(now)).map(drop)
    }

    fn cell(&self, who: &impl Hash) -> Arc<AtomicU64> {
        let key = self.hasher.hash_one(who);
        let made = self.used_until.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        match made {
            Ok(cell) => cell,
        }
    }
}

/// So many within any span of such a length, and none sooner than so after the last. A [`Rate`] would let twice as many pass where a burst
/// meets the end of another.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) most: usize,
    pub(crate) within: Duration,
    pub(crate) apart: Duration,
}

/// Counts what is so rare that each time can be remembered.
pub(crate) struct Quotas {
    hasher: RandomState,
    taken: Cache<u64, Arc<Mutex<VecDeque<Duration>>>>,
}

impl Quotas {
    /// Counts for at most so many; beyond, those long unseen are forgotten.
    pub(crate) fn new(counted: usize) -> Self {
        Self { hasher: RandomState::new(), taken: Cache::new(counted) }
    }

    /// Counts one for `who` at `now`, a monotonic time, if it is within the quota.
    pub(crate) fn take(&self, who: &impl Hash, quota: &Quota, now: Duration) -> Result<(), TooMany> {
        let key = self.hasher.hash_one(who);
        let Ok(taken) = self.taken.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        while taken.front().is_some_and(|first| *first + quota.within <= now) {
            taken.pop_front();
        }
        let after_last = taken.back().map_or(now, |last| *last + quota.apart);
        let after_first =
            if taken.len() < quota.most { now } else { taken.front().map_or(now, |it| *it + quota.within) };
        let free_at = after_last.max(after_first);
        if free_at > now {
            return Err(TooMany { retry_after: free_at.saturating_sub(now) });
        }
        taken.push_back(now);
        Ok(())
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();
    const THIRTY: NonZeroU32 = NonZeroU32::new(30).unwrap();

    fn taken(limits: &Limits, who: &str, rate: Rate, at: Duration, calls: u32) -> usize {
        (0..calls).filter(|_| limits.take(&who, rate, at).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let limits = Limits::new(100);
        let rate = Rate::per_second(TEN, THIRTY);
        assert_eq!(taken(&limits, "a", rate, Duration::from_secs(5), 100), 30);
        assert_eq!(taken(&limits, "a", rate, Duration::from_secs(6), 100), 10);
        assert_eq!(taken(&limits, "a", rate, Duration::from_mins(10), 100), 30);
    }

    #[test]
    fn callers_are_counted_apart() {
        let limits = Limits::new(100);
        let rate = Rate::per_minute(TEN);
        assert_eq!(taken(&limits, "a", rate, Duration::ZERO, 100), 10);
        assert_eq!(taken(&limits, "b", rate, Duration::ZERO, 100), 10);
    }

    #[test]
    fn one_who_is_refused_learns_when_to_come_again() {
        let limits = Limits::new(100);
        let rate = Rate::per_minute(TEN);
        taken(&limits, "a", rate, Duration::ZERO, 10);
        let refused = limits.take(&"a", rate, Duration::ZERO).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(6));
        assert!(limits.take(&"a", rate, refused.retry_after).is_ok());
    }

    #[test]
    fn who_only_asks_is_not_counted() {
        let limits = Limits::new(100);
        let rate = Rate::per_minute(TEN);
        for _ in 0..20 {
            assert!(limits.has_room(&"a", rate, Duration::ZERO));
        }
        assert_eq!(taken(&limits, "a", rate, Duration::ZERO, 100), 10);
        assert!(!limits.has_room(&"a", rate, Duration::ZERO));
        assert!(limits.has_room(&"b", rate, Duration::ZERO));
    }

    #[test]
    fn memory_is_bounded_by_the_number_of_callers() {
        let limits = Limits::new(1_000);
        let rate = Rate::per_minute(TEN);
        for caller in 0..100_000 {
            limits.take(&caller, rate, Duration::ZERO).unwrap();
        }
        assert!(limits.used_until.len() <= 1_000);
    }

    const FIVE: Quota = Quota { most: 5, within: Duration::from_mins(10), apart: Duration::from_secs(30) };

    #[test]
    fn a_quota_holds_in_any_span_of_its_length() {
        let quotas = Quotas::new(10);
        let mut taken: Vec<u64> = Vec::new();
        for second in 0..3600 {
            if quotas.take(&"a", &FIVE, Duration::from_secs(second)).is_ok() {
                taken.push(second);
            }
        }
        assert_eq!(taken[..7], [0, 30, 60, 90, 120, 600, 630]);
        for first in &taken {
            let within = taken.iter().filter(|at| (*first..first + 600).contains(*at)).count();
            assert!(within <= 5, "{within} from {first}");
        }
    }

    #[test]
    fn who_comes_when_told_is_let_through_and_who_is_refused_pays_nothing() {
        let quotas = Quotas::new(10);
        let mut now = Duration::ZERO;
        for _ in 0..20 {
            if let Err(refused) = quotas.take(&"a", &FIVE, now) {
                let too_early = (now + refused.retry_after).saturating_sub(Duration::from_micros(1));
                assert!(quotas.take(&"a", &FIVE, too_early).is_err());
                now += refused.retry_after;
                assert_eq!(quotas.take(&"a", &FIVE, now), Ok(()));
            }
            assert!(quotas.take(&"b", &Quota { apart: Duration::ZERO, ..FIVE }, now + Duration::from_mins(11)).is_ok());
            now += Duration::from_mins(11);
        }
    }
}
