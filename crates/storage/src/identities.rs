//! Identities: what users are found by.

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, ProjectId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord, IdentitySource},
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::statement,
    error::Result,
    packed::{PackedLookup, column, nullable},
    row::Reader,
    sql::{
        Column::{Integer, Text},
        ManyRows, runs,
    },
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

static INSERT: ManyRows = ManyRows::fixed(
    "insert into identities (project_id, kind, value, user_id, source, verified_at, created_at) values",
    &[Text, Text, Text, Text, Text, Integer, Integer],
    "",
);

/// Writes new identities, each with its project.
pub async fn insert_many(conn: &mut Conn<'_>, records: &[(&ProjectId, &IdentityRecord)]) -> Result<()> {
    for run in runs(records) {
        let mut insert = INSERT.statement(conn.engine, run.len());
        for (project, record) in run {
            insert = insert
                .bind(project.as_str())
                .bind(record.identity.kind().as_str())
                .bind(record.identity.value())
                .bind(record.user.to_string())
                .bind(record.source.as_str())
                .bind(record.verified_at.map(Timestamp::micros))
                .bind(record.created_at.micros());
        }
        conn.execute(insert).await?;
    }
    Ok(())
}

static FIND: PackedLookup = PackedLookup::new(
    "with wanted (number, project_id, client_id, kind, value) as (values",
    &[Integer, Text, Text, Text, Text],
    &[
        column("number", "w.number"),
        column("project_id", "i.project_id"),
        column("kind", "i.kind"),
        column("value", "i.value"),
        column("user_id", "i.user_id"),
        column("source", "i.source"),
        nullable("verified_at", "i.verified_at"),
        column("created_at", "i.created_at"),
        column("generation", "u.generation"),
        nullable("disabled_at", "u.disabled_at"),
        column(
            "sessions",
            "(select count(*) from sessions s where s.project_id = w.project_id and s.user_id = i.user_id \
             and s.client_id = w.client_id and s.ended_at is null)",
        ),
    ],
    // A cross join: SQLite keeps the order, so that it goes from each wanted identity to its row by the key.
    "from wanted w cross join identities i cross join users u \
     where i.project_id = w.project_id and i.kind = w.kind and i.value = w.value \
     and u.project_id = i.project_id and u.user_id = i.user_id",
);

/// Identities to look up together, and the client whose sessions are to be counted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where.
    pub project: ProjectId,
    /// The client.
    pub client: ClientId,
    /// The identities.
    pub identities: Vec<Identity>,
}

/// Of each of several sets of identities those that users have, each with its user's state and number of sessions in the client.
pub async fn find_many(conn: &mut Conn<'_>, wanted: &[&Wanted]) -> Result<Vec<Result<Vec<Found>>>> {
    let flat: Vec<(usize, &Wanted, &Identity)> = wanted
        .iter()
        .copied()
        .enumerate()
        .flat_map(|(number, set)| set.identities.iter().map(move |identity| (number, set, identity)))
        .collect();
    let mut found: Vec<Result<Vec<Found>>> = wanted.iter().map(|_| Ok(Vec::new())).collect();
    for run in runs(&flat) {
        let mut select = FIND.statement(conn.engine, run.len());
        for (number, set, identity) in run {
            select = select
                .bind(i64::try_from(*number).unwrap_or(i64::MAX))
                .bind(set.project.as_str())
                .bind(set.client.as_str())
                .bind(identity.kind().as_str())
                .bind(identity.value());
        }
        let packed = FIND.fetch(conn, select, "identities").await?;
        for row in packed.rows() {
            let row = row?;
            let row = Reader::packed(&row, "identities", KEY);
            // What one row holds is no fault of the others.
            match (found.get_mut(row.integer::<usize>("number")?), read_found(&row)) {
                (Some(Ok(of_this)), Ok(one)) => of_this.push(one),
                (Some(of_this), Err(corrupt)) => *of_this = Err(corrupt),
                (None | Some(Err(_)), Ok(_)) | (None, Err(_)) => {}
            }
        }
    }
    Ok(found)
}

/// Who has an identity.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, identity: &Identity) -> Result<Option<IdentityRecord>> {
    let sql = "select * from identities where project_id = $1 and kind = $2 and value = $3";
    let select = statement(sql).bind(project.as_str()).bind(identity.kind().as_str()).bind(identity.value());
    conn.fetch_optional(select).await?.as_ref().map(read_row).transpose()
}

pub(crate) const LIST: &str =
    "select * from identities where project_id = $1 and user_id = $2 order by created_at desc, kind, value";

/// All identities of a user, the newest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Vec<IdentityRecord>> {
    let rows = conn.fetch_all(statement(LIST).bind(project.as_str()).bind(user.to_string())).await?;
    rows.iter().map(read_row).collect()
}

/// What stands for a user among identities of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Best {
    /// The identity's text.
    pub value: String,
    /// Was it proved?
    pub is_verified: bool,
}

/// The newest that was proved; where none was, the newest: one that somebody only added must not stand in for one that was proved. With a
/// letter before it that says which.
macro_rules! best {
    ($kind:literal) => {
        concat!(
            "(select case when i.verified_at is null then 'n' else 'v' end || i.value from identities i \
             where i.project_id = u.project_id and i.user_id = u.user_id and i.kind = ",
            $kind,
            " order by i.verified_at is null, i.created_at desc, i.value limit 1)"
        )
    };
}

/// Beside a user `u`, as `best`.
pub(crate) const BEST_EMAIL: &str = best!("'email'");

/// What stands for a user among identities of this kind.
pub async fn best(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, kind: IdentityKind) -> Result<Option<Best>> {
    let sql = concat!("select ", best!("$3"), " as best from users u where u.project_id = $1 and u.user_id = $2");
    let select = statement(sql).bind(project.as_str()).bind(user.to_string()).bind(kind.as_str());
    let row = conn.fetch_optional(select).await?;
    row.map_or(Ok(None), |row| read_best(&Reader::new(&row, "identities", &[])))
}

pub(crate) fn read_best(row: &Reader<'_>) -> Result<Option<Best>> {
    row.optional_read("best", |text| {
        let is_verified = text.starts_with('v');
        text.get(1..).map(|value| Best { value: value.to_owned(), is_verified })
    })
}

/// Takes an identity from a user; `false` where the user doesn't have it.
pub async fn delete(conn: &mut Conn<'_>, project: &ProjectId, user: UserId, identity: &Identity) -> Result<bool> {
    let sql = "delete from identities where project_id = $1 and kind = $2 and value = $3 and user_id = $4";
    delete_by(conn, sql, project, user, identity).await
}

/// Takes an identity from a user who merely said that it was theirs; `false` where the user doesn't have it, or has proved it by now.
pub async fn delete_unproved(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    identity: &Identity,
) -> Result<bool> {
    let sql = "delete from identities where project_id = $1 and kind = $2 and value = $3 and user_id = $4 \
               and verified_at is null";
    delete_by(conn, sql, project, user, identity).await
}

async fn delete_by(
    conn: &mut Conn<'_>,
    sql: &'static str,
    project: &ProjectId,
    user: UserId,
    identity: &Identity,
) -> Result<bool> {
    let delete = statement(sql)
        .bind(project.as_str())
        .bind(identity.kind().as_str())
        .bind(identity.value())
        .bind(user.to_string());
    Ok(conn.execute(delete).await? == 1)
}

/// Its user has proved it to us; `false` where the user doesn't have it.
pub async fn prove(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    user: UserId,
    identity: &Identity,
    now: Timestamp,
) -> Result<bool> {
    let sql = "update identities set source = 'proof', verified_at = $5 \
               where project_id = $1 and kind = $2 and value = $3 and user_id = $4";
    let update = statement(sql)
        .bind(project.as_str())
        .bind(identity.kind().as_str())
        .bind(identity.value())
        .bind(user.to_string())
        .bind(now.micros());
    Ok(conn.execute(update).await? == 1)
}

/// Gives all identities of one user to another.
pub async fn reassign(conn: &mut Conn<'_>, project: &ProjectId, from: UserId, to: UserId) -> Result<u64> {
    let sql = "update identities set user_id = $3 where project_id = $1 and user_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(from.to_string()).bind(to.to_string())).await
}

const KEY: &[&str] = &["kind", "value"];

fn read_row(row: &AnyRow) -> Result<IdentityRecord> {
    read(&Reader::new(row, "identities", KEY))
}

fn read(row: &Reader<'_>) -> Result<IdentityRecord> {
    let kind = row.parsed::<IdentityKind>("kind")?;
    Ok(IdentityRecord {
        identity: row.read("value", |value| Identity::parse(kind, value).ok())?,
        user: row.parsed("user_id")?,
        source: row.parsed::<IdentitySource>("source")?,
        verified_at: row.optional_time("verified_at")?,
        created_at: row.time("created_at")?,
    })
}

fn read_found(row: &Reader<'_>) -> Result<Found> {
    Ok(Found {
        record: read(row)?,
        generation: row.integer("generation")?,
        disabled_at: row.optional_time("disabled_at")?,
        sessions: row.integer("sessions")?,
    })
}
