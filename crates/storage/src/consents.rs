//! What users let clients know and do.

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, ProjectId, UserId},
    oauth::scope::Scopes,
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::{built_statement, statement},
    error::Result,
    row::Reader,
};

/// What a user lets a client know and do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The client.
    pub client: ClientId,
    /// What.
    pub scope: Scopes,
    /// Since when, or since when so much.
    pub given_at: Timestamp,
}

/// What a user has consented to, for a client. Nobody takes it back until the transaction ends.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, client: &ClientId) -> Result<Option<Scopes>> {
    let held = conn.engine.holding();
    let sql = format!("select * from consents where project_id = $1 and user_id = $2 and client_id = $3 {held}");
    let select = built_statement(sql).bind(project.as_str()).bind(user.to_string()).bind(client.as_str());
    let row = conn.fetch_optional(select).await?;
    row.map(|row| Ok(read(&row)?.scope)).transpose()
}

/// All that a user has consented to, the newest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Vec<Consent>> {
    let sql = "select * from consents where project_id = $1 and user_id = $2 order by given_at desc, client_id";
    let select = statement(sql).bind(project.as_str()).bind(user.to_string());
    conn.fetch_all(select).await?.iter().map(read).collect()
}

/// Takes back what a user consented to, for a client. `false`: there was nothing.
pub async fn delete(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, client: &ClientId) -> Result<bool> {
    let sql = "delete from consents where project_id = $1 and user_id = $2 and client_id = $3";
    let delete = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(client.as_str());
    Ok(conn.execute(delete).await? == 1)
}

/// Writes down what a user consents to, in the place of what they consented to before.
pub async fn put(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    client: &ClientId,
    scope: &Scopes,
    now: Timestamp,
) -> Result<()> {
    let sql = "insert into consents (project_id, user_id, client_id, scope, given_at) values ($1, $2, $3, $4, $5) \
               on conflict (project_id, user_id, client_id) do update set scope = excluded.scope, given_at = excluded.given_at";
    let insert = statement(sql)
        .bind(project.as_str())
        .bind(user.to_string())
        .bind(client.as_str())
        .bind(scope.to_string())
        .bind(now.micros());
    conn.execute(insert).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Consent> {
    let row = Reader::new(row, "consents", &["user_id", "client_id"]);
    Ok(Consent {
        client: row.parsed("client_id")?,
        scope: row.read("scope", |scope| Scopes::parse(scope).ok())?,
        given_at: row.time("given_at")?,
    })
}
