//! Wrong codes for one address, or as second factors of one user, of whatever sign-in and whoever shows them: so few an hour that a new code brings a guesser no new luck, and remembered
//! for a while, as something to tell. Each node counts for itself.

use std::{
    collections::VecDeque,
    convert::Infallible,
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use countersign_domain::{
    id::UserId,
    identity::Identity,
    risk::{FAILURES_KEPT, MANY_FAILURES},
};
use quick_cache::sync::Cache;

use crate::{
    Service,
    directory::ProjectView,
    limits::{Rate, TooMany},
};

/// In an hour, for one address or user: a guess is right once in a million times.
const GUESSES: NonZeroU32 = NonZeroU32::new(30).unwrap();

/// At what somebody guesses.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) enum Guessed<'a> {
    /// At a code that was sent to an address.
    Address(&'a Identity),
    /// At a second factor of a user, whose first the guesser has.
    SecondFactor(UserId),
}

fn who<'a>(project: &'a ProjectView, guessed: Guessed<'a>) -> (&'static str, &'a str, Guessed<'a>) {
    ("guesses", project.project.id.as_str(), guessed)
}

/// When the last wrong codes were shown, of each address.
pub(crate) struct WrongCodes {
    hasher: RandomState,
    shown_at: Cache<u64, Arc<Mutex<VecDeque<Duration>>>>,
}

impl WrongCodes {
    /// Remembers at most so many addresses; beyond, those long untouched are forgotten.
    pub(crate) fn new(addresses: usize) -> Self {
        Self { hasher: RandomState::new(), shown_at: Cache::new(addresses) }
    }

    /// One was shown at `now`, a monotonic time. No more are remembered than are many.
    fn note(&self, who: &impl Hash, now: Duration) {
        let key = self.hasher.hash_one(who);
        let Ok(shown_at) = self.shown_at.get_or_insert_with(&key, || Ok::<_, Infallible>(Arc::default()));
        let mut shown_at = shown_at.lock().unwrap_or_else(PoisonError::into_inner);
        if shown_at.len() >= MANY_FAILURES as usize {
            shown_at.pop_front();
        }
        shown_at.push_back(now);
    }

    /// How many were shown lately, as far as they are remembered.
    fn lately(&self, who: &impl Hash, now: Duration) -> u32 {
        let Some(shown_at) = self.shown_at.get(&self.hasher.hash_one(who)) else { return 0 };
        let shown_at = shown_at.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = shown_at.iter().filter(|at| **at + FAILURES_KEPT > now).count();
        u32::try_from(lately).unwrap_or(u32::MAX)
    }
}

impl Service {
    /// May another code be shown?
    pub(crate) fn room_for_guess(&self, project: &ProjectView, guessed: Guessed<'_>) -> Result<(), TooMany> {
        self.limits.room(&who(project, guessed), Rate::per_hour(GUESSES), self.time.monotonic())
    }

    /// One was wrong.
    pub(crate) fn count_guess(&self, project: &ProjectView, guessed: Guessed<'_>) {
        let (who, now) = (who(project, guessed), self.time.monotonic());
        // Beyond the limit already: the next one that asks for room is told.
        let _ = self.limits.take(&who, Rate::per_hour(GUESSES), now);
        self.wrong_codes.note(&who, now);
    }

    /// How many were wrong lately, whether or not anybody has the address.
    pub(crate) fn wrong_codes_lately(&self, project: &ProjectView, identity: &Identity) -> u32 {
        self.wrong_codes.lately(&who(project, Guessed::Address(identity)), self.time.monotonic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn wrong_codes_are_forgotten_after_a_day_each_for_itself() {
        let codes = WrongCodes::new(10);
        for hour in 0..5 {
            codes.note(&"ada", Duration::from_hours(hour));
        }
        assert_eq!(codes.lately(&"ada", Duration::from_hours(4)), 5);
        assert_eq!(codes.lately(&"ada", DAY), 4);
        assert_eq!(codes.lately(&"ada", DAY + Duration::from_hours(4)), 0);
        assert_eq!(codes.lately(&"eve", DAY), 0);
    }

    #[test]
    fn no_more_is_remembered_than_is_many_and_what_is_newest() {
        let codes = WrongCodes::new(10);
        for second in 0..1000 {
            codes.note(&"ada", Duration::from_secs(second));
        }
        assert_eq!(codes.lately(&"ada", Duration::from_secs(1000)), MANY_FAILURES);
        assert_eq!(codes.lately(&"ada", DAY + Duration::from_secs(994)), MANY_FAILURES);
        assert_eq!(codes.lately(&"ada", DAY + Duration::from_secs(995)), MANY_FAILURES - 1);
    }

    #[test]
    fn memory_is_bounded_by_the_number_of_addresses() {
        let codes = WrongCodes::new(100);
        for address in 0..10_000 {
            codes.note(&address, Duration::ZERO);
        }
        assert!(codes.shown_at.len() <= 100);
    }
}
