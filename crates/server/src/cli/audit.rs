//! `audit`.

use std::time::Duration;

use clap::Subcommand;
use countersign_domain::{clock::Timestamp, id::AuditId};
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

impl Verb {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), Failure> {
        let Self::Tail { limit, follow } = self;
        let project = desk.project().await?;
        let mut last: Option<AuditId> = None;
        loop {
            let entries = desk.service.audit_entries(&project, last, limit).await?;
            for entry in &entries {
                line(&shown(entry).to_string())?;
            }
            last = entries.last().map(|entry| entry.id).or(last);
            if !follow {
                return Ok(());
            }
            // An entry is ordered by when its act began; one that was written a little late still shows.
            tokio::time::sleep(EVERY).await;
        }
    }
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
