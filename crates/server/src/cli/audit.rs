//! `audit`.

use std::{collections::BTreeMap, time::Duration};

use clap::Subcommand;
use countersign_domain::{
    clock::Timestamp,
    id::{AuditId, ProjectId},
};
use countersign_storage::audit::ReadEntry;
use serde_json::{Value, json};

use super::{
    Desk,
    output::{line, time},
};
use crate::error::Failure;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Print the newest entries, one JSON object a line
    Tail {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Go on printing what is added
        #[arg(long, short)]
        follow: bool,
    },
}

/// How often the trail is looked at.
const EVERY: Duration = Duration::from_millis(500);
/// An entry is ordered by when its act began and shows when its transaction has ended, a unit's patience later at most.
const LATE: Duration = Duration::from_secs(15);
const PAGE: u32 = 1_000;

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let Self::Tail { limit, follow } = self;
        let project = desk.project().await?;
        let mut follower = Follower { desk, project, seen: BTreeMap::new() };
        if follow {
            // What is there already and older than what is asked for is no news.
            follower.newest(1).await?;
            follower.look().await?;
        }
        print(&follower.newest(limit).await?)?;
        if !follow {
            return Ok(());
        }
        loop {
            tokio::time::sleep(EVERY).await;
            print(&follower.look().await?)?;
        }
    }
}

/// Who follows the trail, and doesn't miss what comes late.
struct Follower<'a> {
    desk: &'a Desk,
    project: ProjectId,
    /// Entries after which something may still come, and when they were made.
    seen: BTreeMap<AuditId, i64>,
}

impl Follower<'_> {
    async fn newest(&mut self, limit: u32) -> Result<Vec<ReadEntry>, Failure> {
        let newest = self.desk.service.audit_entries(&self.project, None, limit).await?;
        self.seen.extend(newest.iter().map(|entry| (entry.id, entry.at)));
        Ok(newest)
    }

    /// What wasn't there the last time.
    async fn look(&mut self) -> Result<Vec<ReadEntry>, Failure> {
        let newest = self.seen.last_key_value().map_or(0, |(_, at)| *at);
        let mut after = AuditId::new(Timestamp::from_micros(newest).minus(LATE), [0; 10]);
        self.seen = self.seen.split_off(&after);
        let mut new = Vec::new();
        loop {
            let page = self.desk.service.audit_entries(&self.project, Some(after), PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map_or(after, |entry| entry.id);
            new.extend(page.into_iter().filter(|entry| self.seen.insert(entry.id, entry.at).is_none()));
            if is_last {
                return Ok(new);
            }
        }
    }
}

fn print(entries: &[ReadEntry]) -> Result<(), Failure> {
    entries.iter().try_for_each(|entry| line(&shown(entry).to_string()))
}

fn shown(entry: &ReadEntry) -> Value {
    json!({
        "id": entry.id.to_string(),
        "at": time(Timestamp::from_micros(entry.at)),
        "act": entry.act,
        "actor": { "kind": entry.actor_kind, "id": entry.actor_id },
        "user": entry.user_id,
        "client": entry.client_id,
        "session": entry.session_id,
        "key": entry.key_id,
        "request": entry.request_id,
        "detail": entry.detail,
    })
}
