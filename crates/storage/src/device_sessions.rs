//! Which sessions of apps were opened by which passkey. A row is written with the code that opens the session, so that whoever opens a session
//! needn't.

use countersign_domain::{
    clock::Timestamp,
    id::{PasskeyId, ProjectId, SessionId},
};

use crate::{Conn, authorization_codes, conn::statement, error::Result, row::Reader};

/// A code was issued that opens this session, for somebody who was proved by this passkey. `expires_at`: when the session is over at the latest.
pub async fn insert(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    passkey: PasskeyId,
    session: SessionId,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "insert into device_sessions (project_id, passkey_id, session_id, expires_at) values ($1, $2, $3, $4)";
    let insert = statement(sql)
        .bind(project.as_str())
        .bind(passkey.to_string())
        .bind(session.to_string())
        .bind(expires_at.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// Sessions that this passkey opened and that haven't been ended, at most so many that one statement tells them.
pub async fn list_live(conn: &mut Conn<'_>, project: &ProjectId, passkey: PasskeyId) -> Result<Vec<SessionId>> {
    let sql = "select s.project_id, s.session_id from device_sessions d \
               join sessions s on s.project_id = d.project_id and s.session_id = d.session_id \
               where d.project_id = $1 and d.passkey_id = $2 and s.ended_at is null order by s.session_id limit 1000";
    let select = statement(sql).bind(project.as_str()).bind(passkey.to_string());
    let rows = conn.fetch_all(select).await?;
    rows.iter().map(|row| Reader::new(row, "sessions", &["session_id"]).parsed("session_id")).collect()
}

/// As for all codes of a client: those that are live are found first.
pub(crate) const SPEND_CODES: &str = "insert into spent (project_id, purpose, value_hash, expires_at) \
    select live.project_id, $4, live.code_hash, live.expires_at from \
    (select * from authorization_codes where expires_at > $3 order by expires_at limit 1000000) live \
    join device_sessions d on d.project_id = live.project_id and d.session_id = live.session_id \
    where live.project_id = $1 and d.passkey_id = $2 on conflict do nothing";

/// Spends all live codes that were issued to somebody who was proved by this passkey.
pub async fn spend_codes(conn: &mut Conn<'_>, project: &ProjectId, passkey: PasskeyId, now: Timestamp) -> Result<u64> {
    let insert = statement(SPEND_CODES)
        .bind(project.as_str())
        .bind(passkey.to_string())
        .bind(now.micros())
        .bind(authorization_codes::SPENT_AS);
    conn.execute(insert).await
}

/// Forgets what a passkey opened.
pub async fn delete_of_passkey(conn: &mut Conn<'_>, project: &ProjectId, passkey: PasskeyId) -> Result<()> {
    let sql = "delete from device_sessions where project_id = $1 and passkey_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(passkey.to_string())).await?;
    Ok(())
}

/// Forgets what a user's passkeys opened.
pub(crate) const DELETE_OF_USER: &str = "delete from device_sessions where project_id = $1 and passkey_id in \
    (select passkey_id from passkeys where project_id = $1 and user_id = $2)";

pub(crate) const DELETE_EXPIRED: &str = "delete from device_sessions where (project_id, passkey_id, session_id) in \
    (select d.project_id, d.passkey_id, d.session_id from device_sessions d where d.expires_at <= $1 and not exists \
    (select 1 from sessions s where s.project_id = d.project_id and s.session_id = d.session_id) \
    order by d.expires_at limit $2)";

/// Forgets what was over before and has no session any more, of whatever project, at most `limit`; says how many.
pub async fn delete_expired(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    conn.execute(statement(DELETE_EXPIRED).bind(before.micros()).bind(i64::from(limit))).await
}
