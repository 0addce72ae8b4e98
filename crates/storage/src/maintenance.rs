//! Throwing away what is over, a little at a time.

use countersign_domain::{clock::Timestamp, id::ProjectId};

use crate::{Conn, conn::statement, error::Result};

/// Deletes sessions whose absolute end lies before `expired_before`, at most `limit`; says how many.
pub async fn delete_expired_sessions(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    expired_before: Timestamp,
    limit: u32,
) -> Result<u64> {
    let sql = "delete from sessions where project_id = $1 and session_id in \
               (select session_id from sessions where project_id = $1 and expires_at < $2 order by expires_at limit $3)";
    let delete = statement(sql).bind(project.as_str()).bind(expired_before.micros()).bind(i64::from(limit));
    conn.execute(delete).await
}

/// Deletes sessions that were ended before `ended_before`, at most `limit`; says how many.
pub async fn delete_ended_sessions(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    ended_before: Timestamp,
    limit: u32,
) -> Result<u64> {
    let sql = "delete from sessions where project_id = $1 and session_id in \
               (select session_id from sessions where project_id = $1 and ended_at is not null and ended_at < $2 \
               order by ended_at limit $3)";
    let delete = statement(sql).bind(project.as_str()).bind(ended_before.micros()).bind(i64::from(limit));
    conn.execute(delete).await
}
