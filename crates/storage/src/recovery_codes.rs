//! Codes that let users in without their second factor, each once.

use countersign_crypto::typed_code::TypedCodeHash;
use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, UserId},
};

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// Gives a user these codes, and no others from now on.
pub async fn replace(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    hashes: &[TypedCodeHash],
    now: Timestamp,
) -> Result<()> {
    conn.execute(statement(DELETE_OF_USER).bind(project.as_str()).bind(user.to_string())).await?;
    let sql = "insert into recovery_codes (project_id, user_id, code_hash, created_at) values ($1, $2, $3, $4)";
    for hash in hashes {
        let insert =
            statement(sql).bind(project.as_str()).bind(user.to_string()).bind(hash.to_text()).bind(now.micros());
        conn.execute(insert).await?;
    }
    Ok(())
}

/// A code is used. `false`: the user has no such code, or has used it.
pub async fn spend(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    hash: TypedCodeHash,
    now: Timestamp,
) -> Result<bool> {
    let sql = "update recovery_codes set used_at = $4 where project_id = $1 and user_id = $2 and code_hash = $3 and used_at is null";
    let update = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(hash.to_text()).bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// How many a user has left.
pub async fn count(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<u32> {
    let sql =
        "select count(*) as unused from recovery_codes where project_id = $1 and user_id = $2 and used_at is null";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    row.map_or(Ok(0), |row| Reader::new(&row, "recovery_codes", &[]).integer("unused"))
}

pub(crate) const DELETE_OF_USER: &str = "delete from recovery_codes where project_id = $1 and user_id = $2";
