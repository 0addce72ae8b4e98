//! Wrong codes for one address, of whatever sign-in and whoever shows them: so few an hour that a new code brings a guesser no new luck. Each
//! node counts for itself.

use std::num::NonZeroU32;

use countersign_domain::identity::Identity;

use crate::{
    Service,
    directory::ProjectView,
    limits::{Rate, TooMany},
};

/// In an hour, for one address: a guess is right once in a million times.
const GUESSES: NonZeroU32 = NonZeroU32::new(30).unwrap();

fn who<'a>(project: &'a ProjectView, identity: &'a Identity) -> (&'static str, &'a str, &'a Identity) {
    ("guesses", project.project.id.as_str(), identity)
}

impl Service {
    /// May another code be shown for this address?
    pub(crate) fn room_for_guess(&self, project: &ProjectView, identity: &Identity) -> Result<(), TooMany> {
        self.limits.room(&who(project, identity), Rate::per_hour(GUESSES), self.time.monotonic())
    }

    /// One was wrong.
    pub(crate) fn count_guess(&self, project: &ProjectView, identity: &Identity) {
        // Beyond the limit already: the next one that asks for room is told.
        let _ = self.limits.take(&who(project, identity), Rate::per_hour(GUESSES), self.time.monotonic());
    }
}
