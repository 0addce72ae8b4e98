//! A database for one test.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use countersign_storage::db::{Db, Options};
pub use countersign_storage::engine::Engine;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, PgConnection, Row, any::AnyRow};
use tempfile::TempDir;
use tokio::runtime::Builder;

/// The variable that names a PostgreSQL server in which tests may create databases, as `postgres://postgres@127.0.0.1:5433`.
pub const POSTGRES: &str = "COUNTERSIGN_TEST_POSTGRES";

/// An empty database, for one test. It goes when this is dropped.
pub struct TestDatabase {
    url: String,
    engine: Engine,
    directory: TempDir,
}

impl TestDatabase {
    /// On either engine.
    pub async fn create(engine: Engine) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", directory.path().join("countersign.db").display()),
            Engine::Postgres => create_on(&postgres_server()).await,
        };
        Self { url, engine, directory }
    }

    /// On another PostgreSQL server than the one all tests share.
    pub async fn create_on_server(server: &str) -> Self {
        Self { url: create_on(server).await, engine: Engine::Postgres, directory: tempfile::tempdir().unwrap() }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which engine it is on.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A directory that goes with it.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Opens it, as the server does.
    pub async fn open(&self) -> Db {
        let options = Options { url: self.url.clone(), max_connections: 4, create: true };
        Db::open(&options).await.expect("a database of our own opens")
    }
}

/// The files of a SQLite database, as they once were.
pub struct Backup(TempDir);

/// A database and what SQLite keeps beside it.
const FILES: [&str; 3] = ["countersign.db", "countersign.db-wal", "countersign.db-shm"];

impl TestDatabase {
    /// Runs statements as somebody would who has the database open beside the server.
    pub async fn execute(&self, sql: &str) {
        let mut conn = self.connect().await;
        conn.execute(AssertSqlSafe(sql.to_owned())).await.expect("the statement is good");
        conn.close().await.unwrap();
    }

    /// The number that a query gives.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut conn = self.connect().await;
        let number = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut conn).await;
        conn.close().await.unwrap();
        number.expect("the query gives a number")
    }

    /// Every row of every table, as text: what two states of a database are compared by, and secrets looked for in.
    pub async fn dump(&self) -> String {
        let tables = match self.engine {
            Engine::Sqlite => {
                "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by 1"
            }
            Engine::Postgres => {
                "select cast(table_name as text) from information_schema.tables where table_schema = 'public' order by 1"
            }
        };
        let mut conn = self.connect().await;
        let mut lines = Vec::new();
        for table in sqlx::query(tables).fetch_all(&mut conn).await.unwrap() {
            let table: String = table.get(0);
            let all = format!("select * from {table}");
            let rows = sqlx::query(AssertSqlSafe(all)).fetch_all(&mut conn).await.unwrap();
            let mut rows: Vec<String> = rows.iter().map(|row| format!("{table}: {}", columns(row))).collect();
            rows.sort();
            lines.append(&mut rows);
        }
        conn.close().await.unwrap();
        lines.join("\n")
    }

    async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.expect("the database opens")
    }

    /// Copies a SQLite database aside. No server may have it open.
    pub fn copy_aside(&self) -> Backup {
        let aside = tempfile::tempdir().unwrap();
        for (from, name) in self.files().filter(|(from, _)| from.exists()) {
            fs::copy(from, aside.path().join(name)).unwrap();
        }
        Backup(aside)
    }

    /// Puts a copy in the place of the database. No server may have it open.
    pub fn put_back(&self, backup: &Backup) {
        for (to, name) in self.files() {
            let _ = fs::remove_file(&to);
            let from = backup.0.path().join(name);
            if from.exists() {
                fs::copy(from, to).unwrap();
            }
        }
    }

    fn files(&self) -> impl Iterator<Item = (PathBuf, &'static str)> {
        assert_eq!(self.engine, Engine::Sqlite, "only SQLite is a file");
        FILES.into_iter().map(|name| (self.directory.path().join(name), name))
    }
}

fn columns(row: &AnyRow) -> String {
    let column = |number: usize| {
        let text = row.try_get::<Option<String>, _>(number).map(Option::unwrap_or_default);
        text.or_else(|_| row.try_get::<i64, _>(number).map(|value| value.to_string())).expect("text or bigint")
    };
    (0..row.len()).map(column).collect::<Vec<_>>().join(" | ")
}

/// A database of PostgreSQL takes 8 MB, and there are hundreds of tests. One on a server that is down goes with its cluster.
impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.url.rsplit_once('/').filter(|_| self.engine == Engine::Postgres) else {
            return;
        };
        let (server, statement) =
            (format!("{server}/postgres"), format!("drop database if exists {name} with (force)"));
        let dropping = async move {
            let mut conn = PgConnection::connect(&server).await.ok()?;
            conn.execute(AssertSqlSafe(statement)).await.ok()
        };
        // In a thread of its own: the test may be within a runtime, which can't wait.
        let waiting = thread::spawn(|| {
            Builder::new_current_thread().enable_all().build().ok().and_then(|runtime| runtime.block_on(dropping))
        });
        let _ = waiting.join();
    }
}

/// The server that tests share.
pub fn postgres_server() -> String {
    #[expect(clippy::disallowed_methods, reason = "the test run says so in the environment")]
    std::env::var(POSTGRES).unwrap_or_else(|_| {
        panic!("{POSTGRES} names no PostgreSQL server: run tests by `cargo xtask test`, which starts one")
    })
}

async fn create_on(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut conn = PgConnection::connect(&format!("{server}/postgres")).await.expect("the PostgreSQL server answers");
    let statement = format!("create database {name} template template0 encoding 'UTF8' locale 'C'");
    conn.execute(AssertSqlSafe(statement)).await.expect("a database is made");
    conn.close().await.unwrap();
    format!("{server}/{name}")
}
