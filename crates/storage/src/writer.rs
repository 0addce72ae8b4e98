//! Durable writing. On SQLite one writer takes the units that are waiting, commits them together with one fsync, and only then answers; on
//! PostgreSQL each unit has a transaction of its own, and the server groups their commits.
//!
//! Units run together first. When one of them fails, the batch is rolled back and runs again with each unit in a savepoint, so that none can
//! spoil another; that is why a unit may run twice. One that panics or hangs is refused, and the writer goes on.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use metrics::{counter, histogram};
use sqlx::{AnyConnection, AnyPool, Connection, Executor, any::AnyConnectOptions};
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    Conn, checkpointer,
    database_file::DatabaseFile,
    db::connect_sqlite_writer,
    engine::Engine,
    error::{Error, Result},
    hot::{self, HotAnswer, HotUnit},
};

/// Work of any kind, which may run several times.
pub(crate) type Unit = Box<dyn for<'t> Fn(Conn<'t>) -> BoxFuture<'t, Result<()>> + Send + Sync>;

/// The one who writes to SQLite.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
}

enum Job {
    Hot(HotUnit, oneshot::Sender<Result<HotAnswer>>),
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
        let mut conn = connect_sqlite_writer(&options).await?;
        let file = DatabaseFile::of(&mut conn).await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (batches, counted) = watch::channel(0);
        let little_is_left = Arc::new(AtomicBool::new(false));
        tokio::spawn(checkpointer::work(options.clone(), counted, Arc::clone(&little_is_left)));
        on_its_own_thread(Scribe { options, file, conn: Some(conn), batches, little_is_left, down: None }.work(jobs))?;
        Ok(Self { queue })
    }

    pub(crate) async fn run(&self, unit: Unit) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Work(Arc::new(unit), answer), answered).await
    }

    pub(crate) async fn run_hot(&self, unit: HotUnit) -> Result<HotAnswer> {
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

/// Everybody waits for the writer, so it waits for nobody: among the workers, it would stand in line behind their signatures at every step.
fn on_its_own_thread(work: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let cannot = |problem: std::io::Error| Error::Unavailable(format!("the writer can't start: {problem}"));
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let run = move || runtime.block_on(work);
    thread::Builder::new().name("writer".to_owned()).spawn(run).map(drop).map_err(cannot)
}

/// A reader who holds on to the log (a backup, somebody's shell) is waited for only for a moment, since all writing waits too.
const BEGIN_LOG_ANEW: &str = "pragma busy_timeout = 5; pragma wal_checkpoint(restart); pragma busy_timeout = 3000";

/// The task that holds the writing connection.
struct Scribe {
    options: AnyConnectOptions,
    file: DatabaseFile,
    /// None after a failure that the connection may not have survived.
    conn: Option<AnyConnection>,
    /// Counts, for the one who carries the log over.
    batches: watch::Sender<u64>,
    /// Set when there is little left to carry over.
    little_is_left: Arc<AtomicBool>,
    /// Why the database can't be written, as far as the last batch tells.
    down: Option<String>,
}

#[derive(Default)]
struct Batch {
    hot: Vec<(HotUnit, oneshot::Sender<Result<HotAnswer>>)>,
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
            if self.little_is_left.swap(false, Ordering::Relaxed) {
                self.begin_log_anew().await;
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
            Ok(answers) => {
                self.is_up();
                self.batches.send_modify(|count| *count += 1);
                for ((_, answer), answered) in batch.hot.into_iter().zip(answers) {
                    let _ = answer.send(answered);
                }
                for (_, answer) in batch.work {
                    let _ = answer.send(Ok(()));
                }
            }
            Err(Error::Unavailable(reason)) => {
                self.is_down(&reason);
                batch.refuse(&reason);
            }
            Err(_) => self.apart(batch).await,
        }
    }

    /// Each reason is said once, however many batches fail: who is refused says so too, and a disk may be what is full.
    fn is_down(&mut self, reason: &str) {
        self.conn = None;
        if self.down.as_deref() != Some(reason) {
            warn!(%reason, "the database can't be written: {reason}");
            self.down = Some(reason.to_owned());
        }
    }

    fn is_up(&mut self) {
        if self.down.take().is_some() {
            info!("the database can be written again");
        }
    }

    /// The log would grow for as long as there is always something left in it; nobody but the writer can be sure that there isn't.
    async fn begin_log_anew(&mut self) {
        let Some(conn) = &mut self.conn else { return };
        if let Err(problem) = conn.execute(BEGIN_LOG_ANEW).await {
            warn!(%problem, "can't begin the write-ahead log anew: {problem}");
            self.conn = None;
        }
    }

    async fn connection(&mut self) -> Result<&mut AnyConnection> {
        match &mut self.conn {
            Some(conn) => Ok(conn),
            empty => Ok(empty.insert(connect_sqlite_writer(&self.options).await?)),
        }
    }

    /// All units in one transaction, without savepoints.
    async fn together(&mut self, batch: &Batch) -> Result<Vec<Result<HotAnswer>>> {
        self.file.check()?;
        let mut tx = self.connection().await?.begin_with(Engine::Sqlite.begin()).await?;
        for (unit, _) in &batch.work {
            guarded(unit, Conn::new(&mut tx, Engine::Sqlite)).await?;
        }
        let hot: Vec<&HotUnit> = batch.hot.iter().map(|(unit, _)| unit).collect();
        let answers = guarded_hot(Conn::new(&mut tx, Engine::Sqlite), &hot).await?;
        tx.commit().await?;
        self.file.check()?;
        Ok(answers)
    }

    /// Each unit in a savepoint, one commit for all. The connection is a new one: a unit that panicked or hung may have left the old one in
    /// the middle of something.
    async fn apart(&mut self, batch: Batch) {
        self.conn = None;
        match self.savepoints(&batch).await {
            Ok(Apart { work, hot }) => {
                self.is_up();
                for ((_, answer), result) in batch.work.into_iter().zip(work) {
                    let _ = answer.send(result);
                }
                for ((_, answer), result) in batch.hot.into_iter().zip(hot) {
                    let _ = answer.send(result);
                }
            }
            Err(error) => {
                let reason = error.to_string();
                self.is_down(&reason);
                batch.refuse(&reason);
            }
        }
    }

    async fn savepoints(&mut self, batch: &Batch) -> Result<Apart> {
        self.file.check()?;
        let mut apart = Apart { work: Vec::new(), hot: Vec::new() };
        let mut tx = self.connection().await?.begin_with(Engine::Sqlite.begin()).await?;
        for (unit, _) in &batch.work {
            let mut savepoint = tx.begin().await?;
            let result = guarded(unit, Conn::new(&mut savepoint, Engine::Sqlite)).await;
            finish(savepoint, &result).await?;
            apart.work.push(result);
        }
        for (unit, _) in &batch.hot {
            let mut savepoint = tx.begin().await?;
            let result = guarded_hot(Conn::new(&mut savepoint, Engine::Sqlite), &[unit]).await;
            finish(savepoint, &result).await?;
            let gone = || Err(Error::Refused("a unit left no answer".to_owned()));
            apart.hot.push(result.and_then(|answers| answers.into_iter().next().unwrap_or_else(gone)));
        }
        tx.commit().await?;
        self.file.check()?;
        Ok(apart)
    }
}

/// What became of each unit of a batch that ran apart.
struct Apart {
    work: Vec<Result<()>>,
    hot: Vec<Result<HotAnswer>>,
}

async fn finish<T>(savepoint: sqlx::Transaction<'_, sqlx::Any>, result: &Result<T>) -> Result<()> {
    match result {
        Ok(_) => savepoint.commit().await?,
        Err(_) => savepoint.rollback().await?,
    }
    Ok(())
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

/// The same for units of the hot paths, whose deciding may panic.
async fn guarded_hot(mut conn: Conn<'_>, units: &[&HotUnit]) -> Result<Vec<Result<HotAnswer>>> {
    let running = AssertUnwindSafe(hot::run(&mut conn, units)).catch_unwind();
    running.await.unwrap_or_else(|_| Err(Error::Refused("a unit of work panicked".to_owned())))
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
    task.await.map_err(|_| Error::Unavailable("the writing task ended".to_owned()))?
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
