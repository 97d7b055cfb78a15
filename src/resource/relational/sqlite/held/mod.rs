//! A connection that is held for longer than one statement: for a transaction, for a cursor.
//!
//! It has a thread of its own. What is asked of it are jobs, futures that borrow the connection: a query that waits for its
//! reader, or a cursor that waits to be fetched from, lets the others on in between, as SQLite itself does. So the statements
//! of one transaction may feed each other without waiting for each other for ever.

mod jobs;
mod load;
mod loaded_values;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(super) use jobs::{CursorCall, query, serve_cursor, update};
pub(super) use load::{load, load_in_parts};
use loaded_values::LoadedValues;

use super::authorizer::Purpose;
use super::connection::SqliteConnection;
use super::pool::{Pool, Writer};
use super::shape::ShapeCache;
use crate::resource::ResourceError;

/// How many things that were asked of a connection wait for its thread.
const QUEUED: usize = 64;

/// The connection with what belongs to it, as jobs see it.
pub(super) struct Desk {
    pub(super) connection: SqliteConnection,
    pub(super) shapes: RefCell<ShapeCache>,
    pub(super) pool: Arc<Pool>,
    /// The right to write, once it was needed; held while an update runs, so that one runs at a time.
    pub(super) writer: AsyncMutex<Option<Writer>>,
}

type Job = Box<dyn for<'d> FnOnce(&'d Desk) -> LocalBoxFuture<'d, ()> + Send>;

enum Message {
    Job(Job),
    /// Drops all jobs, runs a last statement, and ends.
    End(&'static str, oneshot::Sender<Result<(), ResourceError>>),
}

/// A connection that is held. When it is dropped, what is open on it is rolled back.
pub(super) struct HeldConnection {
    messages: mpsc::Sender<Message>,
}

impl HeldConnection {
    /// Takes a connection and runs a first statement of ours on it, which may be empty.
    pub(super) async fn take(
        pool: &Arc<Pool>,
        purpose: Purpose,
        first: &'static str,
        cancel: &CancellationToken,
    ) -> Result<Self, ResourceError> {
        let place = pool.held_place(cancel).await?;
        let (messages, received) = mpsc::channel(QUEUED);
        let (opened, ready) = oneshot::channel();
        let (pool, runtime) = (Arc::clone(pool), Handle::current());
        let thread = std::thread::Builder::new().name("sqlite-held".into());
        let started = thread.spawn(move || run(&pool, purpose, first, (received, opened), &runtime, place));
        started.map_err(|error| ResourceError::Unavailable { message: format!("SQLite: no thread: {error}") })?;
        ready.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(Self { messages })
    }

    /// Has a job done. Dropping the future drops the job where it waits.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl for<'d> FnOnce(&'d Desk) -> LocalBoxFuture<'d, Result<T, ResourceError>> + Send + 'static,
    ) -> Result<T, ResourceError> {
        let (mut done, result) = oneshot::channel();
        let job: Job = Box::new(move |desk| {
            let work = job(desk);
            Box::pin(async move {
                tokio::select! {
                    biased;
                    () = done.closed() => {}
                    result = work => {
                        // Whoever asked may have gone in this moment.
                        let _ = done.send(result);
                    }
                }
            })
        });
        self.messages.send(Message::Job(job)).await.map_err(|_| gone())?;
        result.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Begins a job that nobody waits for.
    pub(super) async fn start(
        &self,
        job: impl for<'d> FnOnce(&'d Desk) -> LocalBoxFuture<'d, ()> + Send + 'static,
    ) -> Result<(), ResourceError> {
        self.messages.send(Message::Job(Box::new(job))).await.map_err(|_| gone())
    }

    /// Drops all jobs and runs a last statement of ours.
    pub(super) async fn end(&self, last: &'static str) -> Result<(), ResourceError> {
        let (done, result) = oneshot::channel();
        self.messages.send(Message::End(last, done)).await.map_err(|_| gone())?;
        result.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl fmt::Debug for HeldConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldConnection")
    }
}

/// The connection has been given back.
pub(super) fn gone() -> ResourceError {
    ResourceError::Unavailable { message: "SQLite: the connection has been given back".to_owned() }
}

/// The thread of a held connection.
fn run(
    pool: &Arc<Pool>,
    purpose: Purpose,
    first: &'static str,
    (mut messages, opened): (mpsc::Receiver<Message>, oneshot::Sender<Result<(), ResourceError>>),
    runtime: &Handle,
    _place: OwnedSemaphorePermit,
) {
    let mut connection = match pool.hold(purpose).and_then(|held| held.run_own(first).map(|()| held)) {
        Ok(connection) => connection,
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    let _ = opened.send(Ok(()));
    let shapes = RefCell::new(std::mem::take(&mut connection.shapes));
    let desk = Desk { connection, shapes, pool: Arc::clone(pool), writer: AsyncMutex::default() };
    let end = runtime.block_on(serve(&desk, &mut messages));
    let result = match &end {
        Some((last, _)) => desk.connection.run_own(last),
        None => Ok(()),
    };
    if !desk.connection.driver().is_autocommit() {
        // One that can't even do this is closed, which does it.
        let _ = desk.connection.run_own("ROLLBACK");
    }
    let Desk { mut connection, shapes, writer, .. } = desk;
    connection.shapes = shapes.into_inner();
    drop(writer);
    if connection.driver().is_autocommit() && !result.as_ref().is_err_and(super::error::breaks_connection) {
        pool.give_back(purpose, connection);
    }
    if let Some((_, done)) = end {
        // Who asked may have gone; it is done all the same.
        let _ = done.send(result);
    }
}

/// Does jobs, side by side, until the end; gives the last statement, if there is one.
async fn serve(
    desk: &Desk,
    messages: &mut mpsc::Receiver<Message>,
) -> Option<(&'static str, oneshot::Sender<Result<(), ResourceError>>)> {
    let mut jobs = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = jobs.next() => {}
            message = messages.recv() => match message {
                Some(Message::Job(job)) => jobs.push(job(desk)),
                Some(Message::End(last, done)) => return Some((last, done)),
                None => return None,
            },
        }
    }
}
