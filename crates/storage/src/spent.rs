//! What works once, and was used.

use countersign_domain::{clock::Timestamp, id::ProjectId};

use crate::{Conn, conn::statement, error::Result};

/// Spends something that works once, known by its hash, in the transaction of what it buys. `false`: it was spent already. It must be kept
/// for as long as it would be taken: until `expires_at`.
pub async fn spend(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    purpose: &str,
    hash: &str,
    expires_at: Timestamp,
) -> Result<bool> {
    let sql = "insert into spent (project_id, purpose, value_hash, expires_at) values ($1, $2, $3, $4) \
               on conflict do nothing";
    let insert = statement(sql).bind(project.as_str()).bind(purpose).bind(hash).bind(expires_at.micros());
    Ok(conn.execute(insert).await? == 1)
}

/// Is it spent? Only for who wants to know: whoever sells something spends.
pub async fn is_spent(conn: &mut Conn<'_>, project: &ProjectId, purpose: &str, hash: &str) -> Result<bool> {
    let sql = "select expires_at from spent where project_id = $1 and purpose = $2 and value_hash = $3";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(purpose).bind(hash)).await?;
    Ok(row.is_some())
}

pub(crate) const DELETE_EXPIRED: &str = "delete from spent where (project_id, purpose, value_hash) in \
    (select project_id, purpose, value_hash from spent where expires_at <= $1 order by expires_at limit $2)";

/// Forgets what can't come again, of whatever project, at most `limit`; says how much.
pub async fn delete_expired(conn: &mut Conn<'_>, now: Timestamp, limit: u32) -> Result<u64> {
    conn.execute(statement(DELETE_EXPIRED).bind(now.micros()).bind(i64::from(limit))).await
}
