//! What a durable row costs when 64 share a statement and a commit: the session table with its indexes, on SQLite through `sqlx::Any`, told
//! what the server tells its writer. The table is kept from one measurement to the next, so that it grows as the server's does.

use std::{
    fmt::Write,
    path::Path,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions, Connection, Executor, Row, any::AnyConnectOptions};

use crate::now;

const SCHEMA: &str = include_str!("../../../crates/storage/migrations/0001_first_door.sql");
const PRAGMAS: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 16000; \
    pragma cache_size = -16000; pragma temp_store = memory";
const BATCH: usize = 64;
/// Who have a session each before anything is measured, as in the server's database.
const USERS: u64 = 100_000;

const COLUMNS: &str = "project_id, session_id, user_id, client_id, vouched_by, device_id, amr, acr, auth_time, scope, \
    user_generation, client_generation, key_generation, project_generation, secret_hash, generation, rotated_at, \
    mac_key_id, replays, foreign_run, foreign_generation, revision, created_at, idle_expires_at, expires_at, \
    access_expires_at";

/// Nanoseconds for each row.
pub(crate) struct Rows {
    pub(crate) insert: f64,
    pub(crate) update: f64,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn measure(span: Duration, data: &Path) -> Result<Rows> {
    sqlx::any::install_default_drivers();
    std::fs::create_dir_all(data)?;
    let file = data.join("rows.sqlite");
    let is_new = !file.exists();
    let url = format!("sqlite:{}?mode=rwc", file.display());
    let mut conn = AnyConnectOptions::from_str(&url)?.disable_statement_logging().connect().await?;
    conn.execute(PRAGMAS).await?;
    if is_new {
        conn.execute(SCHEMA).await?;
    }
    let already: i64 = sqlx::query("select count(*) from sessions").fetch_one(&mut conn).await?.try_get(0)?;
    let mut already = u64::try_from(already)?;
    while already < USERS {
        insert(&mut conn, already).await?;
        already += BATCH as u64;
    }
    let (mut inserted, start) = (0, now());
    while start.elapsed() < span {
        insert(&mut conn, already + inserted).await?;
        inserted += BATCH as u64;
    }
    let insert = per_row(start.elapsed(), inserted);
    let (mut updated, start) = (0, now());
    while start.elapsed() < span {
        update(&mut conn, updated, already + inserted).await?;
        updated += BATCH as u64;
    }
    let update = per_row(start.elapsed(), updated);
    conn.close().await?;
    Ok(Rows { insert, update })
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
fn per_row(elapsed: Duration, rows: u64) -> f64 {
    elapsed.as_secs_f64() * 1e9 / rows as f64
}

async fn insert(conn: &mut AnyConnection, first: u64) -> Result<()> {
    let mut sql = format!("insert into sessions ({COLUMNS}) values");
    let integers = [8, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];
    many_rows(&mut sql, 26, &integers);
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    let at = micros();
    for number in first..first + BATCH as u64 {
        statement = statement
            .bind("p1")
            .bind(session(number))
            .bind(format!("u_01M7YDB5YTZK8MEG{:010}", scattered(number) % USERS))
            .bind("c1")
            .bind(Some("key_01M7YDB0Y1C92AP59Z7BFRZR9T"))
            .bind(None::<String>)
            .bind(r#"["vouch"]"#)
            .bind("urn:countersign:acr:vouched")
            .bind(at)
            .bind("");
        for _ in 0..4 {
            statement = statement.bind(0_i64);
        }
        statement = statement.bind(format!("{:043}", scattered(number)));
        for value in [1, at, 1, 0, 0, 0, 1, at, at + 1_000_000_000, at + 2_000_000_000, at + 900_000_000] {
            statement = statement.bind(value);
        }
    }
    commit(conn, statement).await
}

async fn update(conn: &mut AnyConnection, count: u64, sessions: u64) -> Result<()> {
    let mut sql = "with moved (project_id, session_id, revision, generation, rotated_at, network, agent, \
        idle_expires_at, access_expires_at) as (values"
        .to_owned();
    many_rows(&mut sql, 9, &[2, 3, 4, 7, 8]);
    sql.push_str(
        ") update sessions set generation = moved.generation, rotated_at = moved.rotated_at, \
         rotated_network = moved.network, rotated_agent = moved.agent, idle_expires_at = moved.idle_expires_at, \
         access_expires_at = moved.access_expires_at, revision = sessions.revision + 1 from moved \
         where sessions.project_id = moved.project_id and sessions.session_id = moved.session_id \
         and sessions.revision >= moved.revision and sessions.ended_at is null",
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    let at = micros();
    for number in count..count + BATCH as u64 {
        statement = statement
            .bind("p1")
            .bind(session(scattered(number) % sessions))
            .bind(1_i64)
            .bind(2_i64)
            .bind(at)
            .bind(format!("{:022}", scattered(number)))
            .bind(format!("{number:022}"))
            .bind(at + 1_000_000_000)
            .bind(at + 900_000_000);
    }
    commit(conn, statement).await
}

type Statement<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

async fn commit(conn: &mut AnyConnection, statement: Statement<'_>) -> Result<()> {
    let mut tx = conn.begin_with("begin immediate").await?;
    statement.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

fn many_rows(sql: &mut String, columns: usize, integers: &[usize]) {
    for row in 0..BATCH {
        sql.push_str(if row == 0 { " (" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            let kind = if integers.contains(&column) { "bigint" } else { "text" };
            let _ = write!(sql, "{comma}cast(? as {kind})");
        }
        sql.push(')');
    }
}

/// Sessions have ids that begin with their time, so that new ones stand at the end of the table.
fn session(number: u64) -> String {
    format!("ses_01M7YDB5YT{number:016}")
}

/// A number far from its neighbours' (Fibonacci hashing).
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

#[expect(clippy::disallowed_methods, reason = "rows have real times")]
fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
