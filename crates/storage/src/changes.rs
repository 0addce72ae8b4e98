//! The change feed: what every node must know within a second.

use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, SessionId, UserId},
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::{built_statement, statement},
    error::Result,
    row::Reader,
};

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub project: ProjectId,
    /// What.
    pub what: What,
    /// From when on nobody needs to know.
    pub expires_at: Timestamp,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The project itself, its clients or its keys: read them again.
    Project,
    /// A session ended.
    SessionEnded(SessionId),
    /// All sessions of a user were revoked: the counter stands at this.
    UserRevoked(UserId, u32),
    /// Who a user is known as.
    UserChanged(UserId),
}

/// A change with its place in the feed.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// Its number. Numbers may become visible out of their order.
    pub seq: i64,
    /// The change.
    pub change: Change,
}

/// Announces a change, in the transaction that makes it.
pub async fn insert(conn: &mut Conn<'_>, change: &Change) -> Result<()> {
    let (kind, subject, value) = match change.what {
        What::Project => ("project", String::new(), 0),
        What::SessionEnded(session) => ("session_ended", session.to_string(), 0),
        What::UserRevoked(user, generation) => ("user_revoked", user.to_string(), i64::from(generation)),
        What::UserChanged(user) => ("user_changed", user.to_string(), 0),
    };
    let next = conn.engine.next_change();
    let sql = format!(
        "insert into changes (project_id, seq, kind, subject, value, expires_at) values ($1, {next}, $2, $3, $4, $5)"
    );
    let insert = built_statement(sql)
        .bind(change.project.as_str())
        .bind(kind)
        .bind(subject)
        .bind(value)
        .bind(change.expires_at.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// Changes after a number, at most `limit`.
pub async fn list_after(conn: &mut Conn<'_>, seq: i64, limit: u32) -> Result<Vec<Numbered>> {
    let sql = "select * from changes where seq > $1 order by seq limit $2";
    let rows = conn.fetch_all(statement(sql).bind(seq).bind(i64::from(limit))).await?;
    rows.iter().map(read).collect()
}

/// Changes that somebody still needs to know.
pub async fn list_alive(conn: &mut Conn<'_>, now: Timestamp) -> Result<Vec<Numbered>> {
    let rows = conn.fetch_all(statement("select * from changes where expires_at > $1").bind(now.micros())).await?;
    rows.iter().map(read).collect()
}

/// The highest number given out so far that is visible.
pub async fn newest(conn: &mut Conn<'_>) -> Result<i64> {
    let row = conn.fetch_one(statement("select coalesce(max(seq), 0) as seq from changes")).await?;
    Reader::new(&row, "changes", &[]).integer("seq")
}

/// Forgets changes that nobody needs to know any more, at most `limit`; says how many. The newest stays: the next number comes of it.
pub async fn delete_expired(conn: &mut Conn<'_>, now: Timestamp, limit: u32) -> Result<u64> {
    let sql = "delete from changes where seq in (select seq from changes where expires_at <= $1 \
               and seq < (select max(seq) from changes) order by expires_at limit $2)";
    conn.execute(statement(sql).bind(now.micros()).bind(i64::from(limit))).await
}

fn read(row: &AnyRow) -> Result<Numbered> {
    let row = Reader::new(row, "changes", &["seq"]);
    let what = match row.text("kind")?.as_str() {
        "session_ended" => What::SessionEnded(row.parsed("subject")?),
        "user_revoked" => What::UserRevoked(row.parsed("subject")?, row.integer("value")?),
        "user_changed" => What::UserChanged(row.parsed("subject")?),
        // What a newer node announces, this one can at least look for.
        _ => What::Project,
    };
    let change = Change { project: row.parsed("project_id")?, what, expires_at: row.time("expires_at")? };
    Ok(Numbered { seq: row.integer("seq")?, change })
}
