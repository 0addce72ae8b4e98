//! Carrying what is in the write-ahead log of SQLite over into the database file, beside the writing.
//!
//! SQLite does it by itself within a commit once the log has a certain length, and everybody waits. Done here every little while, it leaves
//! next to nothing to the writer, who alone can begin the log anew without waiting for a gap between writes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{AnyConnection, Connection, Row, any::AnyConnectOptions};
use tokio::{sync::watch, time::sleep};
use tracing::warn;

use crate::{db::connect_checkpointer, error::Result};

const EVERY: Duration = Duration::from_millis(200);
/// Writers go on meanwhile, so each round leaves less to the next.
const ROUNDS: usize = 4;
const FEW_PAGES: i64 = 200;
/// A shorter log isn't worth a pause of the writer.
const LONG_LOG: i64 = 1000;

/// Works for as long as the writer counts batches.
pub(crate) async fn work(
    options: AnyConnectOptions,
    mut batches: watch::Receiver<u64>,
    little_is_left: Arc<AtomicBool>,
) {
    let mut conn = None;
    while batches.changed().await.is_ok() {
        match carry_over(&mut conn, &options).await {
            Ok(worth_it) => little_is_left.store(worth_it, Ordering::Relaxed),
            Err(problem) => {
                // The writer does it then, within a commit.
                warn!(%problem, "can't carry the write-ahead log over: {problem}");
                conn = None;
            }
        }
        sleep(EVERY).await;
    }
    if let Some(conn) = conn {
        let _ = conn.close().await;
    }
}

/// Carries over until little is left, and says whether the log should begin anew.
async fn carry_over(conn: &mut Option<AnyConnection>, options: &AnyConnectOptions) -> Result<bool> {
    let conn = match conn {
        Some(conn) => conn,
        empty => empty.insert(connect_checkpointer(options).await?),
    };
    for _ in 0..ROUNDS {
        let row = sqlx::query("pragma wal_checkpoint(passive)").fetch_one(&mut *conn).await?;
        let (log, carried): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
        if log - carried < FEW_PAGES {
            return Ok(log > LONG_LOG);
        }
    }
    Ok(false)
}
