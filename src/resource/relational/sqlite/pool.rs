//! The connections of one database.
//!
//! There are as many *places* for running queries as suit the machine; who finds none free waits in the order of arrival.
//! A query whose reader is slow gives its place to the next one while it waits, and queues for a place again: the queries
//! of one request can't starve one another, nor can a stalled client stop the others. Connections are opened when they
//! are needed, and as many as there are places are kept.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Mutex as FairMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::authorizer::Purpose;
use super::connection::{SqliteConnection, Target};
use super::error::breaks_connection;
use crate::resource::ResourceError;

/// How a [`SqliteResource`](super::SqliteResource) uses its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    /// How many queries run at the same time.
    pub places: usize,
    /// How many queries may be open, running or waiting for their readers. More are refused as busy.
    pub open_queries: usize,
    /// How long a statement waits for the lock of another connection.
    pub busy_timeout: Duration,
}

impl Default for SqliteSettings {
    /// Two places for each core, 256 open queries, five seconds.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { places: 2 * cores, open_queries: 256, busy_timeout: Duration::from_secs(5) }
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    target: Target,
    places: Arc<Semaphore>,
    kept: usize,
    open: Arc<Semaphore>,
    open_limit: usize,
    idle: Mutex<Vec<SqliteConnection>>,
    writer: Arc<FairMutex<Option<SqliteConnection>>>,
    /// Keeps a database in memory alive while nobody uses it.
    anchor: Mutex<Option<SqliteConnection>>,
}

impl Pool {
    pub(super) fn new(target: Target, settings: &SqliteSettings) -> Self {
        let places = settings.places.max(1);
        Self {
            target,
            places: Arc::new(Semaphore::new(places)),
            kept: places,
            open: Arc::new(Semaphore::new(settings.open_queries.max(1))),
            open_limit: settings.open_queries.max(1),
            idle: Mutex::default(),
            writer: Arc::default(),
            anchor: Mutex::default(),
        }
    }

    /// Waits for a place to run a query in.
    pub(super) async fn place(&self, cancel: &CancellationToken) -> Result<Place, ResourceError> {
        let Ok(open) = Arc::clone(&self.open).try_acquire_owned() else {
            return Err(ResourceError::Busy {
                message: format!("{} queries are open on this data resource; try again", self.open_limit),
            });
        };
        let running = acquire(&self.places, cancel).await?;
        Ok(Place { places: Arc::clone(&self.places), running: Some(running), _open: open })
    }

    /// Runs `work` with a reading connection, and keeps the connection if it is still in order; blocks meanwhile.
    pub(super) fn with_reader<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, ResourceError>,
    ) -> Result<T, ResourceError> {
        let kept = self.idle.lock().pop();
        let mut connection = kept.map_or_else(|| self.open(Purpose::Read), Ok)?;
        let result = work(&mut connection);
        if !result.as_ref().is_err_and(breaks_connection) {
            let mut idle = self.idle.lock();
            if idle.len() < self.kept {
                idle.push(connection);
            }
        }
        result
    }

    /// Waits for the writing connection.
    pub(super) async fn writer(&self, cancel: &CancellationToken) -> Result<Writer, ResourceError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ResourceError::Cancelled),
            slot = Arc::clone(&self.writer).lock_owned() => Ok(Writer { slot }),
        }
    }

    /// Opens the writing connection if it is not open; blocks meanwhile.
    pub(super) fn open_writer(&self, writer: &mut Writer) -> Result<SqliteConnection, ResourceError> {
        writer.slot.take().map_or_else(|| self.open(Purpose::Write), Ok)
    }

    fn open(&self, purpose: Purpose) -> Result<SqliteConnection, ResourceError> {
        self.keep_alive()?;
        SqliteConnection::open(&self.target, purpose)
    }

    fn keep_alive(&self) -> Result<(), ResourceError> {
        if self.target.in_memory {
            let mut anchor = self.anchor.lock();
            if anchor.is_none() {
                *anchor = Some(SqliteConnection::open(&self.target, Purpose::Write)?);
            }
        }
        Ok(())
    }
}

async fn acquire(places: &Arc<Semaphore>, cancel: &CancellationToken) -> Result<OwnedSemaphorePermit, ResourceError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ResourceError::Cancelled),
        // The semaphore is never closed.
        permit = Arc::clone(places).acquire_owned() => permit.map_err(|_| ResourceError::Cancelled),
    }
}

/// The right to run a query.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Semaphore>,
    running: Option<OwnedSemaphorePermit>,
    _open: OwnedSemaphorePermit,
}

impl Place {
    /// Lets others run while this query waits for its reader.
    pub(super) fn leave(&mut self) {
        self.running = None;
    }

    /// Queues for a place again.
    pub(super) async fn retake(&mut self, cancel: &CancellationToken) -> Result<(), ResourceError> {
        if self.running.is_none() {
            self.running = Some(acquire(&self.places, cancel).await?);
        }
        Ok(())
    }
}

/// The right to write, with the connection for it once it is open.
#[derive(Debug)]
pub(super) struct Writer {
    slot: OwnedMutexGuard<Option<SqliteConnection>>,
}

impl Writer {
    /// Keeps the connection for the next one who writes.
    pub(super) fn keep(&mut self, connection: SqliteConnection) {
        *self.slot = Some(connection);
    }
}
