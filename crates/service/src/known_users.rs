//! Whom the customers' own identifiers name, as far as that was read lately: a verdict needs nothing else, and should read nothing.

use std::{
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use countersign_domain::{
    id::{ProjectId, UserId},
    text::ExternalId,
};
use countersign_storage::users::UserState;
use quick_cache::{Equivalent, sync::Cache};

/// What a verdict must know of a user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownUser {
    pub(crate) user: UserId,
    /// How often all sessions of this user have been revoked.
    pub(crate) generation: u32,
    pub(crate) is_disabled: bool,
    /// What the user's counter of news stood at before this was read.
    read_at: u64,
}

/// Users change rarely, and many share a counter: news of one makes some others be read again, and no memory grows.
const COUNTERS: usize = 4096;

/// Bounded; who was long unseen is read again.
pub(crate) struct KnownUsers {
    by_name: Cache<(ProjectId, ExternalId), KnownUser>,
    news: Box<[AtomicU64]>,
}

/// A look into the database whose outcome may be remembered, unless news came meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look(u64);

impl KnownUsers {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { by_name: Cache::new(capacity), news: (0..=COUNTERS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The user, if what is remembered is still so.
    pub(crate) fn find(&self, project: &ProjectId, id: &ExternalId) -> Option<KnownUser> {
        let known = self.by_name.get(&Name(project, id))?;
        (known.read_at == self.heard_of(known.user)).then_some(known)
    }

    /// Every name that is remembered, of all projects, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (ProjectId, ExternalId)> {
        self.by_name.iter().map(|(name, _)| name)
    }

    /// To be taken before reading.
    pub(crate) fn look(&self) -> Look {
        Look(self.total().load(Ordering::SeqCst))
    }

    /// Remembers what was read, if nothing was heard of anybody meanwhile.
    pub(crate) fn keep(&self, look: Look, name: (ProjectId, ExternalId), read: UserState) -> KnownUser {
        let UserState { user, generation, is_disabled } = read;
        let known = KnownUser { user, generation, is_disabled, read_at: self.heard_of(user) };
        if self.total().load(Ordering::SeqCst) == look.0 {
            self.by_name.insert(name, known);
        }
        known
    }

    /// Something about a user has changed.
    pub(crate) fn heard(&self, user: UserId) {
        self.counter(user).fetch_add(1, Ordering::SeqCst);
        self.total().fetch_add(1, Ordering::SeqCst);
    }

    /// Anything may have changed.
    pub(crate) fn clear(&self) {
        for counter in &self.news {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        self.by_name.clear();
    }

    fn heard_of(&self, user: UserId) -> u64 {
        self.counter(user).load(Ordering::SeqCst)
    }

    fn counter(&self, user: UserId) -> &AtomicU64 {
        // The last bytes are random.
        let [.., high, low] = user.to_bytes();
        &self.news[usize::from(u16::from_be_bytes([high, low])) % COUNTERS]
    }

    /// The last counter counts all news.
    fn total(&self) -> &AtomicU64 {
        &self.news[COUNTERS]
    }
}

/// A name to look for, without making a copy of it.
struct Name<'a>(&'a ProjectId, &'a ExternalId);

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, self.1).hash(state);
    }
}

impl Equivalent<(ProjectId, ExternalId)> for Name<'_> {
    fn equivalent(&self, key: &(ProjectId, ExternalId)) -> bool {
        self.0 == &key.0 && self.1 == &key.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str) -> (ProjectId, ExternalId) {
        ("p1".parse().unwrap(), id.parse().unwrap())
    }

    fn state(last: u8) -> UserState {
        let mut bytes = [0; 16];
        bytes[15] = last;
        UserState { user: UserId::from_bytes(bytes), generation: 0, is_disabled: false }
    }

    fn known(users: &KnownUsers, id: &str) -> bool {
        let (project, id) = name(id);
        users.find(&project, &id).is_some()
    }

    #[test]
    fn who_was_read_is_known_until_there_is_news_of_them() {
        let users = KnownUsers::new(100);
        users.keep(users.look(), name("a"), state(1));
        users.keep(users.look(), name("b"), state(2));
        assert!(known(&users, "a") && known(&users, "b"));
        users.heard(state(1).user);
        assert!(!known(&users, "a") && known(&users, "b"));
    }

    #[test]
    fn what_was_read_before_the_news_is_not_kept_after_it() {
        let users = KnownUsers::new(100);
        let look = users.look();
        users.heard(state(1).user);
        users.keep(look, name("a"), state(1));
        assert!(!known(&users, "a"));
    }

    #[test]
    fn a_project_knows_only_its_own() {
        let users = KnownUsers::new(100);
        users.keep(users.look(), name("a"), state(1));
        assert!(users.find(&"p2".parse().unwrap(), &"a".parse().unwrap()).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let users = KnownUsers::new(1_000);
        for number in 0..20_000 {
            users.keep(users.look(), name(&number.to_string()), state(1));
        }
        assert!(users.by_name.len() <= 1_000);
    }
}
