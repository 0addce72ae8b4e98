//! Signing keys: `next`, then `active`, then `retired` until nothing they signed can be alive.

use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, SigningKeyId},
    signing_algorithm::SigningAlgorithm,
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A signing key as its row holds it.
#[derive(Debug, Clone)]
pub struct StoredSigningKey {
    /// Where it signs.
    pub project: ProjectId,
    /// Its `kid`.
    pub id: SigningKeyId,
    /// By what it signs. Of each algorithm one key is active and one is next.
    pub algorithm: SigningAlgorithm,
    /// The public half, in base64url: the uncompressed point for ES256, the 32 bytes for `EdDSA`, `RSAPublicKey` in DER for RS256.
    pub public_key: String,
    /// The private half, sealed.
    pub sealed_private_key: String,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// Since when it signs.
    pub activated_at: Option<Timestamp>,
    /// Since when it no longer signs.
    pub retired_at: Option<Timestamp>,
    /// When nothing that it signed can be alive any more.
    pub expires_at: Option<Timestamp>,
}

impl StoredSigningKey {
    /// Does it wait for its turn?
    pub fn is_next(&self) -> bool {
        self.activated_at.is_none() && self.retired_at.is_none()
    }

    /// Does it sign?
    pub fn is_active(&self) -> bool {
        self.activated_at.is_some() && self.retired_at.is_none()
    }
}

/// Writes a new key.
pub async fn insert(conn: &mut Conn<'_>, key: &StoredSigningKey) -> Result<()> {
    let sql = "insert into signing_keys (project_id, signing_key_id, algorithm, public_key, sealed_private_key, \
               created_at, activated_at, retired_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let insert = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.algorithm.as_str())
        .bind(key.public_key.as_str())
        .bind(key.sealed_private_key.as_str())
        .bind(key.created_at.micros())
        .bind(key.activated_at.map(Timestamp::micros))
        .bind(key.retired_at.map(Timestamp::micros))
        .bind(key.expires_at.map(Timestamp::micros));
    conn.execute(insert).await?;
    Ok(())
}

/// All keys of a project, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<StoredSigningKey>> {
    let sql = "select * from signing_keys where project_id = $1 order by signing_key_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Lets a key begin to sign; `false` where it has begun already.
pub async fn activate(conn: &mut Conn<'_>, project: &ProjectId, id: SigningKeyId, now: Timestamp) -> Result<bool> {
    let sql = "update signing_keys set activated_at = $3 \
               where project_id = $1 and signing_key_id = $2 and activated_at is null and retired_at is null";
    let touched = conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros())).await?;
    Ok(touched == 1)
}

/// Lets an active key sign no more; it is forgotten after `expires_at`. `false` where it wasn't active.
pub async fn retire(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: SigningKeyId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool> {
    let sql = "update signing_keys set retired_at = $3, expires_at = $4 \
               where project_id = $1 and signing_key_id = $2 and activated_at is not null and retired_at is null";
    let retire =
        statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros()).bind(expires_at.micros());
    Ok(conn.execute(retire).await? == 1)
}

/// Forgets a key, and with it everything that it signed.
pub async fn delete(conn: &mut Conn<'_>, project: &ProjectId, id: SigningKeyId) -> Result<u64> {
    let sql = "delete from signing_keys where project_id = $1 and signing_key_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string())).await
}

/// Forgets keys that signed nothing which is still alive, and are pinned by no client; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, project: &ProjectId, now: Timestamp) -> Result<u64> {
    let sql = "delete from signing_keys where project_id = $1 and expires_at is not null and expires_at <= $2 \
               and not exists (select 1 from clients c where c.project_id = signing_keys.project_id \
               and c.settings like '%\"' || signing_keys.signing_key_id || '\"%')";
    conn.execute(statement(sql).bind(project.as_str()).bind(now.micros())).await
}

fn read(row: &AnyRow) -> Result<StoredSigningKey> {
    let row = Reader::new(row, "signing_keys", &["signing_key_id"]);
    Ok(StoredSigningKey {
        project: row.parsed("project_id")?,
        id: row.parsed("signing_key_id")?,
        algorithm: row.parsed("algorithm")?,
        public_key: row.text("public_key")?,
        sealed_private_key: row.text("sealed_private_key")?,
        created_at: row.time("created_at")?,
        activated_at: row.optional_time("activated_at")?,
        retired_at: row.optional_time("retired_at")?,
        expires_at: row.optional_time("expires_at")?,
    })
}
