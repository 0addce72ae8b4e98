//! Secrets of confidential clients, as hashes.

use countersign_crypto::client_secret::ClientSecretHash;
use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, KeyId, ProjectId},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// A client's secret as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredClientSecret {
    /// Where.
    pub project: ProjectId,
    /// Its name: never the secret.
    pub id: KeyId,
    /// Whose it is.
    pub client: ClientId,
    /// As much of it as may be shown.
    pub prefix: String,
    /// What it is known by.
    pub hash: ClientSecretHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Since when it is worthless.
    pub revoked_at: Option<Timestamp>,
}

impl StoredClientSecret {
    /// Does it still work?
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.expires_at.is_some_and(|end| end.is_past(now))
    }
}

/// Writes a new secret.
pub async fn insert(conn: &mut Conn<'_>, secret: &StoredClientSecret) -> Result<()> {
    let sql = "insert into client_secrets (project_id, secret_id, client_id, prefix, secret_hash, created_at, \
               expires_at, revoked_at) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let insert = statement(sql)
        .bind(secret.project.as_str())
        .bind(secret.id.to_string())
        .bind(secret.client.as_str())
        .bind(secret.prefix.as_str())
        .bind(secret.hash.to_text())
        .bind(secret.created_at.micros())
        .bind(secret.expires_at.map(Timestamp::micros))
        .bind(secret.revoked_at.map(Timestamp::micros));
    conn.execute(insert).await?;
    Ok(())
}

/// All secrets of a project's clients, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<StoredClientSecret>> {
    let sql = "select * from client_secrets where project_id = $1 order by secret_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Makes a client's secret worthless; `false` where there is none, or it was already.
pub async fn revoke(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    client: &ClientId,
    id: KeyId,
    now: Timestamp,
) -> Result<bool> {
    let sql = "update client_secrets set revoked_at = $4 \
               where project_id = $1 and secret_id = $2 and client_id = $3 and revoked_at is null";
    let revoke = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(client.as_str()).bind(now.micros());
    Ok(conn.execute(revoke).await? == 1)
}

fn read(row: &AnyRow) -> Result<StoredClientSecret> {
    let row = Reader::new(row, "client_secrets", &["secret_id"]);
    Ok(StoredClientSecret {
        project: row.parsed("project_id")?,
        id: row.parsed("secret_id")?,
        client: row.parsed("client_id")?,
        prefix: row.text("prefix")?,
        hash: row.read("secret_hash", ClientSecretHash::from_text)?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}
