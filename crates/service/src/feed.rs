//! Hearing of changes that other processes made: within a second, whatever happened to the one who made them.
//!
//! Every node reads the feed a few times a second and applies what it hasn't seen; applying twice does no harm. Numbers can become visible
//! out of their order, so a number counts as settled only when all before it have been seen, or when they have had long enough.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use countersign_domain::{clock::Timestamp, id::ProjectId};
use countersign_storage::{
    changes::{self, Change, Numbered, What},
    error::Error as StorageError,
    projects,
};
use tokio::{sync::Mutex, time::timeout};
use tracing::{error, info};

use crate::{
    Service,
    directory::{Directory, LoadError, load_project},
};

/// A node that has heard nothing for longer answers no verdicts.
const STALE: Duration = Duration::from_secs(5);
/// A transaction that takes longer than this has been rolled back: statements end after 5 s, idle ones after 10 s.
const SETTLED: Duration = Duration::from_secs(20);
/// How many numbers before the newest are looked at again after a start.
const LOOK_BACK: i64 = 1_000;
const PAGE: u32 = 1_000;
/// Reading the feed takes milliseconds; what takes longer than this is better begun anew.
const LONG_TICK: Duration = Duration::from_secs(3);
/// A clock that answers later than this tells an old time.
const SLOW_CLOCK: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(crate) struct Feed {
    position: Mutex<Position>,
    /// When the feed was last read to its end, in monotonic microseconds.
    heard_at: AtomicU64,
    /// How often everything was read anew.
    resyncs: AtomicU64,
    /// Held from reading a project to showing it: else who read first could show last.
    reloading: Mutex<()>,
}

#[derive(Default)]
struct Position {
    /// All numbers up to this one are settled.
    floor: i64,
    /// Numbers beyond it that have been applied.
    seen: BTreeSet<i64>,
    /// The highest number seen at some moments of the last seconds.
    heights: VecDeque<(Duration, i64)>,
    /// Something may have been missed: read everything anew.
    lost: bool,
}

impl Position {
    fn begin(newest: i64, now: Duration) -> Self {
        let floor = (newest - LOOK_BACK).max(0);
        Self { floor, seen: BTreeSet::new(), heights: VecDeque::from([(now, newest)]), lost: false }
    }

    fn highest(&self) -> i64 {
        let noted = self.heights.back().map_or(0, |(_, height)| *height);
        self.seen.last().copied().unwrap_or(0).max(noted).max(self.floor)
    }

    /// Moves the floor over numbers that were seen, and over gaps that have had their time.
    fn settle(&mut self, now: Duration) {
        let highest = self.highest();
        if self.heights.back().is_none_or(|(_, height)| *height < highest) {
            self.heights.push_back((now, highest));
        }
        while let Some((_, height)) = self.heights.front().copied().filter(|(at, _)| now.saturating_sub(*at) > SETTLED)
        {
            self.floor = self.floor.max(height);
            self.heights.pop_front();
        }
        while self.seen.contains(&(self.floor + 1)) {
            self.floor += 1;
        }
        self.seen = self.seen.split_off(&(self.floor + 1));
    }
}

impl Feed {
    pub(crate) fn resyncs(&self) -> u64 {
        self.resyncs.load(Ordering::SeqCst)
    }

    pub(crate) fn is_fresh(&self, now: Duration) -> bool {
        self.age(now) <= STALE
    }

    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_micros(self.heard_at.load(Ordering::Relaxed)))
    }

    fn heard(&self, now: Duration) {
        // Of two who listen at once, the one who began first may end last.
        self.heard_at.fetch_max(u64::try_from(now.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Service {
    /// Looks at the clock and reads the feed. Meant to be called a few times a second.
    pub async fn tick(&self) {
        let began = self.time.monotonic();
        match timeout(LONG_TICK, self.listen()).await {
            Ok(Ok(())) => self.feed.heard(began),
            Ok(Err(problem)) => self.lose(&problem.to_string()).await,
            Err(_) => self.lose("the database doesn't answer").await,
        }
        #[expect(clippy::cast_precision_loss, reason = "thousands at most")]
        metrics::gauge!("countersign_revocations_remembered").set(self.revocations.len() as f64);
        let age = self.feed.age(self.time.monotonic());
        metrics::gauge!("countersign_feed_age_seconds").set(age.as_secs_f64());
    }

    /// From here on something may be missed. Said once, until the feed has been read again.
    async fn lose(&self, problem: &str) {
        let mut position = self.feed.position.lock().await;
        if !std::mem::replace(&mut position.lost, true) {
            error!(%problem, "can't read the change feed: {problem}");
        }
    }

    async fn listen(&self) -> Result<(), LoadError> {
        self.look_at_clock().await?;
        let newest = changes::newest(&mut self.db.reader().await?.conn()).await?;
        let mut position = self.feed.position.lock().await;
        // A newest number that fell comes from a database that lost commits.
        if position.lost || newest < position.highest() {
            let was_lost = position.lost;
            *position = self.read_everything(newest).await?;
            if was_lost {
                info!("the change feed is read again");
            }
            return Ok(());
        }
        if newest > position.floor {
            self.catch_up(&mut position).await?;
        }
        position.settle(self.time.monotonic());
        Ok(())
    }

    async fn catch_up(&self, position: &mut Position) -> Result<(), LoadError> {
        let mut after = position.floor;
        loop {
            let page = changes::list_after(&mut self.db.reader().await?.conn(), after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.seq;
            let is_last_page = page.len() < PAGE as usize;
            let new: Vec<Numbered> = page.into_iter().filter(|it| !position.seen.contains(&it.seq)).collect();
            if new.is_empty() && is_last_page {
                return Ok(());
            }
            self.apply_all(new.iter().map(|it| &it.change)).await?;
            position.seen.extend(new.iter().map(|it| it.seq));
            if is_last_page {
                return Ok(());
            }
        }
    }

    /// Reads all projects and all revocations that still matter: at the start, and whenever something may have been missed.
    pub(crate) async fn resync(&self) -> Result<(), LoadError> {
        let began = self.time.monotonic();
        let newest = changes::newest(&mut self.db.reader().await?.conn()).await?;
        *self.feed.position.lock().await = self.read_everything(newest).await?;
        self.feed.heard(began);
        Ok(())
    }

    async fn read_everything(&self, newest: i64) -> Result<Position, LoadError> {
        let position = Position::begin(newest, self.time.monotonic());
        let now = self.now();
        let mut reader = self.db.reader().await?;
        let alive = changes::list_alive(&mut reader.conn(), now).await?;
        let projects = projects::list(&mut reader.conn()).await?;
        drop(reader);
        for Numbered { change, .. } in &alive {
            self.note(change);
        }
        self.profiles.clear();
        self.known_users.clear();
        let known: Vec<ProjectId> = self.directory.load().projects().map(|view| view.project.id.clone()).collect();
        let all: BTreeSet<ProjectId> = projects.into_iter().map(|project| project.id).chain(known).collect();
        for project in all {
            self.reload(&project).await?;
        }
        self.feed.resyncs.fetch_add(1, Ordering::SeqCst);
        self.news.send_modify(|news| *news += 1);
        Ok(position)
    }

    /// Applies a change that this process made, without waiting to hear of it.
    pub(crate) async fn apply(&self, change: &Change) {
        if let Err(problem) = self.apply_all([change]).await {
            error!(%problem, "can't apply a change, and will when the feed is read: {problem}");
        }
    }

    async fn apply_all<'a>(&self, changes: impl IntoIterator<Item = &'a Change>) -> Result<(), LoadError> {
        let mut projects = BTreeSet::new();
        for change in changes {
            self.note(change);
            if change.what == What::Project {
                projects.insert(&change.project);
            }
        }
        for project in projects {
            self.reload(project).await?;
        }
        self.news.send_modify(|news| *news += 1);
        Ok(())
    }

    /// What a change says about sessions and users.
    fn note(&self, change: &Change) {
        match change.what {
            What::Project => {}
            What::SessionEnded(session) => self.revocations.session_ended(session, change.expires_at),
            What::UserRevoked(user, generation) => {
                self.revocations.user_revoked(user, generation, change.expires_at);
                self.known_users.heard(user);
            }
            What::UserChanged(user) => {
                self.profiles.forget(user);
                self.known_users.heard(user);
            }
        }
    }

    /// Reads a project again. One whose data makes no sense stays as it was: better yesterday's settings than none.
    pub(crate) async fn reload(&self, id: &ProjectId) -> Result<(), LoadError> {
        let _turn = self.feed.reloading.lock().await;
        let mut reader = self.db.reader().await?;
        match load_project(&mut reader.conn(), id, &self.master_key, &self.config).await {
            Ok(view) => {
                let view = view.map(Arc::new);
                self.directory.rcu(|directory: &Arc<Directory>| directory.with(id, view.clone()));
                Ok(())
            }
            Err(problem @ LoadError::Unusable { .. }) => {
                error!(%problem, "can't use what the database says: {problem}");
                Ok(())
            }
            Err(LoadError::Storage(corrupt @ StorageError::Corrupt(_))) => {
                error!(problem = %corrupt, "can't use what the database says: {corrupt}");
                Ok(())
            }
            Err(outage) => Err(outage),
        }
    }

    async fn look_at_clock(&self) -> Result<(), LoadError> {
        let before = self.time.monotonic();
        let reference = match self.db.clock().await? {
            None => self.time.wall(),
            Some(reference) => {
                let taken = self.time.monotonic().saturating_sub(before);
                if taken >= SLOW_CLOCK {
                    return Ok(());
                }
                Timestamp::from_micros(reference).plus(taken / 2)
            }
        };
        if self.time.is_set_back_by(reference) {
            self.recall(reference).await?;
        }
        self.time.look_at(reference);
        Ok(())
    }

    /// An earlier time makes access tokens live again that had expired; of those that were revoked, the news must be there first.
    async fn recall(&self, earlier: Timestamp) -> Result<(), LoadError> {
        for Numbered { change, .. } in &changes::list_alive(&mut self.db.reader().await?.conn(), earlier).await? {
            self.note(change);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seen(position: &mut Position, numbers: &[i64], at: Duration) {
        position.seen.extend(numbers);
        position.settle(at);
    }

    #[test]
    fn the_floor_follows_numbers_in_their_order() {
        let mut position = Position::default();
        seen(&mut position, &[1, 2, 3], SECOND);
        assert_eq!((position.floor, position.seen.len()), (3, 0));
    }

    #[test]
    fn a_gap_is_waited_for_and_given_up_when_its_transaction_must_have_ended() {
        let mut position = Position::default();
        seen(&mut position, &[1, 3], SECOND);
        assert_eq!(position.floor, 1, "2 may still become visible");
        seen(&mut position, &[4], SECOND * 2);
        assert_eq!(position.floor, 1);
        position.settle(SECOND + SETTLED + SECOND / 2);
        assert_eq!(position.floor, 4, "2 is given up; what follows it has been seen");
    }

    #[test]
    fn a_late_number_closes_its_gap() {
        let mut position = Position::default();
        seen(&mut position, &[1, 3], SECOND);
        seen(&mut position, &[2], SECOND * 3);
        assert_eq!((position.floor, position.seen.len()), (3, 0));
    }

    #[test]
    fn after_a_start_the_last_numbers_are_looked_at_again() {
        let position = Position::begin(5_000, SECOND);
        assert_eq!((position.floor, position.highest()), (4_000, 5_000));
        assert_eq!(Position::begin(10, SECOND).floor, 0);
    }
}
