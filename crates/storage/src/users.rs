//! Users.

use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, UserId},
    text::ExternalId,
    user::User,
};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::{built_statement, statement},
    contact_changes, device_sessions,
    error::Result,
    mfa_changes, mfa_preferences, passkeys, recovery_codes,
    row::Reader,
    second_factors, sign_in_places,
    sql::{
        Column::{Integer, Text},
        ManyRows, runs,
    },
    step_ups,
};

static INSERT: ManyRows = ManyRows::fixed(
    "insert into users (project_id, user_id, given_name, family_name, generation, created_at, updated_at, \
     disabled_at, merged_into) values",
    &[Text, Text, Text, Text, Integer, Integer, Integer, Integer, Text],
    "",
);

/// Writes new users.
pub async fn insert_many(conn: &mut Conn<'_>, users: &[&User]) -> Result<()> {
    for run in runs(users) {
        let mut insert = INSERT.statement(conn.engine, run.len());
        for user in run {
            insert = insert
                .bind(user.project.as_str())
                .bind(user.id.to_string())
                .bind(user.given_name.as_str())
                .bind(user.family_name.as_str())
                .bind(i64::from(user.generation))
                .bind(user.created_at.micros())
                .bind(user.updated_at.micros())
                .bind(user.disabled_at.map(Timestamp::micros))
                .bind(user.merged_into.map(|id| id.to_string()));
        }
        conn.execute(insert).await?;
    }
    Ok(())
}

/// A user, by their id.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, id: UserId) -> Result<Option<User>> {
    let sql = "select * from users where project_id = $1 and user_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    row.as_ref().map(read).transpose()
}

/// What a verdict must know of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserState {
    /// The user.
    pub user: UserId,
    /// The revocation counter.
    pub generation: u32,
    /// Is the user locked out?
    pub is_disabled: bool,
}

/// The user whom the customer's own id names: one walk along two primary keys.
pub async fn find_by_external_id(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    id: &ExternalId,
) -> Result<Option<UserState>> {
    let sql = "select u.user_id, u.generation, u.disabled_at from identities i \
               join users u on u.project_id = i.project_id and u.user_id = i.user_id \
               where i.project_id = $1 and i.kind = 'external_id' and i.value = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.as_str())).await?;
    let read = |row| {
        let row = Reader::new(&row, "users", &["user_id"]);
        Ok(UserState {
            user: row.parsed("user_id")?,
            generation: row.integer("generation")?,
            is_disabled: row.optional_time("disabled_at")?.is_some(),
        })
    };
    row.map(read).transpose()
}

/// Users of a project in order of their ids, those after `after`.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId, after: Option<UserId>, limit: u32) -> Result<Vec<User>> {
    let sql = "select * from users where project_id = $1 and user_id > $2 order by user_id limit $3";
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = conn.fetch_all(statement(sql).bind(project.as_str()).bind(after).bind(i64::from(limit))).await?;
    rows.iter().map(read).collect()
}

/// A user with the customer's own id of it, as the client API shows it.
#[derive(Debug, Clone)]
pub struct UserRecord {
    /// The user.
    pub user: User,
    /// The external id that was added last.
    pub external_id: Option<String>,
}

const EXTERNAL_ID: &str = "(select i.value from identities i where i.project_id = u.project_id and i.user_id = u.user_id \
                           and i.kind = 'external_id' order by i.created_at desc, i.value limit 1) as external_id";

/// A user who was not merged into another.
pub async fn find_record(conn: &mut Conn<'_>, project: &ProjectId, id: UserId) -> Result<Option<UserRecord>> {
    let sql = format!(
        "select u.*, {EXTERNAL_ID} from users u where u.project_id = $1 and u.user_id = $2 and u.merged_into is null"
    );
    let row = conn.fetch_optional(built_statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    row.as_ref().map(read_record).transpose()
}

/// Users who were not merged into another, the newest first: those before `before`.
pub async fn list_records(
    conn: &mut Conn<'_>,
    project: &ProjectId,
    before: Option<UserId>,
    limit: u32,
) -> Result<Vec<UserRecord>> {
    let sql = format!(
        "select u.*, {EXTERNAL_ID} from users u where u.project_id = $1 and u.user_id < $2 and u.merged_into is null \
         order by u.user_id desc limit $3"
    );
    // No id begins with a letter beyond this one.
    let before = before.map_or_else(|| "v".to_owned(), |id| id.to_string());
    let rows = conn.fetch_all(built_statement(sql).bind(project.as_str()).bind(before).bind(i64::from(limit))).await?;
    rows.iter().map(read_record).collect()
}

fn read_record(row: &AnyRow) -> Result<UserRecord> {
    let external_id = Reader::new(row, "users", &["user_id"]).optional_text("external_id")?;
    Ok(UserRecord { user: read(row)?, external_id })
}

/// Forgets a user, with all identities, passkeys, second factors and sessions. Entries of the trail stay.
pub async fn delete(conn: &mut Conn<'_>, project: &ProjectId, id: UserId) -> Result<()> {
    for sql in [
        "delete from sessions where project_id = $1 and user_id = $2",
        "delete from browser_sessions where project_id = $1 and user_id = $2",
        "delete from consents where project_id = $1 and user_id = $2",
        "delete from identities where project_id = $1 and user_id = $2",
        contact_changes::DELETE_OF_USER,
        // Before the passkeys, by which they are found.
        device_sessions::DELETE_OF_USER,
        passkeys::DELETE_OF_USER,
        sign_in_places::DELETE_OF_USER,
        second_factors::DELETE_OF_USER,
        recovery_codes::DELETE_OF_USER,
        mfa_preferences::DELETE_OF_USER,
        step_ups::DELETE_OF_USER,
        mfa_changes::DELETE_OF_USER,
        "delete from users where project_id = $1 and user_id = $2",
    ] {
        conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    }
    Ok(())
}

/// Writes a user's names and state; the generation only moves by [`raise_generation`].
pub async fn update(conn: &mut Conn<'_>, user: &User) -> Result<()> {
    let sql = "update users set given_name = $3, family_name = $4, updated_at = $5, disabled_at = $6, \
               merged_into = $7 where project_id = $1 and user_id = $2";
    let update = statement(sql)
        .bind(user.project.as_str())
        .bind(user.id.to_string())
        .bind(user.given_name.as_str())
        .bind(user.family_name.as_str())
        .bind(user.updated_at.micros())
        .bind(user.disabled_at.map(Timestamp::micros))
        .bind(user.merged_into.map(|id| id.to_string()));
    conn.execute(update).await?;
    Ok(())
}

/// Revokes all sessions of a user; says what the counter stands at now.
pub async fn raise_generation(conn: &mut Conn<'_>, project: &ProjectId, id: UserId) -> Result<Option<u32>> {
    let sql =
        "update users set generation = generation + 1 where project_id = $1 and user_id = $2 returning generation";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    row.map(|row| Reader::new(&row, "users", &["user_id"]).integer("generation")).transpose()
}

/// Holds a user until the transaction ends, so that two can't count the user's sessions at once.
pub async fn lock(conn: &mut Conn<'_>, project: &ProjectId, id: UserId) -> Result<()> {
    if conn.engine.writers_are_alone() {
        return Ok(());
    }
    let sql = "update users set generation = generation where project_id = $1 and user_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    Ok(())
}

pub(crate) fn read(row: &AnyRow) -> Result<User> {
    let row = Reader::new(row, "users", &["user_id"]);
    Ok(User {
        project: row.parsed("project_id")?,
        id: row.parsed("user_id")?,
        given_name: row.parsed("given_name")?,
        family_name: row.parsed("family_name")?,
        generation: row.integer("generation")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        disabled_at: row.optional_time("disabled_at")?,
        merged_into: row.optional_parsed("merged_into")?,
    })
}
