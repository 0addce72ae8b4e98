//! Revocations whose tokens may still be alive: what an access token says of itself is compared with this, each time.

use std::{collections::HashMap, sync::RwLock};

use countersign_domain::{
    clock::Timestamp,
    id::{SessionId, UserId},
};

/// Ended sessions and raised user counters. Clients, keys and projects have their counters in the directory.
#[derive(Default)]
pub(crate) struct Revocations {
    sessions: RwLock<HashMap<SessionId, Timestamp>>,
    users: RwLock<HashMap<UserId, (u32, Timestamp)>>,
}

impl Revocations {
    pub(crate) fn session_ended(&self, session: SessionId, until: Timestamp) {
        if let Ok(mut sessions) = self.sessions.write() {
            sessions.insert(session, until);
        }
    }

    /// Applying the same news twice, or an older one after a newer, changes nothing.
    pub(crate) fn user_revoked(&self, user: UserId, generation: u32, until: Timestamp) {
        if let Ok(mut users) = self.users.write() {
            let entry = users.entry(user).or_insert((generation, until));
            *entry = (entry.0.max(generation), entry.1.max(until));
        }
    }

    pub(crate) fn is_ended(&self, session: SessionId) -> bool {
        // A lock that a panic has poisoned tells nothing: count as ended.
        self.sessions.read().map_or(true, |sessions| sessions.contains_key(&session))
    }

    /// The user's counter, if it has been raised lately; else whatever the token says is right.
    pub(crate) fn generation_of(&self, user: UserId) -> Option<u32> {
        self.users.read().map_or(Some(u32::MAX), |users| users.get(&user).map(|(generation, _)| *generation))
    }

    /// Forgets those whose last access token has expired.
    pub(crate) fn forget_expired(&self, now: Timestamp) {
        if let Ok(mut sessions) = self.sessions.write() {
            sessions.retain(|_, until| !until.is_past(now));
        }
        if let Ok(mut users) = self.users.write() {
            users.retain(|_, (_, until)| !until.is_past(now));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.read().map_or(0, |it| it.len()) + self.users.read().map_or(0, |it| it.len())
    }
}
