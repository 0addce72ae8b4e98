//! Codes with which people may sign up.

use countersign_crypto::typed_code::TypedCodeHash;
use countersign_domain::{
    activation::ActivationCode,
    clock::Timestamp,
    id::{ActivationCodeId, ProjectId},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// Writes a new code.
pub async fn insert(conn: &mut Conn<'_>, code: &ActivationCode, hash: &TypedCodeHash) -> Result<()> {
    let sql = "insert into activation_codes (project_id, code_id, name, prefix, code_hash, uses, used, created_at, expires_at, \
               revoked_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let insert = statement(sql)
        .bind(code.project.as_str())
        .bind(code.id.to_string())
        .bind(code.name.as_str())
        .bind(code.prefix.as_str())
        .bind(hash.to_text())
        .bind(i64::from(code.uses))
        .bind(i64::from(code.used))
        .bind(code.created_at.micros())
        .bind(code.expires_at.map(Timestamp::micros))
        .bind(code.revoked_at.map(Timestamp::micros));
    conn.execute(insert).await?;
    Ok(())
}

/// Uses a code once; none: there is no such code, or nobody can sign up with it any more. The row is held until the transaction ends, so no
/// two take the last use.
pub async fn use_once(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    hash: &TypedCodeHash,
    now: Timestamp,
) -> Result<Option<ActivationCodeId>> {
    let sql = "update activation_codes set used = used + 1 where project_id = $1 and code_hash = $2 and used < uses \
               and revoked_at is null and (expires_at is null or expires_at > $3) returning code_id";
    let update = statement(sql).bind(project.as_str()).bind(hash.to_text()).bind(now.micros());
    let row = conn.fetch_optional(update).await?;
    row.map(|row| Reader::new(&row, "activation_codes", &["code_id"]).parsed("code_id")).transpose()
}

/// All codes of a project, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<ActivationCode>> {
    let sql = "select * from activation_codes where project_id = $1 order by code_id";
    conn.fetch_all(statement(sql).bind(project.as_str())).await?.iter().map(read).collect()
}

/// Ends a code; `false`: there is none, or it was ended before.
pub async fn revoke(conn: &mut Conn<'_>, project: &ProjectId, id: ActivationCodeId, now: Timestamp) -> Result<bool> {
    let sql =
        "update activation_codes set revoked_at = $3 where project_id = $1 and code_id = $2 and revoked_at is null";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

fn read(row: &AnyRow) -> Result<ActivationCode> {
    let row = Reader::new(row, "activation_codes", &["code_id"]);
    Ok(ActivationCode {
        project: row.parsed("project_id")?,
        id: row.parsed("code_id")?,
        name: row.parsed("name")?,
        prefix: row.text("prefix")?,
        uses: row.integer("uses")?,
        used: row.integer("used")?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}
