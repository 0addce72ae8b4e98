//! The numbers of the keys under which a project's refresh tokens are authentic.

use countersign_domain::{
    clock::Timestamp,
    id::{MacKeyId, ProjectId},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A MAC key's number and state; the key itself is derived from the master key.
#[derive(Debug, Clone, Copy)]
pub struct StoredMacKey {
    /// Its number.
    pub id: MacKeyId,
    /// Since when tokens are made under it.
    pub created_at: Timestamp,
    /// Since when tokens made under it are worthless.
    pub revoked_at: Option<Timestamp>,
}

/// Writes the project's next key; tokens are made under it from now on.
pub async fn insert_next(conn: &mut Conn<'_>, project: &ProjectId, now: Timestamp) -> Result<MacKeyId> {
    let sql = "insert into mac_keys (project_id, mac_key_id, created_at, revoked_at) \
               select $1, coalesce(max(mac_key_id), 0) + 1, cast($2 as bigint), cast(null as bigint) from mac_keys where project_id = $1 \
               returning mac_key_id";
    let row = conn.fetch_one(statement(sql).bind(project.as_str()).bind(now.micros())).await?;
    Ok(MacKeyId(Reader::new(&row, "mac_keys", &[]).integer("mac_key_id")?))
}

/// All keys of a project, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<StoredMacKey>> {
    let sql = "select * from mac_keys where project_id = $1 order by mac_key_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Makes every token worthless that was made under a key; `false` where it was revoked already or never was.
pub async fn revoke(conn: &mut Conn<'_>, project: &ProjectId, id: MacKeyId, now: Timestamp) -> Result<bool> {
    let sql = "update mac_keys set revoked_at = $3 where project_id = $1 and mac_key_id = $2 and revoked_at is null";
    let revoke = statement(sql).bind(project.as_str()).bind(i64::from(id.0)).bind(now.micros());
    Ok(conn.execute(revoke).await? == 1)
}

fn read(row: &AnyRow) -> Result<StoredMacKey> {
    let row = Reader::new(row, "mac_keys", &["mac_key_id"]);
    Ok(StoredMacKey {
        id: MacKeyId(row.integer("mac_key_id")?),
        created_at: row.time("created_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}
