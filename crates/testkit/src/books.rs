//! What the rows of a deployment come to: a refused call leaves none behind.

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use crate::database::TestDatabase;

/// Counts of rows, over all projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    /// Users.
    pub users: i64,
    /// What they are found by.
    pub identities: i64,
    /// Passkeys.
    pub passkeys: i64,
    /// Sessions, those that ended included.
    pub sessions: i64,
    /// Sessions that haven't been ended.
    pub live_sessions: i64,
    /// Audit entries of what was done. Refusals are counted together, later; they aren't among these.
    pub deeds: i64,
}

impl Books {
    /// Counts.
    pub async fn of(database: &TestDatabase) -> Self {
        let mut conn = AnyConnection::connect(database.url()).await.expect("the database is there");
        let books = Self {
            users: count(&mut conn, "users").await,
            identities: count(&mut conn, "identities").await,
            passkeys: count(&mut conn, "passkeys").await,
            sessions: count(&mut conn, "sessions").await,
            live_sessions: count(&mut conn, "sessions where ended_at is null").await,
            deeds: count(
                &mut conn,
                "audit_entries where act not in ('delegation.refused', 'vouch.refused', 'refresh.refused', 'key.seen_in_browser')",
            )
            .await,
        };
        conn.close().await.expect("the database lets go");
        books
    }
}

async fn count(conn: &mut AnyConnection, of: &'static str) -> i64 {
    let sql = AssertSqlSafe(format!("select count(*) from {of}"));
    sqlx::query(sql).fetch_one(conn).await.expect("rows can be counted").get(0)
}
