//! What happened how often in a project, by the hour.

use countersign_domain::{clock::Timestamp, id::ProjectId};

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// The hour of a count that never begins anew.
pub const EVER: i64 = 0;

/// The hour in which a moment lies, counted since 1970.
pub fn hour_of(at: Timestamp) -> i64 {
    at.micros() / HOUR
}

/// Adds to a count; says what it comes to.
pub async fn add(conn: &mut Conn<'_>, project: &ProjectId, name: &str, hour: i64, by: i64) -> Result<i64> {
    let sql = "insert into counters (project_id, name, hour, value) values ($1, $2, $3, $4) \
               on conflict (project_id, name, hour) do update set value = counters.value + excluded.value \
               returning value";
    let row = conn.fetch_one(statement(sql).bind(project.as_str()).bind(name).bind(hour).bind(by)).await?;
    Reader::new(&row, "counters", &["name", "hour"]).integer("value")
}

/// What a count comes to.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, name: &str, hour: i64) -> Result<i64> {
    let sql = "select value from counters where project_id = $1 and name = $2 and hour = $3";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(name).bind(hour)).await?;
    row.map_or(Ok(0), |row| Reader::new(&row, "counters", &[]).integer("value"))
}

/// What each count came to in the hours from `since` on.
pub async fn totals(conn: &mut Conn<'_>, project: &ProjectId, since: i64) -> Result<Vec<(String, i64)>> {
    let sql = "select name, cast(sum(value) as bigint) as value from counters \
               where project_id = $1 and hour >= $2 group by name order by name";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str()).bind(since)).await?;
    let read = |row| {
        let row = Reader::new(row, "counters", &["name"]);
        Ok((row.text("name")?, row.integer("value")?))
    };
    rows.iter().map(read).collect()
}

/// Forgets hours long gone.
pub async fn delete_before(conn: &mut Conn<'_>, project: &ProjectId, hour: i64) -> Result<u64> {
    let sql = "delete from counters where project_id = $1 and hour < $2 and hour > 0";
    conn.execute(statement(sql).bind(project.as_str()).bind(hour)).await
}
