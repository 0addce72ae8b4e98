//! Projects.

use countersign_domain::{clock::Timestamp, id::ProjectId, policy::Overrides, project::Project};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::statement,
    error::Result,
    row::{Reader, to_json},
};

/// Writes a new project.
pub async fn insert(conn: &mut Conn<'_>, project: &Project) -> Result<()> {
    let sql = "insert into projects (project_id, name, settings, generation, created_at, updated_at, disabled_at) \
               values ($1, $2, $3, $4, $5, $6, $7)";
    let insert = statement(sql)
        .bind(project.id.as_str())
        .bind(project.name.as_str())
        .bind(to_json(&project.overrides))
        .bind(i64::from(project.generation))
        .bind(project.created_at.micros())
        .bind(project.updated_at.micros())
        .bind(project.disabled_at.map(Timestamp::micros));
    conn.execute(insert).await?;
    Ok(())
}

/// A project, by its id.
pub async fn find(conn: &mut Conn<'_>, id: &ProjectId) -> Result<Option<Project>> {
    let row = conn.fetch_optional(statement("select * from projects where project_id = $1").bind(id.as_str())).await?;
    row.as_ref().map(read).transpose()
}

/// All projects, in order of their ids.
pub async fn list(conn: &mut Conn<'_>) -> Result<Vec<Project>> {
    let rows = conn.fetch_all(statement("select * from projects order by project_id")).await?;
    rows.iter().map(read).collect()
}

/// Writes a project's settings, name and state; the generation only moves by [`raise_generation`].
pub async fn update(conn: &mut Conn<'_>, project: &Project) -> Result<()> {
    let sql = "update projects set name = $2, settings = $3, updated_at = $4, disabled_at = $5 where project_id = $1";
    let update = statement(sql)
        .bind(project.id.as_str())
        .bind(project.name.as_str())
        .bind(to_json(&project.overrides))
        .bind(project.updated_at.micros())
        .bind(project.disabled_at.map(Timestamp::micros));
    conn.execute(update).await?;
    Ok(())
}

/// Revokes everything in a project.
pub async fn raise_generation(conn: &mut Conn<'_>, id: &ProjectId, now: Timestamp) -> Result<()> {
    let sql = "update projects set generation = generation + 1, updated_at = $2 where project_id = $1";
    conn.execute(statement(sql).bind(id.as_str()).bind(now.micros())).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Project> {
    let row = Reader::new(row, "projects", &[]);
    Ok(Project {
        id: row.parsed("project_id")?,
        name: row.parsed("name")?,
        overrides: row.json::<Overrides>("settings")?,
        generation: row.integer("generation")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        disabled_at: row.optional_time("disabled_at")?,
    })
}
