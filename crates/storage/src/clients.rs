//! Clients.

use countersign_domain::{
    client::Client,
    clock::Timestamp,
    id::{ClientId, ProjectId},
    policy::Overrides,
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::statement,
    error::Result,
    row::{Reader, to_json},
};

/// Writes a new client.
pub async fn insert(conn: &mut Conn<'_>, client: &Client) -> Result<()> {
    let sql = "insert into clients (project_id, client_id, name, kind, settings, generation, created_at, updated_at, \
               disabled_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let insert = statement(sql)
        .bind(client.project.as_str())
        .bind(client.id.as_str())
        .bind(client.name.as_str())
        .bind(client.kind.as_str())
        .bind(to_json(&client.overrides))
        .bind(i64::from(client.generation))
        .bind(client.created_at.micros())
        .bind(client.updated_at.micros())
        .bind(client.disabled_at.map(Timestamp::micros));
    conn.execute(insert).await?;
    Ok(())
}

/// A client, by its id.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, id: &ClientId) -> Result<Option<Client>> {
    let sql = "select * from clients where project_id = $1 and client_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.as_str())).await?;
    row.as_ref().map(read).transpose()
}

/// All clients of a project, in order of their ids.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<Client>> {
    let sql = "select * from clients where project_id = $1 order by client_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Writes a client's settings, name and state; the generation only moves by [`raise_generation`].
pub async fn update(conn: &mut Conn<'_>, client: &Client) -> Result<()> {
    let sql = "update clients set name = $3, settings = $4, updated_at = $5, disabled_at = $6 \
               where project_id = $1 and client_id = $2";
    let update = statement(sql)
        .bind(client.project.as_str())
        .bind(client.id.as_str())
        .bind(client.name.as_str())
        .bind(to_json(&client.overrides))
        .bind(client.updated_at.micros())
        .bind(client.disabled_at.map(Timestamp::micros));
    conn.execute(update).await?;
    Ok(())
}

/// Revokes all sessions of a client.
pub async fn raise_generation(conn: &mut Conn<'_>, project: &ProjectId, id: &ClientId, now: Timestamp) -> Result<()> {
    let sql =
        "update clients set generation = generation + 1, updated_at = $3 where project_id = $1 and client_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.as_str()).bind(now.micros())).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Client> {
    let row = Reader::new(row, "clients", &["client_id"]);
    Ok(Client {
        project: row.parsed("project_id")?,
        id: row.parsed("client_id")?,
        name: row.parsed("name")?,
        kind: row.parsed("kind")?,
        overrides: row.json::<Overrides>("settings")?,
        generation: row.integer("generation")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        disabled_at: row.optional_time("disabled_at")?,
    })
}
