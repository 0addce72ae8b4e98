//! Our own pairs for delegated calls: one that signs and one that opens, sealed.

use countersign_domain::{
    clock::Timestamp,
    id::{KeyId, ProjectId},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A pair as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredIdpKey {
    /// Where it signs and opens.
    pub project: ProjectId,
    /// Its name: `hkid` of the credentials that were made with it.
    pub id: KeyId,
    /// The private Ed25519 key, sealed.
    pub sealed_signing_key: String,
    /// The private X25519 key, sealed.
    pub sealed_opening_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is worthless, and with it every key of a service provider that was given it.
    pub revoked_at: Option<Timestamp>,
}

/// Writes a new pair.
pub async fn insert(conn: &mut Conn<'_>, key: &StoredIdpKey) -> Result<()> {
    let sql = "insert into idp_keys (project_id, key_id, sealed_signing_key, sealed_opening_key, created_at, revoked_at) \
               values ($1, $2, $3, $4, $5, $6)";
    let insert = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.sealed_signing_key.as_str())
        .bind(key.sealed_opening_key.as_str())
        .bind(key.created_at.micros())
        .bind(key.revoked_at.map(Timestamp::micros));
    conn.execute(insert).await?;
    Ok(())
}

/// All pairs of a project, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<StoredIdpKey>> {
    let sql = "select * from idp_keys where project_id = $1 order by key_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Makes a pair worthless; `false` where there is none, or it was already.
pub async fn revoke(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId, now: Timestamp) -> Result<bool> {
    let sql = "update idp_keys set revoked_at = $3 where project_id = $1 and key_id = $2 and revoked_at is null";
    let revoke = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros());
    Ok(conn.execute(revoke).await? == 1)
}

fn read(row: &AnyRow) -> Result<StoredIdpKey> {
    let row = Reader::new(row, "idp_keys", &["key_id"]);
    Ok(StoredIdpKey {
        project: row.parsed("project_id")?,
        id: row.parsed("key_id")?,
        sealed_signing_key: row.text("sealed_signing_key")?,
        sealed_opening_key: row.text("sealed_opening_key")?,
        created_at: row.time("created_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}
