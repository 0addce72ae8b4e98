//! Keys of the client API: publishable ones as they are, those that prove users sealed.

use countersign_domain::{
    client_api_key::ClientApiKey,
    clock::Timestamp,
    id::{KeyId, ProjectId},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A key as it is kept.
#[derive(Clone)]
pub struct StoredClientApiKey {
    /// The key.
    pub key: ClientApiKey,
    /// A publishable key itself; an HMAC secret sealed.
    pub material: String,
}

/// Writes a new key.
pub async fn insert(conn: &mut Conn<'_>, stored: &StoredClientApiKey) -> Result<()> {
    let sql = "insert into client_api_keys (project_id, key_id, kind, name, prefix, material, generation, \
               created_at, expires_at, revoked_at, last_used_at, replaced_by) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let key = &stored.key;
    let insert = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.kind.as_str())
        .bind(key.name.as_str())
        .bind(key.prefix.as_str())
        .bind(stored.material.as_str())
        .bind(i64::from(key.generation))
        .bind(key.created_at.micros())
        .bind(key.expires_at.map(Timestamp::micros))
        .bind(key.revoked_at.map(Timestamp::micros))
        .bind(key.last_used_at.map(Timestamp::micros))
        .bind(key.replaced_by.map(|id| id.to_string()));
    conn.execute(insert).await?;
    Ok(())
}

/// A key, by its id.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId) -> Result<Option<StoredClientApiKey>> {
    let sql = "select * from client_api_keys where project_id = $1 and key_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    row.as_ref().map(read).transpose()
}

/// All keys of a project, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<StoredClientApiKey>> {
    let sql = "select * from client_api_keys where project_id = $1 order by key_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Revokes everything that was proved under a key.
pub async fn raise_generation(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId) -> Result<()> {
    let sql = "update client_api_keys set generation = generation + 1 where project_id = $1 and key_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    Ok(())
}

/// Writes a key's name and state; the generation only moves by [`raise_generation`], the last use by [`touch`].
pub async fn update(conn: &mut Conn<'_>, key: &ClientApiKey) -> Result<()> {
    let sql = "update client_api_keys set name = $3, expires_at = $4, revoked_at = $5, replaced_by = $6 \
               where project_id = $1 and key_id = $2";
    let update = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.name.as_str())
        .bind(key.expires_at.map(Timestamp::micros))
        .bind(key.revoked_at.map(Timestamp::micros))
        .bind(key.replaced_by.map(|id| id.to_string()));
    conn.execute(update).await?;
    Ok(())
}

/// Notes that a key was used. Never moves back: two nodes note at different times.
pub async fn touch(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId, at: Timestamp) -> Result<()> {
    let sql = "update client_api_keys set last_used_at = $3 \
               where project_id = $1 and key_id = $2 and (last_used_at is null or last_used_at < $3)";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string()).bind(at.micros())).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<StoredClientApiKey> {
    let row = Reader::new(row, "client_api_keys", &["key_id"]);
    let key = ClientApiKey {
        project: row.parsed("project_id")?,
        id: row.parsed("key_id")?,
        kind: row.parsed("kind")?,
        name: row.parsed("name")?,
        prefix: row.text("prefix")?,
        generation: row.integer("generation")?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
        last_used_at: row.optional_time("last_used_at")?,
        replaced_by: row.optional_parsed("replaced_by")?,
    };
    Ok(StoredClientApiKey { key, material: row.text("material")? })
}
