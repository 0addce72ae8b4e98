//! Second factors that wait for their user's code.

use countersign_crypto::one_time_code::OneTimeCodeHash;
use countersign_domain::{
    clock::Timestamp,
    id::{ChallengeId, ClientId, ProjectId, UserId},
    identity::{Identity, IdentityKind},
    mfa::FactorKind,
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, messages, row::Reader};

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMfaChange {
    /// Where.
    pub project: ProjectId,
    /// What the code is bound to.
    pub id: ChallengeId,
    /// Whose factor it is to be.
    pub user: UserId,
    /// Whose backend wants it.
    pub client: ClientId,
    /// What is to be.
    pub method: FactorKind,
    /// Where its codes go, where they are sent.
    pub contact: Option<Identity>,
    /// By what the code is recognised.
    pub proof: AwaitedCode,
    /// When it began.
    pub created_at: Timestamp,
    /// From when on it is over.
    pub expires_at: Timestamp,
}

/// By what a code is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwaitedCode {
    /// An app counts it from this, which is sealed.
    Counted(String),
    /// It was sent.
    Sent(OneTimeCodeHash),
}

/// Who has to be right.
#[derive(Debug, Clone)]
pub struct SoughtChange {
    /// Where.
    pub project: ProjectId,
    /// Which.
    pub id: ChallengeId,
    /// Whose.
    pub user: UserId,
    /// By whose backend.
    pub client: ClientId,
}

/// Writes a new one. Those are over that the same backend began before for the user, and no message need arrive any more that tells their codes.
pub async fn insert(conn: &mut Conn<'_>, change: &StoredMfaChange) -> Result<()> {
    let delete =
        "delete from mfa_changes where project_id = $1 and user_id = $2 and client_id = $3 returning change_id";
    let delete =
        statement(delete).bind(change.project.as_str()).bind(change.user.to_string()).bind(change.client.as_str());
    let rows = conn.fetch_all(delete).await?;
    let read = |row| Reader::new(row, "mfa_changes", &["change_id"]).parsed("change_id");
    let over = rows.iter().map(read).collect::<Result<Vec<ChallengeId>>>()?;
    messages::withdraw_codes(conn, &change.project, &over, change.created_at).await?;
    let (sealed_seed, code_hash) = match &change.proof {
        AwaitedCode::Counted(sealed) => (Some(sealed.as_str()), None),
        AwaitedCode::Sent(hash) => (None, Some(hash.as_str())),
    };
    let sql = "insert into mfa_changes (project_id, change_id, user_id, client_id, method, contact, sealed_seed, code_hash, \
               tries, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)";
    let insert = statement(sql)
        .bind(change.project.as_str())
        .bind(change.id.to_string())
        .bind(change.user.to_string())
        .bind(change.client.as_str())
        .bind(change.method.as_str())
        .bind(change.contact.as_ref().map(|contact| contact.value().to_owned()))
        .bind(sealed_seed)
        .bind(code_hash)
        .bind(change.created_at.micros())
        .bind(change.expires_at.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// One that waits, as it stands. Only to get ready: whoever finishes it counts a try.
pub async fn find(conn: &mut Conn<'_>, sought: &SoughtChange) -> Result<Option<StoredMfaChange>> {
    let sql = "select * from mfa_changes where project_id = $1 and change_id = $2 and user_id = $3 and client_id = $4";
    let select = statement(sql)
        .bind(sought.project.as_str())
        .bind(sought.id.to_string())
        .bind(sought.user.to_string())
        .bind(sought.client.as_str());
    conn.fetch_optional(select).await?.as_ref().map(read).transpose()
}

/// Counts a try, if there is one left, and gives what its code is recognised by. It is held until the transaction ends, so that of two who show the
/// same code one comes after the other.
pub async fn count_try(
    conn: &mut Conn<'_>,
    sought: &SoughtChange,
    most_tries: u32,
    now: Timestamp,
) -> Result<Option<StoredMfaChange>> {
    let sql = "update mfa_changes set tries = tries + 1 where project_id = $1 and change_id = $2 and user_id = $3 \
               and client_id = $4 and expires_at > $5 and tries < $6 returning *";
    let update = statement(sql)
        .bind(sought.project.as_str())
        .bind(sought.id.to_string())
        .bind(sought.user.to_string())
        .bind(sought.client.as_str())
        .bind(now.micros())
        .bind(i64::from(most_tries));
    conn.fetch_optional(update).await?.as_ref().map(read).transpose()
}

/// Uses one up; no message need arrive any more that tells its code.
pub async fn delete(conn: &mut Conn<'_>, sought: &SoughtChange, now: Timestamp) -> Result<()> {
    let sql = "delete from mfa_changes where project_id = $1 and change_id = $2";
    conn.execute(statement(sql).bind(sought.project.as_str()).bind(sought.id.to_string())).await?;
    messages::withdraw_codes(conn, &sought.project, &[sought.id], now).await
}

pub(crate) const DELETE_OF_USER: &str = "delete from mfa_changes where project_id = $1 and user_id = $2";

/// Forgets what is over, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, now: Timestamp, limit: u32) -> Result<u64> {
    let sql = "delete from mfa_changes where (project_id, change_id) in \
               (select project_id, change_id from mfa_changes where expires_at <= $1 order by expires_at limit $2)";
    conn.execute(statement(sql).bind(now.micros()).bind(i64::from(limit))).await
}

fn read(row: &AnyRow) -> Result<StoredMfaChange> {
    let row = Reader::new(row, "mfa_changes", &["change_id"]);
    let method: FactorKind = row.parsed("method")?;
    let contact = |value: &str| match method {
        FactorKind::Totp => None,
        FactorKind::Sms => Identity::parse(IdentityKind::Phone, value).ok(),
        FactorKind::Email => Identity::parse(IdentityKind::Email, value).ok(),
    };
    let proof = match (row.optional_text("sealed_seed")?, row.optional_text("code_hash")?) {
        (Some(sealed), None) => AwaitedCode::Counted(sealed),
        (None, Some(hash)) => AwaitedCode::Sent(OneTimeCodeHash::from_text(hash)),
        _ => return Err(row.corrupt("code_hash")),
    };
    Ok(StoredMfaChange {
        project: row.parsed("project_id")?,
        id: row.parsed("change_id")?,
        user: row.parsed("user_id")?,
        client: row.parsed("client_id")?,
        method,
        contact: row.optional_read("contact", contact)?,
        proof,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
