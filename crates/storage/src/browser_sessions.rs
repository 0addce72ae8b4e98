//! Browsers in which somebody is signed in.

use countersign_crypto::browser_cookie::CookieHash;
use countersign_domain::{
    browser_session::BrowserSession,
    clock::Timestamp,
    generations::Generations,
    id::{BrowserSessionId, PasskeyId, ProjectId, UserId},
    proof::Method,
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::{built_statement, statement},
    error::Result,
    row::{Reader, to_json},
};

/// Writes a new one, with the user's revocation counter as it stands, known by this cookie. `false`: there is no such user, or nobody may be
/// signed in as this one.
pub async fn insert(conn: &mut Conn<'_>, session: &BrowserSession, cookie: CookieHash) -> Result<bool> {
    let sql = "insert into browser_sessions (project_id, browser_session_id, secret_hash, user_id, amr, acr, auth_time, \
               user_generation, project_generation, user_agent, created_at, expires_at, passkey_id) \
               select u.project_id, $2, $3, u.user_id, $5, $6, $7, u.generation, $8, $9, $10, $11, $12 from users u \
               where u.project_id = $1 and u.user_id = $4 and u.disabled_at is null and u.merged_into is null";
    let amr: Vec<&str> = session.proof.methods.iter().map(Method::as_str).collect();
    let insert = statement(sql)
        .bind(session.project.as_str())
        .bind(session.id.to_string())
        .bind(cookie.to_text())
        .bind(session.user.to_string())
        .bind(to_json(&amr))
        .bind(session.proof.level.as_str())
        .bind(session.proof.at.micros())
        .bind(i64::from(session.generations.project))
        .bind(session.user_agent.as_str())
        .bind(session.created_at.micros())
        .bind(session.expires_at.micros())
        .bind(session.passkey.map(|id| id.to_string()));
    Ok(conn.execute(insert).await? == 1)
}

/// A browser session as it was read, and where its user's revocation counter stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBrowserSession {
    /// The session.
    pub session: BrowserSession,
    /// The user's counter.
    pub user_generation: u32,
}

/// The session that is known by this cookie, whose user may sign in.
pub async fn find(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: BrowserSessionId,
    cookie: CookieHash,
) -> Result<Option<StoredBrowserSession>> {
    let sql = "select b.*, u.generation as user_generation_now from browser_sessions b \
               join users u on u.project_id = b.project_id and u.user_id = b.user_id \
               where b.project_id = $1 and b.browser_session_id = $2 and b.secret_hash = $3 and b.ended_at is null \
               and u.disabled_at is null and u.merged_into is null";
    let select = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(cookie.to_text());
    conn.fetch_optional(select).await?.as_ref().map(read_with_counter).transpose()
}

/// The browsers in which a user is signed in, the newest first, at most `limit`.
pub async fn list(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<StoredBrowserSession>> {
    let sql = "select b.*, u.generation as user_generation_now from browser_sessions b \
               join users u on u.project_id = b.project_id and u.user_id = b.user_id \
               where b.project_id = $1 and b.user_id = $2 and b.ended_at is null and b.expires_at > $3 \
               order by b.created_at desc, b.browser_session_id desc limit $4";
    let select = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(now.micros()).bind(i64::from(limit));
    conn.fetch_all(select).await?.iter().map(read_with_counter).collect()
}

/// Is it alive, and whose? Nobody ends it until the transaction ends. Where the counters stand is for the caller to compare.
pub async fn hold(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: BrowserSessionId,
) -> Result<Option<StoredBrowserSession>> {
    let held = conn.engine.holding();
    let of = if held.is_empty() { "" } else { "of b" };
    let sql = format!(
        "select b.*, u.generation as user_generation_now from browser_sessions b \
         join users u on u.project_id = b.project_id and u.user_id = b.user_id \
         where b.project_id = $1 and b.browser_session_id = $2 and b.ended_at is null {held} {of}"
    );
    let select = built_statement(sql).bind(project.as_str()).bind(id.to_string());
    conn.fetch_optional(select).await?.as_ref().map(read_with_counter).transpose()
}

/// Keeps what there is of a passkey's challenge until its answer comes, in the place of any before.
pub async fn keep_passkey_state(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: BrowserSessionId,
    state: &str,
) -> Result<()> {
    let sql = "update browser_sessions set passkey_state = $3 where project_id = $1 and browser_session_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string()).bind(state)).await?;
    Ok(())
}

/// Takes up what was kept of a passkey's challenge. It is there no more, whatever comes of it.
pub async fn take_passkey_state(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: BrowserSessionId,
) -> Result<Option<String>> {
    let sql = "select browser_session_id, passkey_state from browser_sessions where project_id = $1 and browser_session_id = $2";
    let select = statement(sql).bind(project.as_str()).bind(id.to_string());
    let Some(row) = conn.fetch_optional(select).await? else { return Ok(None) };
    let state = Reader::new(&row, "browser_sessions", &["browser_session_id"]).optional_text("passkey_state")?;
    let sql = "update browser_sessions set passkey_state = null where project_id = $1 and browser_session_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    Ok(state)
}

/// Ends one of a user's, which goes then with those that are over. `false`: there is none, or it has ended.
pub async fn end(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    id: BrowserSessionId,
    now: Timestamp,
) -> Result<bool> {
    let sql = "update browser_sessions set ended_at = $4, expires_at = case when expires_at < $4 then expires_at else $4 end \
               where project_id = $1 and browser_session_id = $2 and user_id = $3 and ended_at is null";
    let update = statement(sql).bind(project.as_str()).bind(id.to_string()).bind(user.to_string()).bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// Ends all of a user's that were opened by this passkey; says which.
pub async fn end_of_passkey(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    passkey: PasskeyId,
    now: Timestamp,
) -> Result<Vec<BrowserSessionId>> {
    let sql = "update browser_sessions set ended_at = $4, expires_at = case when expires_at < $4 then expires_at else $4 end \
               where project_id = $1 and user_id = $2 and passkey_id = $3 and ended_at is null \
               returning project_id, browser_session_id";
    let update =
        statement(sql).bind(project.as_str()).bind(user.to_string()).bind(passkey.to_string()).bind(now.micros());
    let ended = conn.fetch_all(update).await?;
    let id = |row| Reader::new(row, "browser_sessions", &["browser_session_id"]).parsed("browser_session_id");
    ended.iter().map(id).collect()
}

/// Forgets those that were over before, of whatever project, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "delete from browser_sessions where (project_id, browser_session_id) in \
               (select project_id, browser_session_id from browser_sessions where expires_at <= $1 \
               order by expires_at limit $2)";
    conn.execute(statement(sql).bind(before.micros()).bind(i64::from(limit))).await
}

fn read_with_counter(row: &AnyRow) -> Result<StoredBrowserSession> {
    let row = Reader::new(row, "browser_sessions", &["browser_session_id"]);
    let session = BrowserSession {
        project: row.parsed("project_id")?,
        id: row.parsed("browser_session_id")?,
        user: row.parsed("user_id")?,
        proof: row.proof()?,
        passkey: row.optional_parsed("passkey_id")?,
        generations: Generations {
            user: row.integer("user_generation")?,
            project: row.integer("project_generation")?,
            ..Generations::default()
        },
        user_agent: row.text("user_agent")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        ended_at: row.optional_time("ended_at")?,
    };
    Ok(StoredBrowserSession { session, user_generation: row.integer("user_generation_now")? })
}
