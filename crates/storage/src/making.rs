//! Making a SQLite database, which several processes may do at once.

use std::time::Duration;

use sqlx::{AnyConnection, Connection, Executor, any::AnyConnectOptions};
use tokio::time::sleep;

use crate::{
    db::SQLITE_WRITER,
    error::{Error, Result},
};

/// How long a process waits for another that makes the same database, and how often it looks.
const MAKING: Duration = Duration::from_secs(5);
const MAKING_LOOK: Duration = Duration::from_millis(20);

/// Makes the file, if there is none. Whoever changes it to a write-ahead log needs it for itself, and SQLite says so to the others at once,
/// without waiting: of several nodes that start on no database all but one would be turned away.
pub(crate) async fn make_sqlite(options: &AnyConnectOptions) -> Result<()> {
    let made = tokio::time::timeout(MAKING, async {
        loop {
            match try_to_make_sqlite(options).await {
                Err(problem) if is_busy(&problem) => sleep(MAKING_LOOK).await,
                made => return made,
            }
        }
    });
    match made.await {
        Ok(made) => Ok(made?),
        Err(_) => Err(Error::Unavailable("database is locked".to_owned())),
    }
}

async fn try_to_make_sqlite(options: &AnyConnectOptions) -> Result<(), sqlx::Error> {
    let mut conn = AnyConnection::connect_with(options).await?;
    conn.execute(SQLITE_WRITER).await?;
    conn.close().await
}

/// `SQLITE_BUSY` and its extended codes.
fn is_busy(problem: &sqlx::Error) -> bool {
    let code = problem.as_database_error().and_then(|refusal| refusal.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}
