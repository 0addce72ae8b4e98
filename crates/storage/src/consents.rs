//! What users let clients know and do.

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, ProjectId, UserId},
    oauth::scope::Scopes,
};

use crate::{Conn, conn::statement, error::Result, row::Reader};

/// What a user has consented to, for a client.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, client: &ClientId) -> Result<Option<Scopes>> {
    let sql = "select * from consents where project_id = $1 and user_id = $2 and client_id = $3";
    let select = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(client.as_str());
    let row = conn.fetch_optional(select).await?;
    row.map(|row| Reader::new(&row, "consents", &["client_id"]).read("scope", |scope| Scopes::parse(scope).ok()))
        .transpose()
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
