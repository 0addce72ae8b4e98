//! The database: opening it, and what the engines do differently.

use std::{str::FromStr, sync::Arc, time::Duration};

use countersign_domain::{
    audit::AuditEntry,
    id::{ProjectId, SessionId},
};
use futures_util::future::BoxFuture;
use sqlx::{
    AnyConnection, AnyPool, ConnectOptions, Connection, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
    pool::PoolConnection,
};

use crate::{
    Conn,
    conn::statement,
    error::{Error, Result},
    hot::{self, HotAnswer, HotUnit, Moving, Opening, Written},
    identities::{Found, Wanted},
    making::make_sqlite,
    row::Reader,
    sessions::StoredSession,
    writer::{Unit, Writer, run_apart},
};

/// Which database stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, in the process.
    Sqlite,
    /// PostgreSQL, or what speaks like it.
    Postgres,
}

/// Where the database is and how much of it to use.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Connections at most; on SQLite, those that read.
    pub max_connections: u32,
    /// May a SQLite file be created?
    pub create: bool,
}

/// An open database.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    pool: AnyPool,
    writer: Option<Writer>,
}

/// A connection that only reads, until it is dropped.
pub struct Reading {
    inner: PoolConnection<sqlx::Any>,
    engine: Engine,
}

impl Reading {
    /// The connection, for one statement or several.
    pub fn conn(&mut self) -> Conn<'_> {
        Conn::new(&mut self.inner, self.engine)
    }
}

/// How long a caller waits for a connection, and a connection for a lock.
const PATIENCE: Duration = Duration::from_secs(3);

impl Engine {
    /// Tells by the scheme of the URL.
    pub fn of_url(url: &str) -> Result<Self> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err(Error::Unsuitable(
                "the database URL must be `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`".to_owned(),
            )),
        }
    }

    /// SQLite looks each numbered parameter up in a list, so a statement of a thousand takes a million steps; PostgreSQL knows no other kind.
    pub(crate) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        }
    }

    /// The next number of the change feed. On SQLite writers wait for each other, so numbers become visible in their order; on PostgreSQL
    /// they don't, and readers allow for it.
    pub(crate) fn next_change(self) -> &'static str {
        match self {
            Self::Sqlite => "(select coalesce(max(seq), 0) + 1 from changes)",
            Self::Postgres => "nextval('changes_seq')",
        }
    }

    /// What the migrations need and can't say in one text for both.
    pub(crate) fn before_migrations(self) -> &'static str {
        match self {
            Self::Sqlite => "select 1",
            Self::Postgres => "create sequence if not exists changes_seq",
        }
    }

    /// What the planner must know once the tables are there.
    ///
    /// SQLite, left to guess, takes the first column of any index for selective. Here it is the project, the same in all rows: it walked
    /// whole tables to find the identities or sessions of one user. Told once how many rows share a value (of each index: all its rows,
    /// then those that share its first column, its first two, …), it chooses the same way in every deployment. PostgreSQL counts for itself.
    pub(crate) fn after_migrations(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "analyze; \
                 delete from sqlite_stat1; \
                 insert into sqlite_stat1 (tbl, idx, stat) values \
                 ('identities', 'identities', '1000000 1000000 500000 1'), \
                 ('identities', 'identities_of_user', '1000000 1000000 2'), \
                 ('passkeys', 'sqlite_autoindex_passkeys_1', '1000000 1000000 1'), \
                 ('passkeys', 'passkeys_by_credential', '1000000 1000000 1'), \
                 ('passkeys', 'passkeys_of_user', '1000000 1000000 2'), \
                 ('sessions', 'sqlite_autoindex_sessions_1', '1000000 1000000 1'), \
                 ('sessions', 'sessions_live', '1000000 1000000 4 2 1'), \
                 ('sessions', 'sessions_by_end', '100000 100000 1'), \
                 ('sessions', 'sessions_by_expiry', '1000000 1000000 1'), \
                 ('spent', 'spent', '100000 100000 50000 1'), \
                 ('spent', 'spent_by_expiry', '100000 1'), \
                 ('messages', 'sqlite_autoindex_messages_1', '100000 100000 1'), \
                 ('messages', 'messages_due', '100 50 1'), \
                 ('messages', 'messages_ended', '100000 1'); \
                 analyze sqlite_schema"
            }
            Self::Postgres => "",
        }
    }

    /// Keeps the rows of a table in its primary key.
    pub(crate) fn clustered(self) -> &'static str {
        match self {
            Self::Sqlite => "without rowid",
            Self::Postgres => "",
        }
    }

    /// The clock that all nodes share, in microseconds; none on SQLite, whose one machine has one clock.
    fn clock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) as now"),
        }
    }

    /// Whoever writes is alone from the beginning of the transaction: see [`begin`](Self::begin).
    pub(crate) fn writers_are_alone(self) -> bool {
        matches!(self, Self::Sqlite)
    }

    /// At the end of a `select`: nobody changes or deletes the rows that it finds until the transaction ends.
    pub(crate) fn holding(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "for share",
        }
    }

    /// Makes transactions take the write lock at their beginning: one that begins by reading would find the lock taken, and no waiting helps.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }
}

/// What each SQLite connection is told. Memory is for the writer, whose pages are hot.
const SQLITE_READER: &str =
    "pragma query_only = on; pragma busy_timeout = 3000; pragma cache_size = -4000; pragma temp_store = memory";
pub(crate) const SQLITE_WRITER: &str = "pragma busy_timeout = 3000; pragma journal_mode = wal; pragma synchronous = full; \
    pragma wal_autocheckpoint = 16000; pragma journal_size_limit = 67108864; pragma cache_size = -16000; \
    pragma temp_store = memory; pragma foreign_keys = off";

/// It writes what is committed already, and only to where it belongs.
const SQLITE_CHECKPOINTER: &str = "pragma busy_timeout = 0; pragma synchronous = full; pragma cache_size = -100";

/// What each PostgreSQL connection is told. Commits that don't wait for the disk are raised to those that do; stronger ones stay.
const POSTGRES: &str = "set statement_timeout = '5s'; set lock_timeout = '3s'; \
    set idle_in_transaction_session_timeout = '10s'; set application_name = 'countersign'; \
    select set_config('synchronous_commit', \
        case when current_setting('synchronous_commit') in ('off', 'local') then 'on' \
        else current_setting('synchronous_commit') end, false)";

impl Db {
    /// Opens the database and sees that it is fit for use. Doesn't look at the schema: [`migrate`](crate::migrate) does.
    pub async fn open(options: &Options) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let engine = Engine::of_url(&options.url)?;
        let db = match engine {
            Engine::Sqlite => Self::open_sqlite(options).await?,
            Engine::Postgres => Self::open_postgres(options).await?,
        };
        db.check().await?;
        Ok(db)
    }

    async fn open_sqlite(options: &Options) -> Result<Self> {
        let separator = if options.url.contains('?') { '&' } else { '?' };
        let in_mode = |mode| connect_options(&format!("{}{separator}mode={mode}", options.url));
        if options.create {
            make_sqlite(&in_mode("rwc")?).await?;
        }
        // From here on it is there: a file that was taken away must not come to be again, empty.
        let connect = in_mode("rw")?;
        let writer = Writer::start(connect.clone()).await?;
        let pool = pool_options(options.max_connections)
            .test_before_acquire(false)
            .after_connect(|conn, _| Box::pin(async move { conn.execute(SQLITE_READER).await.map(drop) }))
            .connect_with(connect)
            .await?;
        Ok(Self { engine: Engine::Sqlite, pool, writer: Some(writer) })
    }

    async fn open_postgres(options: &Options) -> Result<Self> {
        let connect = connect_options(&options.url)?;
        let pool = pool_options(options.max_connections)
            .after_connect(|conn, _| Box::pin(async move { conn.execute(POSTGRES).await.map(drop) }))
            .connect_with(connect)
            .await?;
        Ok(Self { engine: Engine::Postgres, pool, writer: None })
    }

    /// Texts must be ordered by their bytes on every engine, or pages would skip users.
    async fn check(&self) -> Result<()> {
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        let sql = "select cast(datcollate as text) as collation, cast(pg_encoding_to_char(encoding) as text) as encoding \
                   from pg_database where datname = current_database()";
        let row = self.reader().await?.conn().fetch_one(statement(sql)).await?;
        let facts = Reader::new(&row, "pg_database", &[]);
        let (collation, encoding) = (facts.text("collation")?, facts.text("encoding")?);
        let is_binary = matches!(collation.as_str(), "C" | "POSIX" | "C.UTF-8" | "C.utf8");
        if is_binary && encoding == "UTF8" {
            return Ok(());
        }
        Err(Error::Unsuitable(format!(
            "the PostgreSQL database has collation {collation} and encoding {encoding}; Countersign needs C and UTF8. \
             Create it with: create database NAME template template0 encoding 'UTF8' locale 'C'"
        )))
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Lends a connection to read with.
    pub async fn reader(&self) -> Result<Reading> {
        Ok(Reading { inner: self.pool.acquire().await?, engine: self.engine })
    }

    /// Runs a unit of work that writes, in a transaction of its own or together with others, and returns once it is on disk. It may run
    /// several times and must do nothing but talk to its connection. It goes on when the caller is gone.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(Conn<'t>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let slot = Arc::new(std::sync::Mutex::new(None));
        let unit = into_unit(work, Arc::clone(&slot));
        match &self.writer {
            Some(writer) => writer.run(unit).await?,
            None => run_apart(self.pool.clone(), unit).await?,
        }
        let result = slot.lock().ok().and_then(|mut slot| slot.take());
        result.ok_or_else(|| Error::Refused("a unit of work left no result".to_owned()))
    }

    /// Looks identities up and, if `decide` says so, opens a session: all in one transaction, shared with whoever else waits.
    pub async fn open_session<F>(&self, wanted: Wanted, decide: F) -> Result<(Vec<Found>, Written)>
    where
        F: Fn(&[Found]) -> Option<Opening> + Send + Sync + 'static,
    {
        let decide = Box::new(move |found: &Vec<Found>| decide(found));
        match self.run_hot(HotUnit::Open { wanted, decide }).await? {
            HotAnswer::Opened(found, written) => Ok((found, written)),
            HotAnswer::Moved(..) | HotAnswer::Said => Err(mixed_up()),
        }
    }

    /// Looks a session up and, if `decide` says so, moves it on: all in one transaction, shared with whoever else waits.
    pub async fn move_session<F>(
        &self,
        project: &ProjectId,
        id: SessionId,
        decide: F,
    ) -> Result<(Option<Box<StoredSession>>, Written)>
    where
        F: Fn(&StoredSession) -> Option<Moving> + Send + Sync + 'static,
    {
        let session = (project.clone(), id);
        match self.run_hot(HotUnit::Move { session, decide: Box::new(decide) }).await? {
            HotAnswer::Moved(stored, written) => Ok((stored, written)),
            HotAnswer::Opened(..) | HotAnswer::Said => Err(mixed_up()),
        }
    }

    /// Says something in the audit trail, and nothing else.
    pub async fn say(&self, entries: Vec<AuditEntry>) -> Result<()> {
        self.run_hot(HotUnit::Say(entries)).await.map(drop)
    }

    async fn run_hot(&self, unit: HotUnit) -> Result<HotAnswer> {
        if let Some(writer) = &self.writer {
            return writer.run_hot(unit).await;
        }
        let unit = Arc::new(unit);
        self.write(move |mut conn| {
            let unit = Arc::clone(&unit);
            Box::pin(async move {
                let answers = hot::run(&mut conn, &[&unit]).await?;
                answers.into_iter().next().unwrap_or_else(|| Err(mixed_up()))
            })
        })
        .await
    }

    /// The clock that all nodes share, in microseconds since 1970; none where there is but one machine.
    pub async fn clock(&self) -> Result<Option<i64>> {
        let Some(sql) = self.engine.clock() else {
            return Ok(None);
        };
        let row = self.reader().await?.conn().fetch_one(statement(sql)).await?;
        Ok(Some(Reader::new(&row, "clock", &[]).integer("now")?))
    }

    /// Ends it: waits for what is being written, then closes every connection.
    pub async fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.stop().await;
        }
        self.pool.close().await;
    }
}

fn mixed_up() -> Error {
    Error::Refused("a unit was given another's answer".to_owned())
}

/// A unit whose result waits in a slot until its transaction has been committed.
fn into_unit<T, F>(work: F, slot: Arc<std::sync::Mutex<Option<T>>>) -> Unit
where
    T: Send + 'static,
    F: for<'t> Fn(Conn<'t>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
{
    Box::new(move |conn| {
        let slot = Arc::clone(&slot);
        let running = work(conn);
        Box::pin(async move {
            let result = running.await?;
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(result);
            }
            Ok(())
        })
    })
}

fn connect_options(url: &str) -> Result<AnyConnectOptions> {
    // The URL may hold a password, so the error doesn't repeat it.
    let unsuitable = |_| Error::Unsuitable("the database URL can't be read".to_owned());
    Ok(AnyConnectOptions::from_str(url).map_err(unsuitable)?.disable_statement_logging())
}

fn pool_options(max_connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(max_connections).acquire_timeout(PATIENCE)
}

/// A connection for the one who carries the write-ahead log over.
pub(crate) async fn connect_checkpointer(options: &AnyConnectOptions) -> Result<AnyConnection> {
    let mut conn = AnyConnection::connect_with(options).await?;
    conn.execute(SQLITE_CHECKPOINTER).await?;
    Ok(conn)
}

/// A connection for the one who writes to SQLite.
pub(crate) async fn connect_sqlite_writer(options: &AnyConnectOptions) -> Result<AnyConnection> {
    let mut conn = AnyConnection::connect_with(options).await?;
    conn.execute(SQLITE_WRITER).await?;
    Ok(conn)
}
