//! Durable writing. On SQLite one writer takes the units that are waiting, commits them together with one fsync, and only then answers; on
//! PostgreSQL each unit has a transaction of its own, and the server groups their commits.
//!
//! Units run together first. When one of them fails, the batch is rolled back and runs again with each unit in a savepoint, so that none can
//! spoil another; that is why a unit may run twice. One that panics or hangs is refused, and the writer goes on.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use countersign_domain::audit::AuditEntry;
use futures_util::{FutureExt, future::BoxFuture};
use metrics::{counter, histogram};
use sqlx::{AnyConnection, AnyPool, Connection, any::AnyConnectOptions};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing::warn;

use crate::{
    Conn, audit,
    db::{Engine, connect_sqlite_writer},
    error::{Error, Result},
    sessions::{self, NewSession, RotationUpdate},
};

/// Work of any kind, which may run several times.
pub(crate) type Unit = Box<dyn for<'t> Fn(Conn<'t>) -> BoxFuture<'t, Result<()>> + Send + Sync>;

/// Plain data of the hot nouns, of which the writer makes one statement for each table and batch.
#[derive(Debug, Clone)]
pub struct HotUnit {
    /// The row.
    pub row: HotRow,
    /// What the audit trail says of it, if it comes to be.
    pub audit: Vec<AuditEntry>,
}

/// A row of a hot noun.
#[derive(Debug, Clone)]
pub enum HotRow {
    /// A session that begins.
    NewSession(Box<NewSession>),
    /// A session that moves on.
    Rotation(Box<RotationUpdate>),
    /// Nothing but the audit entries.
    Nothing,
}

/// What became of a hot row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is on disk.
    Done,
    /// The row had changed or ended before: nothing was written.
    Lost,
}

/// The one who writes to SQLite.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
}

enum Job {
    Hot(HotUnit, oneshot::Sender<Result<Written>>),
    Work(Arc<Unit>, oneshot::Sender<Result<()>>),
    Stop(oneshot::Sender<()>),
}

/// Units that wait at most, over all callers. Beyond that callers wait to be let in.
const QUEUE: usize = 4096;
/// Units in a batch at most.
const BATCH: usize = 256;
/// How long one unit may take.
const UNIT_TIME: Duration = Duration::from_secs(10);
/// How often a unit runs when another transaction comes between.
const ATTEMPTS: u32 = 6;

impl Writer {
    pub(crate) async fn start(options: AnyConnectOptions) -> Result<Self> {
        let conn = connect_sqlite_writer(&options).await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(
            Scribe {
                options,
                conn: Some(conn),
            }
            .work(jobs),
        );
        Ok(Self { queue })
    }

    pub(crate) async fn run(&self, unit: Unit) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Work(Arc::new(unit), answer), answered).await
    }

    pub(crate) async fn run_hot(&self, unit: HotUnit) -> Result<Written> {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Hot(unit, answer), answered).await
    }

    async fn submit<T>(&self, job: Job, answered: oneshot::Receiver<Result<T>>) -> Result<T> {
        let gone = || Error::Unavailable("the writer has stopped".to_owned());
        self.queue.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Writes what is waiting, then stops.
    pub(crate) async fn stop(&self) {
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Job::Stop(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

/// The task that holds the writing connection.
struct Scribe {
    options: AnyConnectOptions,
    /// None after a failure that the connection may not have survived.
    conn: Option<AnyConnection>,
}

#[derive(Default)]
struct Batch {
    hot: Vec<(HotUnit, oneshot::Sender<Result<Written>>)>,
    work: Vec<(Arc<Unit>, oneshot::Sender<Result<()>>)>,
    stop: Option<oneshot::Sender<()>>,
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Hot(unit, answer) => self.hot.push((unit, answer)),
            Job::Work(unit, answer) => self.work.push((unit, answer)),
            Job::Stop(answer) => self.stop = Some(answer),
        }
    }

    fn len(&self) -> usize {
        self.hot.len() + self.work.len()
    }

    fn refuse(self, reason: &str) {
        for (_, answer) in self.hot {
            let _ = answer.send(Err(Error::Unavailable(reason.to_owned())));
        }
        for (_, answer) in self.work {
            let _ = answer.send(Err(Error::Unavailable(reason.to_owned())));
        }
    }
}

impl Scribe {
    async fn work(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            let mut batch = Batch::default();
            batch.add(first);
            while batch.len() < BATCH && batch.stop.is_none() {
                let Ok(job) = jobs.try_recv() else { break };
                batch.add(job);
            }
            let stop = batch.stop.take();
            if batch.len() > 0 {
                self.commit(batch).await;
            }
            if let Some(answer) = stop {
                if let Some(conn) = self.conn.take() {
                    let _ = conn.close().await;
                }
                let _ = answer.send(());
                return;
            }
        }
    }

    async fn commit(&mut self, batch: Batch) {
        counter!("countersign_writer_batches_total").increment(1);
        #[expect(clippy::cast_precision_loss, reason = "at most 256")]
        histogram!("countersign_writer_batch_units").record(batch.len() as f64);
        match self.together(&batch).await {
            Ok(written) => {
                for ((_, answer), written) in batch.hot.into_iter().zip(written) {
                    let _ = answer.send(Ok(written));
                }
                for (_, answer) in batch.work {
                    let _ = answer.send(Ok(()));
                }
            }
            Err(Error::Unavailable(reason)) => {
                warn!(%reason, "the database can't be written: {reason}");
                self.conn = None;
                batch.refuse(&reason);
            }
            Err(_) => self.apart(batch).await,
        }
    }

    async fn connection(&mut self) -> Result<&mut AnyConnection> {
        match &mut self.conn {
            Some(conn) => Ok(conn),
            empty => Ok(empty.insert(connect_sqlite_writer(&self.options).await?)),
        }
    }

    /// All units in one transaction, without savepoints.
    async fn together(&mut self, batch: &Batch) -> Result<Vec<Written>> {
        let mut tx = self.connection().await?.begin_with(Engine::Sqlite.begin()).await?;
        for (unit, _) in &batch.work {
            guarded(unit, Conn::new(&mut tx, Engine::Sqlite)).await?;
        }
        let hot: Vec<&HotUnit> = batch.hot.iter().map(|(unit, _)| unit).collect();
        let written = write_hot(&mut Conn::new(&mut tx, Engine::Sqlite), &hot).await?;
        tx.commit().await?;
        Ok(written)
    }

    /// Each unit in a savepoint, one commit for all. The connection is a new one: a unit that panicked or hung may have left the old one in
    /// the middle of something.
    async fn apart(&mut self, batch: Batch) {
        self.conn = None;
        let mut results = Vec::with_capacity(batch.len());
        match self.savepoints(&batch, &mut results).await {
            Ok(()) => {
                let mut results = results.into_iter();
                for (_, answer) in batch.work {
                    let _ = answer.send(results.next().map_or(Ok(()), |result| result.map(drop)));
                }
                for (_, answer) in batch.hot {
                    let _ = answer.send(results.next().unwrap_or(Ok(Written::Lost)));
                }
            }
            Err(error) => {
                let reason = error.to_string();
                warn!(%reason, "the database can't be written: {reason}");
                self.conn = None;
                batch.refuse(&reason);
            }
        }
    }

    async fn savepoints(&mut self, batch: &Batch, results: &mut Vec<Result<Written>>) -> Result<()> {
        let mut tx = self.connection().await?.begin_with(Engine::Sqlite.begin()).await?;
        for (unit, _) in &batch.work {
            let mut savepoint = tx.begin().await?;
            let result = guarded(unit, Conn::new(&mut savepoint, Engine::Sqlite)).await;
            finish(savepoint, &result).await?;
            results.push(result.map(|()| Written::Done));
        }
        for (unit, _) in &batch.hot {
            let mut savepoint = tx.begin().await?;
            let result = write_hot(&mut Conn::new(&mut savepoint, Engine::Sqlite), &[unit]).await;
            finish(savepoint, &result).await?;
            results.push(result.map(|written| written.first().copied().unwrap_or(Written::Lost)));
        }
        tx.commit().await?;
        Ok(())
    }
}

async fn finish<T>(savepoint: sqlx::Transaction<'_, sqlx::Any>, result: &Result<T>) -> Result<()> {
    match result {
        Ok(_) => savepoint.commit().await?,
        Err(_) => savepoint.rollback().await?,
    }
    Ok(())
}

/// Writes hot rows of any number, one statement for each table and run, and says what became of each.
pub(crate) async fn write_hot(conn: &mut Conn<'_>, units: &[&HotUnit]) -> Result<Vec<Written>> {
    let new: Vec<&NewSession> = units.iter().filter_map(|unit| unit.row.new_session()).collect();
    sessions::insert_many(conn, &new).await?;
    let rotations: Vec<&RotationUpdate> = units.iter().filter_map(|unit| unit.row.rotation()).collect();
    let mut moved = sessions::rotate_many(conn, &rotations).await?.into_iter();
    let written: Vec<Written> = units
        .iter()
        .map(|unit| match unit.row {
            HotRow::Rotation(_) if !moved.next().unwrap_or(false) => Written::Lost,
            _ => Written::Done,
        })
        .collect();
    let came_to_be = units
        .iter()
        .zip(&written)
        .filter(|(_, written)| **written == Written::Done);
    let entries: Vec<&AuditEntry> = came_to_be.flat_map(|(unit, _)| &unit.audit).collect();
    audit::insert_many(conn, &entries).await?;
    Ok(written)
}

impl HotRow {
    fn new_session(&self) -> Option<&NewSession> {
        match self {
            Self::NewSession(row) => Some(row),
            _ => None,
        }
    }

    fn rotation(&self) -> Option<&RotationUpdate> {
        match self {
            Self::Rotation(row) => Some(row),
            _ => None,
        }
    }
}

/// Runs a unit; a panic or a hang is an error like others.
async fn guarded(unit: &Unit, conn: Conn<'_>) -> Result<()> {
    let running = AssertUnwindSafe(async { unit(conn).await }).catch_unwind();
    match timeout(UNIT_TIME, running).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::Refused("a unit of work panicked".to_owned())),
        Err(_) => Err(Error::Refused(format!("a unit of work took longer than {UNIT_TIME:?}"))),
    }
}

/// PostgreSQL: a unit in a transaction of its own, again when another came between. In a task of its own, so that a caller who goes away
/// leaves no transaction half done.
pub(crate) async fn run_apart(pool: AnyPool, unit: Unit) -> Result<()> {
    let task = tokio::spawn(async move {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match in_transaction(&pool, &unit).await {
                Err(Error::TryAgain(_) | Error::Taken(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(1 << attempt)).await;
                }
                result => return result,
            }
        }
    });
    task.await
        .map_err(|_| Error::Unavailable("the writing task ended".to_owned()))?
}

async fn in_transaction(pool: &AnyPool, unit: &Unit) -> Result<()> {
    let mut tx = pool.begin_with(Engine::Postgres.begin()).await?;
    match guarded(unit, Conn::new(&mut tx, Engine::Postgres)).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) => {
            let _ = tx.rollback().await;
            Err(error)
        }
    }
}
