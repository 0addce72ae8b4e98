//! Keys of service providers: the public halves, and whose they are.

use countersign_domain::{
    clock::Timestamp,
    delegation_key::DelegationKey,
    id::{KeyId, ProjectId},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A key as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDelegationKey {
    /// The key.
    pub key: DelegationKey,
    /// What checks its signatures: 32 bytes of Ed25519 in base64url.
    pub verifying_key: String,
    /// What is sealed for its holder is sealed to this: 32 bytes of X25519 in base64url.
    pub sealing_key: String,
}

/// Writes a new key.
pub async fn insert(conn: &mut Conn<'_>, stored: &StoredDelegationKey) -> Result<()> {
    let sql = "insert into delegation_keys (project_id, key_id, client_id, idp_key_id, verifying_key, sealing_key, \
               created_at, expires_at, revoked_at, replaced_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let key = &stored.key;
    let insert = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.client.as_str())
        .bind(key.idp_key.to_string())
        .bind(stored.verifying_key.as_str())
        .bind(stored.sealing_key.as_str())
        .bind(key.created_at.micros())
        .bind(key.expires_at.map(Timestamp::micros))
        .bind(key.revoked_at.map(Timestamp::micros))
        .bind(key.replaced_by.map(|id| id.to_string()));
    conn.execute(insert).await?;
    Ok(())
}

/// A key, by its id.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId) -> Result<Option<StoredDelegationKey>> {
    let sql = "select * from delegation_keys where project_id = $1 and key_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    row.as_ref().map(read).transpose()
}

/// All keys of a project, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<StoredDelegationKey>> {
    let sql = "select * from delegation_keys where project_id = $1 order by key_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Writes a key's state: when it ends, and what came after it.
pub async fn update(conn: &mut Conn<'_>, key: &DelegationKey) -> Result<()> {
    let sql = "update delegation_keys set expires_at = $3, revoked_at = $4, replaced_by = $5 \
               where project_id = $1 and key_id = $2";
    let update = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.expires_at.map(Timestamp::micros))
        .bind(key.revoked_at.map(Timestamp::micros))
        .bind(key.replaced_by.map(|id| id.to_string()));
    conn.execute(update).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<StoredDelegationKey> {
    let row = Reader::new(row, "delegation_keys", &["key_id"]);
    let key = DelegationKey {
        project: row.parsed("project_id")?,
        id: row.parsed("key_id")?,
        client: row.parsed("client_id")?,
        idp_key: row.parsed("idp_key_id")?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
        replaced_by: row.optional_parsed("replaced_by")?,
    };
    Ok(StoredDelegationKey { key, verifying_key: row.text("verifying_key")?, sealing_key: row.text("sealing_key")? })
}
