//! Passkeys.

use std::time::Duration;

use countersign_domain::{
    clock::Timestamp,
    id::{PasskeyId, ProjectId, UserId},
    passkey::Passkey,
    text::Name,
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::{built_statement, statement},
    error::Result,
    row::Reader,
};

/// Attempts with a revoked passkey are written down at most so often: nobody is to be kept busy with it.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(10);

/// A passkey, with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// What its authenticator knows it by, in base64url.
    pub credential_id: String,
    /// Its public key and what the authenticator said of it, as JSON.
    pub credential: String,
}

/// What changes when a passkey is used.
#[derive(Debug, Clone)]
pub struct Use {
    /// Where.
    pub project: ProjectId,
    /// Which.
    pub id: PasskeyId,
    /// Whose it must be.
    pub user: UserId,
    /// What the authenticator has counted to.
    pub sign_count: u32,
    /// Is there another copy?
    pub is_backed_up: bool,
    /// What the program calls itself that shows it.
    pub user_agent: String,
    /// When.
    pub at: Timestamp,
}

/// Writes a new one. `Taken`: some user of the project has it.
pub async fn insert(conn: &mut Conn<'_>, stored: &StoredPasskey) -> Result<()> {
    let sql = "insert into passkeys (project_id, passkey_id, user_id, credential_id, credential, name, kept, sign_count, \
               backed_up_at, created_at, last_used_at, last_attempted_at, revoked_at, user_agent) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let passkey = &stored.passkey;
    let insert = statement(sql)
        .bind(passkey.project.as_str())
        .bind(passkey.id.to_string())
        .bind(passkey.user.to_string())
        .bind(stored.credential_id.as_str())
        .bind(stored.credential.as_str())
        .bind(passkey.name.as_str())
        .bind(passkey.kept.as_str())
        .bind(i64::from(passkey.sign_count))
        .bind(passkey.backed_up_at.map(Timestamp::micros))
        .bind(passkey.created_at.micros())
        .bind(passkey.last_used_at.map(Timestamp::micros))
        .bind(passkey.last_attempted_at.map(Timestamp::micros))
        .bind(passkey.revoked_at.map(Timestamp::micros))
        .bind(passkey.user_agent.as_str());
    conn.execute(insert).await?;
    Ok(())
}

/// The passkey that an authenticator knows by this.
pub async fn find_by_credential(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    credential_id: &str,
) -> Result<Option<StoredPasskey>> {
    let sql = "select * from passkeys where project_id = $1 and credential_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(credential_id)).await?;
    row.as_ref().map(read).transpose()
}

/// All passkeys of a user, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Vec<StoredPasskey>> {
    let sql = "select * from passkeys where project_id = $1 and user_id = $2 order by passkey_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str()).bind(user.to_string())).await?;
    rows.iter().map(read).collect()
}

/// A passkey is used. `false`: it is gone or revoked, or another use has counted as far in the meantime. A count that doesn't rise shows that two hold the
/// key, unless the authenticator doesn't count at all (WebAuthn §6.1.1).
pub async fn record_use(conn: &mut Conn<'_>, used: &Use) -> Result<bool> {
    let sql = "update passkeys set sign_count = $4, last_used_at = $5, last_attempted_at = $5, user_agent = $7, \
               backed_up_at = case when cast($6 as bigint) = 1 then coalesce(backed_up_at, $5) else null end \
               where project_id = $1 and passkey_id = $2 and user_id = $3 and revoked_at is null \
               and (sign_count < $4 or (sign_count = 0 and $4 = 0))";
    let update = statement(sql)
        .bind(used.project.as_str())
        .bind(used.id.to_string())
        .bind(used.user.to_string())
        .bind(i64::from(used.sign_count))
        .bind(used.at.micros())
        .bind(i64::from(used.is_backed_up))
        .bind(used.user_agent.as_str());
    Ok(conn.execute(update).await? == 1)
}

/// A revoked passkey is shown all the same: that is remembered, as often as every few seconds.
pub async fn record_attempt(conn: &mut Conn<'_>, shown: &Use) -> Result<()> {
    let sql = "update passkeys set last_attempted_at = $4, user_agent = $5 \
               where project_id = $1 and passkey_id = $2 and user_id = $3 and revoked_at is not null \
               and (last_attempted_at is null or last_attempted_at = last_used_at or last_attempted_at <= $6)";
    let update = statement(sql)
        .bind(shown.project.as_str())
        .bind(shown.id.to_string())
        .bind(shown.user.to_string())
        .bind(shown.at.micros())
        .bind(shown.user_agent.as_str())
        .bind(shown.at.minus(BETWEEN_ATTEMPTS).micros());
    conn.execute(update).await?;
    Ok(())
}

/// One of a user's passkeys.
pub async fn find(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    id: PasskeyId,
) -> Result<Option<StoredPasskey>> {
    let sql = "select * from passkeys where project_id = $1 and passkey_id = $2 and user_id = $3";
    let select = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(user.to_string());
    conn.fetch_optional(select).await?.as_ref().map(read).transpose()
}

/// May a user be proved by this passkey? Nobody changes that until the transaction ends.
pub async fn hold_live(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, id: PasskeyId) -> Result<bool> {
    let held = conn.engine.holding();
    let sql = format!(
        "select passkey_id from passkeys where project_id = $1 and passkey_id = $2 and user_id = $3 \
         and revoked_at is null {held}"
    );
    let select = built_statement(sql).bind(project.as_str()).bind(id.to_string()).bind(user.to_string());
    Ok(conn.fetch_optional(select).await?.is_some())
}

/// From now on it proves nobody. `false`: the user has none of this id, or it was revoked before.
pub async fn revoke(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    id: PasskeyId,
    now: Timestamp,
) -> Result<bool> {
    let sql = "update passkeys set revoked_at = $4 \
               where project_id = $1 and passkey_id = $2 and user_id = $3 and revoked_at is null";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(user.to_string()).bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// It proves its user again. `false`: the user has none of this id, or it wasn't revoked.
pub async fn unrevoke(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, id: PasskeyId) -> Result<bool> {
    let sql = "update passkeys set revoked_at = null \
               where project_id = $1 and passkey_id = $2 and user_id = $3 and revoked_at is not null";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(user.to_string());
    Ok(conn.execute(update).await? == 1)
}

/// Calls a user's passkey something else; `false`: the user has none of this id.
pub async fn rename(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    id: PasskeyId,
    name: &Name,
) -> Result<bool> {
    let sql = "update passkeys set name = $4 where project_id = $1 and passkey_id = $2 and user_id = $3";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(user.to_string()).bind(name.as_str());
    Ok(conn.execute(update).await? == 1)
}

/// Takes a passkey from a user; `false`: the user has none of this id.
pub async fn delete(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, id: PasskeyId) -> Result<bool> {
    let sql = "delete from passkeys where project_id = $1 and passkey_id = $2 and user_id = $3";
    let delete = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(user.to_string());
    Ok(conn.execute(delete).await? == 1)
}

pub(crate) const DELETE_OF_USER: &str = "delete from passkeys where project_id = $1 and user_id = $2";

/// Takes all passkeys from a user; says how many.
pub async fn delete_of_user(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<u64> {
    conn.execute(statement(DELETE_OF_USER).bind(project.as_str()).bind(user.to_string())).await
}

fn read(row: &AnyRow) -> Result<StoredPasskey> {
    let row = Reader::new(row, "passkeys", &["passkey_id"]);
    Ok(StoredPasskey {
        passkey: Passkey {
            project: row.parsed("project_id")?,
            id: row.parsed("passkey_id")?,
            user: row.parsed("user_id")?,
            name: row.parsed("name")?,
            kept: row.parsed("kept")?,
            sign_count: row.integer("sign_count")?,
            backed_up_at: row.optional_time("backed_up_at")?,
            created_at: row.time("created_at")?,
            last_used_at: row.optional_time("last_used_at")?,
            last_attempted_at: row.optional_time("last_attempted_at")?,
            revoked_at: row.optional_time("revoked_at")?,
            user_agent: row.optional_text("user_agent")?.unwrap_or_default(),
        },
        credential_id: row.text("credential_id")?,
        credential: row.text("credential")?,
    })
}
