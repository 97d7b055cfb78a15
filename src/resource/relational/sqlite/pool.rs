//! The connections of one database, and who runs on them when.
//!
//! There are as many *places* for running queries as suit the machine. A query that finds none free waits in a queue, in
//! the order of arrival, and whoever is done runs the next one on the same thread and the same connection: under load no
//! thread sleeps and no connection grows cold between two queries.
//!
//! A query whose reader keeps it waiting gives its place away and queues for it again afterwards, so the queries of one
//! request can't starve one another, nor can a stalled client stop the others. It keeps its thread, though, so how many
//! may be open is bounded for the whole process; see [`OpenQueries`]. Connections are opened when they are needed, and as
//! many as there are places are kept.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Mutex as FairMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use super::authorizer::Purpose;
use super::connection::{SqliteConnection, Target};
use super::error::breaks_connection;
use super::open_queries::{OpenQueries, OpenQuery};
use crate::resource::ResourceError;

/// How many connections of one database may be held at a time, by transactions and cursors.
const HELD: usize = 64;

/// How a [`SqliteResource`](super::SqliteResource) uses its database.
#[derive(Debug, Clone)]
pub struct SqliteSettings {
    /// How many queries run at the same time.
    pub places: usize,
    /// How many queries may be open. More wait until others are done.
    pub open_queries: OpenQueries,
    /// How long a statement waits for the lock of another connection, and a query for another one to be done when there
    /// are too many. Then it ends as [`ResourceError::Busy`].
    pub busy_timeout: Duration,
    /// How long one statement may take; then it is stopped, and ends as [`ResourceError::TimedOut`]. Without one, as long as it
    /// is wanted.
    pub statement_timeout: Option<Duration>,
}

impl Default for SqliteSettings {
    /// One place for each core and two at least, the open queries of this process, five seconds for locks, and as long as it is
    /// wanted for a statement.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            places: cores.max(2),
            open_queries: OpenQueries::of_this_process(),
            busy_timeout: Duration::from_secs(5),
            statement_timeout: None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    target: Target,
    settings: SqliteSettings,
    state: Mutex<State>,
    writer: Arc<FairMutex<Option<SqliteConnection>>>,
    /// Whether who has the right to write keeps it for long: a transaction that spans requests.
    written_for_long: Arc<AtomicBool>,
    /// For those that are held.
    held: Arc<Semaphore>,
    /// Keeps a database in memory alive while nobody uses it.
    anchor: Mutex<Option<SqliteConnection>>,
}

#[derive(Default)]
struct State {
    /// How many places are taken.
    running: usize,
    waiting: VecDeque<Waiting>,
    idle: Vec<SqliteConnection>,
    /// For transactions that write.
    idle_writers: Vec<SqliteConnection>,
}

/// Who waits for a place.
enum Waiting {
    /// A query that has not begun.
    Query(Job),
    /// One that had given its place away.
    Resumed(oneshot::Sender<()>),
}

type Job = Box<dyn FnOnce(&mut Runner) + Send>;

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("running", &self.running)
            .field("waiting", &self.waiting.len())
            .field("idle", &self.idle.len())
            .field("idle_writers", &self.idle_writers.len())
            .finish()
    }
}

impl Pool {
    pub(super) fn new(target: Target, settings: &SqliteSettings) -> Self {
        let settings = SqliteSettings { places: settings.places.max(1), ..settings.clone() };
        Self {
            target,
            settings,
            state: Mutex::default(),
            writer: Arc::default(),
            written_for_long: Arc::default(),
            held: Arc::new(Semaphore::new(HELD)),
            anchor: Mutex::default(),
        }
    }

    /// How long one statement may take.
    pub(super) fn statement_timeout(&self) -> Option<Duration> {
        self.settings.statement_timeout
    }

    /// Waits until one more query may be open. Whoever reads without ever leaving its place need not ask.
    pub(super) async fn open_query(&self, cancel: &CancellationToken) -> Result<OpenQuery, ResourceError> {
        self.settings.open_queries.enter(self.settings.busy_timeout, cancel).await
    }

    /// Runs `work` on a blocking thread, as soon as it has a place.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        cancel: &CancellationToken,
        work: impl FnOnce(&mut Runner) -> Result<T, ResourceError> + Send + 'static,
    ) -> Result<T, ResourceError> {
        let (sender, receiver) = oneshot::channel();
        self.submit(Box::new(move |runner| {
            let result = work(runner);
            // Whoever asked may have gone.
            let _ = sender.send(result);
        }));
        tokio::select! {
            biased;
            result = receiver => result.unwrap_or_else(|_| Err(fell_over())),
            () = cancel.cancelled() => Err(ResourceError::Cancelled),
        }
    }

    fn submit(self: &Arc<Self>, job: Job) {
        let mut state = self.state.lock();
        if state.running < self.settings.places {
            state.running += 1;
            drop(state);
            self.start(job);
        } else {
            state.waiting.push_back(Waiting::Query(job));
        }
    }

    /// Starts a runner, which has its place already.
    fn start(self: &Arc<Self>, job: Job) {
        let runner = Runner { pool: Arc::clone(self), connection: None, placed: true };
        tokio::task::spawn_blocking(move || runner.run(job));
    }

    /// Hands a place on to the first who waits: a job, to be run by whoever asks, or one who resumes.
    fn hand_on(&self) -> Option<Job> {
        let mut state = self.state.lock();
        while let Some(first) = state.waiting.pop_front() {
            match first {
                Waiting::Query(job) => return Some(job),
                Waiting::Resumed(resumed) => {
                    if resumed.send(()).is_ok() {
                        return None;
                    }
                }
            }
        }
        state.running -= 1;
        None
    }

    /// Waits for a place among the others.
    async fn resume(&self, cancel: &CancellationToken) -> Result<(), ResourceError> {
        let mut resumed = {
            let mut state = self.state.lock();
            if state.running < self.settings.places {
                state.running += 1;
                return Ok(());
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting.push_back(Waiting::Resumed(sender));
            receiver
        };
        tokio::select! {
            biased;
            place = &mut resumed => place.map_err(|_| ResourceError::Cancelled),
            () = cancel.cancelled() => {
                resumed.close();
                // The place may have come in the very last moment.
                resumed.try_recv().map_err(|_| ResourceError::Cancelled)
            }
        }
    }

    /// Waits for the writing connection. Gives up as [`ResourceError::Busy`] when a transaction has kept it for as long as a
    /// statement waits for a lock; updates by themselves are done soon, and are waited for.
    pub(super) async fn writer(&self, cancel: &CancellationToken) -> Result<Writer, ResourceError> {
        let mut turn = std::pin::pin!(Arc::clone(&self.writer).lock_owned());
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(ResourceError::Cancelled),
                slot = &mut turn => return Ok(Writer { slot, for_long: None }),
                () = tokio::time::sleep(self.settings.busy_timeout) => {
                    if self.written_for_long.load(Ordering::Acquire) {
                        let message = "the transaction of another session is writing to the database; try again";
                        return Err(ResourceError::Busy { message: message.to_owned() });
                    }
                }
            }
        }
    }

    /// The same, for whoever keeps it longer than for one update.
    pub(super) async fn writer_for_long(&self, cancel: &CancellationToken) -> Result<Writer, ResourceError> {
        let mut writer = self.writer(cancel).await?;
        self.written_for_long.store(true, Ordering::Release);
        writer.for_long = Some(Arc::clone(&self.written_for_long));
        Ok(writer)
    }

    /// Waits until one more connection may be held.
    pub(super) async fn held_place(&self, cancel: &CancellationToken) -> Result<OwnedSemaphorePermit, ResourceError> {
        let busy = || ResourceError::Busy {
            message: format!("{HELD} transactions and cursors are open in this database; try again"),
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ResourceError::Cancelled),
            place = Arc::clone(&self.held).acquire_owned() => place.map_err(|_| busy()),
            () = tokio::time::sleep(self.settings.busy_timeout) => Err(busy()),
        }
    }

    /// A connection to be held; blocks.
    pub(super) fn hold(&self, purpose: Purpose) -> Result<SqliteConnection, ResourceError> {
        let kept = match purpose {
            Purpose::Read => self.state.lock().idle.pop(),
            Purpose::Write => self.state.lock().idle_writers.pop(),
        };
        kept.filter(SqliteConnection::is_fresh).map_or_else(|| self.connect(purpose), Ok)
    }

    /// Takes back a connection that was held, with nothing open on it.
    pub(super) fn give_back(&self, purpose: Purpose, connection: SqliteConnection) {
        let mut state = self.state.lock();
        let idle = match purpose {
            Purpose::Read => &mut state.idle,
            Purpose::Write => &mut state.idle_writers,
        };
        if idle.len() < self.settings.places {
            idle.push(connection);
        }
    }

    /// The writing connection, opened if it is not open; blocks meanwhile.
    pub(super) fn open_writer(&self, writer: &mut Writer) -> Result<SqliteConnection, ResourceError> {
        let kept = writer.slot.take().filter(SqliteConnection::is_fresh);
        kept.map_or_else(|| self.connect(Purpose::Write), Ok)
    }

    fn idle_connection(&self) -> Option<SqliteConnection> {
        let idle = self.state.lock().idle.pop();
        idle.filter(SqliteConnection::is_fresh)
    }

    fn connect(&self, purpose: Purpose) -> Result<SqliteConnection, ResourceError> {
        if self.target.in_memory {
            let mut anchor = self.anchor.lock();
            if anchor.is_none() {
                *anchor = Some(SqliteConnection::open(&self.target, Purpose::Write)?);
            }
        }
        SqliteConnection::open(&self.target, purpose)
    }
}

fn fell_over() -> ResourceError {
    ResourceError::Unavailable { message: "SQLite: the statement was abandoned by a fault in the service".to_owned() }
}

/// A thread that runs queries, one after the other, while there are any.
pub(super) struct Runner {
    pool: Arc<Pool>,
    connection: Option<SqliteConnection>,
    /// Whether it has a place.
    placed: bool,
}

impl Runner {
    fn run(mut self, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            job(&mut self);
            next = if self.placed { self.pool.hand_on() } else { None };
            self.placed = next.is_some();
        }
        if let Some(connection) = self.connection.take() {
            let mut state = self.pool.state.lock();
            if state.idle.len() < self.pool.settings.places {
                state.idle.push(connection);
            }
        }
    }

    /// Calls `work` with a connection, which is kept if it is still in order afterwards.
    pub(super) fn with_connection<T>(
        &mut self,
        work: impl FnOnce(&mut SqliteConnection, &mut Place<'_>) -> Result<T, ResourceError>,
    ) -> Result<T, ResourceError> {
        let kept = self.connection.take().or_else(|| self.pool.idle_connection());
        let mut connection = kept.map_or_else(|| self.pool.connect(Purpose::Read), Ok)?;
        let result = work(&mut connection, &mut Place { pool: &self.pool, placed: &mut self.placed });
        if !result.as_ref().is_err_and(breaks_connection) {
            self.connection = Some(connection);
        }
        result
    }

    /// The place that it runs in.
    pub(super) fn place(&mut self) -> Place<'_> {
        Place { pool: &self.pool, placed: &mut self.placed }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // A job that panicked leaves its place behind.
        if self.placed
            && let Some(job) = self.pool.hand_on()
        {
            self.pool.start(job);
        }
    }
}

/// The place of a running query.
pub(super) struct Place<'a> {
    pool: &'a Arc<Pool>,
    placed: &'a mut bool,
}

impl Place<'_> {
    /// Gives the place away and waits for something, on a thread that may block.
    pub(super) fn leave<T>(
        &mut self,
        cancel: &CancellationToken,
        patiently: impl Future<Output = Result<T, ResourceError>>,
    ) -> Result<T, ResourceError> {
        if std::mem::take(self.placed)
            && let Some(job) = self.pool.hand_on()
        {
            self.pool.start(job);
        }
        Handle::current().block_on(async {
            tokio::select! {
                biased;
                () = cancel.cancelled() => Err(ResourceError::Cancelled),
                result = patiently => result,
            }
        })
    }

    /// As [`Place::leave`], and queues for a place again when the waiting is over.
    pub(super) fn leave_for<T>(
        &mut self,
        cancel: &CancellationToken,
        patiently: impl Future<Output = Result<T, ResourceError>>,
    ) -> Result<T, ResourceError> {
        let result = self.leave(cancel, patiently)?;
        Handle::current().block_on(self.pool.resume(cancel))?;
        *self.placed = true;
        Ok(result)
    }
}

/// The right to write, with the connection for it once it is open.
#[derive(Debug)]
pub(super) struct Writer {
    slot: OwnedMutexGuard<Option<SqliteConnection>>,
    /// Set, if it is kept for longer than one update.
    for_long: Option<Arc<AtomicBool>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Before the right is given back.
        if let Some(for_long) = &self.for_long {
            for_long.store(false, Ordering::Release);
        }
    }
}

impl Writer {
    /// Keeps the connection for the next one who writes.
    pub(super) fn keep(&mut self, connection: SqliteConnection) {
        *self.slot = Some(connection);
    }
}
