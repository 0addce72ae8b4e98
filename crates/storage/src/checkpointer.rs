//! Carrying what is in the write-ahead log of SQLite over into the database file, beside the writing.
//!
//! SQLite does it by itself within a commit once the log has a certain length, and everybody waits. Done here every little while, it leaves
//! the commit at which the log starts anew next to nothing to carry.

use std::time::Duration;

use sqlx::{AnyConnection, Connection, Executor, any::AnyConnectOptions};
use tokio::{sync::watch, time::sleep};
use tracing::warn;

use crate::{db::connect_checkpointer, error::Result};

const EVERY: Duration = Duration::from_millis(100);

/// Works for as long as the writer counts batches.
pub(crate) async fn work(options: AnyConnectOptions, mut batches: watch::Receiver<u64>) {
    let mut conn = None;
    while batches.changed().await.is_ok() {
        if let Err(problem) = carry_over(&mut conn, &options).await {
            // The writer does it then, within a commit.
            warn!(%problem, "can't carry the write-ahead log over: {problem}");
            conn = None;
        }
        sleep(EVERY).await;
    }
    if let Some(conn) = conn {
        let _ = conn.close().await;
    }
}

async fn carry_over(conn: &mut Option<AnyConnection>, options: &AnyConnectOptions) -> Result<()> {
    let conn = match conn {
        Some(conn) => conn,
        empty => empty.insert(connect_checkpointer(options).await?),
    };
    conn.execute("pragma wal_checkpoint(passive)").await?;
    Ok(())
}
