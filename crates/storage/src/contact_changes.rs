//! Addresses and telephone numbers that users want to be known by, and have yet to prove.

use countersign_crypto::one_time_code::OneTimeCodeHash;
use countersign_domain::{
    clock::Timestamp,
    id::{BrowserSessionId, ChallengeId, ProjectId, UserId},
    identity::{Identity, IdentityKind},
};
use sqlx::any::AnyRow;

use crate::{Conn, conn::statement, error::Result, messages, row::Reader};

/// What somebody wants to be known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactChange {
    /// Where.
    pub project: ProjectId,
    /// Who.
    pub user: UserId,
    /// In which browser they asked; the code is good there alone.
    pub browser: BrowserSessionId,
    /// What the code is bound to.
    pub challenge: ChallengeId,
    /// What they want to be known by.
    pub to: Identity,
    /// In the place of what.
    pub replaces: Option<Identity>,
    /// The hash of the code that was sent there.
    pub code_hash: OneTimeCodeHash,
    /// How often a code was shown.
    pub tries: u32,
    /// When they asked.
    pub created_at: Timestamp,
    /// From when on the code is worthless.
    pub expires_at: Timestamp,
}

/// Writes a new one, in the place of any that there was of this kind: no message need tell its code any more.
pub async fn put(conn: &mut Conn<'_>, change: &ContactChange) -> Result<()> {
    let (project, kind) = (&change.project, change.to.kind());
    if let Some(before) = find(conn, project, change.user, kind).await? {
        messages::withdraw_codes(conn, project, &[before.challenge], change.created_at).await?;
    }
    let sql = "insert into contact_changes (project_id, user_id, kind, browser_session_id, challenge_id, value, replaces, \
               code_hash, tries, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
               on conflict (project_id, user_id, kind) do update set browser_session_id = excluded.browser_session_id, \
               challenge_id = excluded.challenge_id, value = excluded.value, replaces = excluded.replaces, \
               code_hash = excluded.code_hash, tries = excluded.tries, created_at = excluded.created_at, \
               expires_at = excluded.expires_at";
    let insert = statement(sql)
        .bind(project.as_str())
        .bind(change.user.to_string())
        .bind(kind.as_str())
        .bind(change.browser.to_string())
        .bind(change.challenge.to_string())
        .bind(change.to.value())
        .bind(change.replaces.as_ref().map(Identity::value))
        .bind(change.code_hash.as_str())
        .bind(i64::from(change.tries))
        .bind(change.created_at.micros())
        .bind(change.expires_at.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// What a user wants to be known by, of this kind.
pub async fn find(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    kind: IdentityKind,
) -> Result<Option<ContactChange>> {
    let sql = "select * from contact_changes where project_id = $1 and user_id = $2 and kind = $3";
    let select = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(kind.as_str());
    conn.fetch_optional(select).await?.as_ref().map(read).transpose()
}

/// What a user wants to be known by, of every kind.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Vec<ContactChange>> {
    let sql = "select * from contact_changes where project_id = $1 and user_id = $2 order by kind";
    let select = statement(sql).bind(project.as_str()).bind(user.to_string());
    conn.fetch_all(select).await?.iter().map(read).collect()
}

/// What a try of a code is about.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Where.
    pub project: ProjectId,
    /// Who.
    pub user: UserId,
    /// What is to be proved.
    pub kind: IdentityKind,
    /// In which browser.
    pub browser: BrowserSessionId,
}

/// Counts a try of the code, if it is good in this browser, and gives what it is recognised by. It is held until the transaction ends, so that of
/// two who show a code at once one comes after the other.
pub async fn count_try(
    conn: &mut Conn<'_>,
    tried: &Tried,
    most_tries: u32,
    now: Timestamp,
) -> Result<Option<ContactChange>> {
    let sql = "update contact_changes set tries = tries + 1 where project_id = $1 and user_id = $2 and kind = $3 \
               and browser_session_id = $4 and expires_at > $5 and tries < $6 returning *";
    let update = statement(sql)
        .bind(tried.project.as_str())
        .bind(tried.user.to_string())
        .bind(tried.kind.as_str())
        .bind(tried.browser.to_string())
        .bind(now.micros())
        .bind(i64::from(most_tries));
    conn.fetch_optional(update).await?.as_ref().map(read).transpose()
}

/// It has come to its end: no message need tell its code any more.
pub async fn delete(conn: &mut Conn<'_>, change: &ContactChange, now: Timestamp) -> Result<()> {
    let sql = "delete from contact_changes where project_id = $1 and user_id = $2 and kind = $3";
    let delete =
        statement(sql).bind(change.project.as_str()).bind(change.user.to_string()).bind(change.to.kind().as_str());
    conn.execute(delete).await?;
    messages::withdraw_codes(conn, &change.project, &[change.challenge], now).await
}

pub(crate) const DELETE_OF_USER: &str = "delete from contact_changes where project_id = $1 and user_id = $2";

/// Forgets those whose time was over before, of whatever project, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "delete from contact_changes where (project_id, user_id, kind) in \
               (select project_id, user_id, kind from contact_changes where expires_at <= $1 order by expires_at limit $2)";
    conn.execute(statement(sql).bind(before.micros()).bind(i64::from(limit))).await
}

fn read(row: &AnyRow) -> Result<ContactChange> {
    let row = Reader::new(row, "contact_changes", &["user_id", "kind"]);
    let kind = row.parsed::<IdentityKind>("kind")?;
    let identity = |value: &str| Identity::parse(kind, value).ok();
    Ok(ContactChange {
        project: row.parsed("project_id")?,
        user: row.parsed("user_id")?,
        browser: row.parsed("browser_session_id")?,
        challenge: row.parsed("challenge_id")?,
        to: row.read("value", identity)?,
        replaces: row.optional_read("replaces", identity)?,
        code_hash: OneTimeCodeHash::from_text(row.text("code_hash")?),
        tries: row.integer("tries")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
