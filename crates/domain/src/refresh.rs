//! The refresh rule: what a refresh token of one generation is worth to a session that stands at another.
//!
//! Every use of the newest token moves the session one generation on (RFC 9700 §4.14.2). A token that comes back after that is either an
//! honest app's, whose answer was lost, or a copy. Telling the two apart without logging honest people out is what this file is about:
//!
//! | token's generation | from | answer |
//! |---|---|---|
//! | the session's | | the successor |
//! | one before, at most `retry` ago | own | the same successor; after `overlap` at most [`MAX_REPLAYS`] times, then `replaced` |
//! | | foreign | the same, but counted from the first; in [`FOREIGN_RUN_IS_THEFT`] generations running it is theft |
//! | one before, later | | the session ends |
//! | earlier | own | `replaced`: a tab that slept |
//! | | foreign, within `overlap` of the last rotation | `replaced`; again more than `overlap` after the first time: theft |
//! | | foreign, otherwise | theft |
//! | later | | a commit was lost: the session moves to one past the token |
//!
//! *Own* is the network and user agent of the last rotation, *foreign* anything else. After a leap of the clock no age is believed and
//! nothing ends.

use std::time::Duration;

use crate::{
    clock::{ClockState, Timestamp},
    id::MacKeyId,
    session::EndReason,
};

/// How often one generation's predecessor is answered again, beyond what the overlap allows.
pub const MAX_REPLAYS: u32 = 5;

/// In how many generations running a foreign replay makes two parties taking turns. Below that it may be an app that lost an answer
/// while it changed networks.
pub const FOREIGN_RUN_IS_THEFT: u32 = 3;

/// A straggler from elsewhere is forgotten after this long: two such coincidences in a day are theft, two in a year are not.
const STRAGGLER_IS_FORGOTTEN: Duration = Duration::from_hours(24);

/// A keyed hash of something about a caller: tells same from other, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(pub [u8; 16]);

/// From where a refresh token was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerMarks {
    /// Of the network: the /24 of an IPv4 address, the /56 of an IPv6 address.
    pub network: Mark,
    /// Of the user agent.
    pub agent: Mark,
}

/// Where a session's refresh token stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The generation of the newest token.
    pub generation: u32,
    /// When that token was made.
    pub rotated_at: Timestamp,
    /// Who asked for it; nobody yet where a backend vouched.
    pub rotated_by: Option<CallerMarks>,
    /// The key it was made under.
    pub mac_key: MacKeyId,
    /// How often the token before it was answered again.
    pub replays: u32,
    /// In how many generations running, up to `foreign_generation`, there was a foreign replay.
    pub foreign_run: u32,
    /// The last generation in which there was one.
    pub foreign_generation: u32,
    /// When a token two or more generations old last began to come from elsewhere.
    pub behind_since: Option<Timestamp>,
}

/// The settings of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshRule {
    /// For how long after a rotation the token before is still answered.
    pub retry: Duration,
    /// For how long after a rotation both tokens are simply in flight.
    pub overlap: Duration,
    /// Does a refresh make a new token?
    pub rotates: bool,
}

/// One use of an authentic refresh token of the session.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// The token's generation.
    pub generation: u32,
    /// Who used it.
    pub caller: CallerMarks,
    /// The key under which new tokens are made now.
    pub mac_key: MacKeyId,
    /// When.
    pub now: Timestamp,
    /// Whether `now` can be compared with what the row says.
    pub clock: ClockState,
}

/// What an attempt comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The answer.
    pub outcome: Outcome,
    /// What the row must hold before the answer may be given; `None`: it stays as it is.
    pub next: Option<Rotation>,
    /// What the audit trail must say. It says it together with a change of the row: repetitions at line rate aren't written down.
    pub event: Option<Event>,
}

/// The answer to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A token of this generation, made under this key.
    Token {
        /// Its generation.
        generation: u32,
        /// The key to make it under.
        mac_key: MacKeyId,
    },
    /// Refused; the session lives: another part of the app holds a newer token.
    Replaced,
    /// The session ends.
    Ends(EndReason),
}

/// What happened beside the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The token before the newest came from another network or user agent.
    ForeignReplay,
    /// A token two or more generations old came from another network or user agent.
    ForeignStraggler,
    /// A token newer than the row: a restored backup, or a failover to a replica that lagged.
    LostCommit,
    /// Two parties use the session.
    Theft,
}

impl Rotation {
    /// A new session's: nobody has refreshed yet.
    pub const fn first(now: Timestamp, mac_key: MacKeyId) -> Self {
        Self {
            generation: 1,
            rotated_at: now,
            rotated_by: None,
            mac_key,
            replays: 0,
            foreign_run: 0,
            foreign_generation: 0,
            behind_since: None,
        }
    }

    /// Judges the use of an authentic token of this session.
    pub fn judge(&self, attempt: &Attempt, rule: &RefreshRule) -> Judgement {
        let behind = self.generation.checked_sub(attempt.generation);
        match behind {
            None => self.recover(attempt),
            Some(0) => self.rotate(attempt, rule),
            Some(1) => self.replay(attempt, rule),
            Some(_) => self.straggle(attempt, rule),
        }
    }

    fn rotate(&self, attempt: &Attempt, rule: &RefreshRule) -> Judgement {
        let generation = if rule.rotates { self.generation.saturating_add(1) } else { self.generation };
        self.moved_to(generation, attempt, None)
    }

    fn recover(&self, attempt: &Attempt) -> Judgement {
        self.moved_to(attempt.generation.saturating_add(1), attempt, Some(Event::LostCommit))
    }

    fn moved_to(&self, generation: u32, attempt: &Attempt, event: Option<Event>) -> Judgement {
        let next = Self {
            generation,
            rotated_at: attempt.now,
            rotated_by: Some(attempt.caller),
            mac_key: attempt.mac_key,
            replays: 0,
            ..self.clone()
        };
        Judgement { outcome: next.token(), next: Some(next), event }
    }

    /// The token before the newest.
    fn replay(&self, attempt: &Attempt, rule: &RefreshRule) -> Judgement {
        let age = self.age(attempt);
        if age > rule.retry {
            return Judgement { outcome: Outcome::Ends(EndReason::StaleToken), next: None, event: None };
        }
        if self.is_own(attempt) {
            if age <= rule.overlap {
                return Judgement { outcome: self.token(), next: None, event: None };
            }
            return self.counted(self.clone(), None);
        }
        let next = self.with_foreign_replay();
        if next.foreign_run >= FOREIGN_RUN_IS_THEFT {
            return theft(attempt);
        }
        self.counted(next, Some(Event::ForeignReplay))
    }

    /// Answers with the same successor and counts it, or refuses when it has been answered often enough.
    fn counted(&self, mut next: Self, event: Option<Event>) -> Judgement {
        if self.replays >= MAX_REPLAYS {
            // Only the first refusal of a generation is news.
            let is_new = next != *self;
            let event = event.filter(|_| is_new);
            return Judgement { outcome: Outcome::Replaced, next: is_new.then_some(next), event };
        }
        next.replays = self.replays + 1;
        Judgement { outcome: next.token(), next: Some(next), event }
    }

    /// A token two or more generations old.
    fn straggle(&self, attempt: &Attempt, rule: &RefreshRule) -> Judgement {
        if self.is_own(attempt) {
            return Judgement { outcome: Outcome::Replaced, next: None, event: None };
        }
        if self.age(attempt) >= rule.overlap {
            return theft(attempt);
        }
        let first = self.behind_since.filter(|first| attempt.now.since(*first) <= STRAGGLER_IS_FORGOTTEN);
        let next = match first {
            Some(first) if attempt.now.since(first) > rule.overlap => return theft(attempt),
            Some(_) => None,
            None => Some(Self { behind_since: Some(attempt.now), ..self.clone() }),
        };
        let event = next.is_some().then_some(Event::ForeignStraggler);
        Judgement { outcome: Outcome::Replaced, next, event }
    }

    fn with_foreign_replay(&self) -> Self {
        let run = match self.generation - self.foreign_generation {
            0 => self.foreign_run,
            1 => self.foreign_run + 1,
            _ => 1,
        };
        Self { foreign_run: run, foreign_generation: self.generation, ..self.clone() }
    }

    fn is_own(&self, attempt: &Attempt) -> bool {
        self.rotated_by == Some(attempt.caller)
    }

    fn age(&self, attempt: &Attempt) -> Duration {
        match attempt.clock {
            ClockState::Settled => attempt.now.since(self.rotated_at),
            ClockState::Leapt => Duration::ZERO,
        }
    }

    fn token(&self) -> Outcome {
        Outcome::Token { generation: self.generation, mac_key: self.mac_key }
    }
}

/// Ends the session, unless the clock has just leapt: then the ages that led here mean nothing, and the caller is merely refused.
fn theft(attempt: &Attempt) -> Judgement {
    match attempt.clock {
        ClockState::Settled => {
            Judgement { outcome: Outcome::Ends(EndReason::Theft), next: None, event: Some(Event::Theft) }
        }
        ClockState::Leapt => Judgement { outcome: Outcome::Replaced, next: None, event: None },
    }
}

#[cfg(test)]
mod tests;
