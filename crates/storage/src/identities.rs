//! Identities: what users are found by.

use std::fmt::Write;

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, ProjectId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord, IdentitySource},
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::{built_statement, statement},
    error::Result,
    row::Reader,
};

/// An identity with what a sign-in must know of the user it names, so that one read is enough.
#[derive(Debug, Clone)]
pub struct Found {
    /// The identity.
    pub record: IdentityRecord,
    /// The user's revocation counter.
    pub generation: u32,
    /// Since when nobody may be signed in as this user.
    pub disabled_at: Option<Timestamp>,
    /// Sessions of this user in the client asked about that haven't been ended.
    pub sessions: u32,
}

/// Writes a new identity.
pub async fn insert(conn: &mut Conn<'_>, project: &ProjectId, record: &IdentityRecord) -> Result<()> {
    let sql = "insert into identities (project_id, kind, value, user_id, source, verified_at, created_at) \
               values ($1, $2, $3, $4, $5, $6, $7)";
    let insert = statement(sql)
        .bind(project.as_str())
        .bind(record.identity.kind().as_str())
        .bind(record.identity.value())
        .bind(record.user.to_string())
        .bind(record.source.as_str())
        .bind(record.verified_at.map(Timestamp::micros))
        .bind(record.created_at.micros());
    conn.execute(insert).await?;
    Ok(())
}

/// Those of some identities that users have, each with its user's state and number of sessions in a client.
pub async fn find_many(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    client: &ClientId,
    identities: &[&Identity],
) -> Result<Vec<Found>> {
    if identities.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = "select i.project_id, i.kind, i.value, i.user_id, i.source, i.verified_at, i.created_at, \
                   u.generation, u.disabled_at, \
                   (select count(*) from sessions s where s.project_id = i.project_id and s.user_id = i.user_id \
                   and s.client_id = $2 and s.ended_at is null) as sessions \
                   from identities i join users u on u.project_id = i.project_id and u.user_id = i.user_id \
                   where i.project_id = $1 and ("
        .to_owned();
    for index in 0..identities.len() {
        let or = if index == 0 { "" } else { " or " };
        let _ = write!(
            sql,
            "{or}(i.kind = ${} and i.value = ${})",
            index * 2 + 3,
            index * 2 + 4
        );
    }
    sql.push(')');
    let mut select = built_statement(sql).bind(project.as_str()).bind(client.as_str());
    for identity in identities {
        select = select.bind(identity.kind().as_str()).bind(identity.value());
    }
    let rows = conn.fetch_all(select).await?;
    rows.iter().map(read_found).collect()
}

/// Who has an identity.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, identity: &Identity) -> Result<Option<IdentityRecord>> {
    let sql = "select * from identities where project_id = $1 and kind = $2 and value = $3";
    let select = statement(sql)
        .bind(project.as_str())
        .bind(identity.kind().as_str())
        .bind(identity.value());
    conn.fetch_optional(select).await?.as_ref().map(read).transpose()
}

/// All identities of a user, the newest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Vec<IdentityRecord>> {
    let sql = "select * from identities where project_id = $1 and user_id = $2 order by created_at desc, kind, value";
    let rows = conn
        .fetch_all(statement(sql).bind(project.as_str()).bind(user.to_string()))
        .await?;
    rows.iter().map(read).collect()
}

/// Takes an identity from a user; `false` where the user doesn't have it.
pub async fn delete(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, identity: &Identity) -> Result<bool> {
    let sql = "delete from identities where project_id = $1 and kind = $2 and value = $3 and user_id = $4";
    let delete = statement(sql)
        .bind(project.as_str())
        .bind(identity.kind().as_str())
        .bind(identity.value())
        .bind(user.to_string());
    Ok(conn.execute(delete).await? == 1)
}

/// Gives all identities of one user to another.
pub async fn reassign(conn: &mut Conn<'_>, project: &ProjectId, from: UserId, to: UserId) -> Result<u64> {
    let sql = "update identities set user_id = $3 where project_id = $1 and user_id = $2";
    conn.execute(
        statement(sql)
            .bind(project.as_str())
            .bind(from.to_string())
            .bind(to.to_string()),
    )
    .await
}

fn read(row: &AnyRow) -> Result<IdentityRecord> {
    let row = Reader::new(row, "identities", &["kind", "value"]);
    let kind = row.parsed::<IdentityKind>("kind")?;
    Ok(IdentityRecord {
        identity: row.read("value", |value| Identity::parse(kind, value).ok())?,
        user: row.parsed("user_id")?,
        source: row.parsed::<IdentitySource>("source")?,
        verified_at: row.optional_time("verified_at")?,
        created_at: row.time("created_at")?,
    })
}

fn read_found(row: &AnyRow) -> Result<Found> {
    let record = read(row)?;
    let row = Reader::new(row, "identities", &["kind", "value"]);
    Ok(Found {
        record,
        generation: row.integer("generation")?,
        disabled_at: row.optional_time("disabled_at")?,
        sessions: row.integer("sessions")?,
    })
}
