use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::error::breaks_connection;
use super::kill::{Kill, PART};
use super::link::LinkId;
use super::pool::Pool;
use crate::block::BlockWriter;
use crate::resource::ResourceError;

/// What a statement is bound by: whether anybody still wants it, and for how long it may go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit<'a> {
    pub(super) cancel: &'a CancellationToken,
    pub(super) time: Option<Duration>,
    /// Where its rows go: it is over when nobody reads them any more.
    pub(super) reader: Option<&'a BlockWriter>,
    /// Who stops it, where it has to be known whether it was done.
    pub(super) stopper: Option<&'a Stopper>,
}

impl Limit<'_> {
    /// Waits for a statement, as long as it may take. Without a stopper, who gives up drops it, and has it stopped in the
    /// server.
    pub(super) async fn keep<T>(
        &self,
        work: impl Future<Output = Result<T, ResourceError>>,
    ) -> Result<T, ResourceError> {
        let mut work = std::pin::pin!(work);
        let why = tokio::select! {
            biased;
            done = &mut work => return done,
            why = self.over() => why,
        };
        match self.stopper {
            Some(stopper) => stopper.stop(why, work).await,
            None => Err(why),
        }
    }

    /// Returns when it is over, and why.
    pub(super) async fn over(&self) -> ResourceError {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => ResourceError::Cancelled,
            () = self.reader_gone() => ResourceError::Cancelled,
            error = self.time_out() => error,
        }
    }

    async fn reader_gone(&self) {
        match self.reader {
            None => std::future::pending().await,
            Some(reader) => reader.closed().await,
        }
    }

    async fn time_out(&self) -> ResourceError {
        match self.time {
            None => std::future::pending().await,
            Some(time) => {
                tokio::time::sleep(time).await;
                ResourceError::TimedOut {
                    message: format!("the statement took longer than {} ms, and was stopped", time.as_millis()),
                }
            }
        }
    }
}

/// Has the server stop the statement of a connection, and awaits what it says: the statement may have been done just before,
/// and then it has not been stopped.
#[derive(Debug)]
pub(super) struct Stopper {
    pool: Arc<Pool>,
    connection: LinkId,
    was_used: AtomicBool,
}

impl Stopper {
    /// For a connection.
    pub(super) fn new(pool: &Arc<Pool>, connection: LinkId) -> Self {
        Self { pool: Arc::clone(pool), connection, was_used: AtomicBool::new(false) }
    }

    /// Whether a statement of the connection was to be stopped: the next one may still meet the error of that.
    pub(super) fn was_used(&self) -> bool {
        self.was_used.load(Ordering::Acquire)
    }

    /// Stops a statement for a reason, which is its error unless it was done or failed by itself.
    pub(super) async fn stop<T>(
        &self,
        why: ResourceError,
        statement: Pin<&mut impl Future<Output = Result<T, ResourceError>>>,
    ) -> Result<T, ResourceError> {
        self.was_used.store(true, Ordering::Release);
        let stopping = async {
            self.pool.connector().kill(self.connection, Kill::Statement).await?;
            Ok::<_, ResourceError>(statement.await)
        };
        let lost = |message: String| Err(ResourceError::Lost { message });
        match timeout(PART, stopping).await {
            Ok(Ok(Ok(done))) => Ok(done),
            Ok(Ok(Err(error @ ResourceError::Conflict { .. }))) => Err(error),
            Ok(Ok(Err(error))) if breaks_connection(&error) => Err(error),
            // The error that stopping it has brought about.
            Ok(Ok(Err(_))) => Err(why),
            Ok(Err(error)) => lost(format!("a statement could not be stopped: {error}")),
            Err(_) => lost("MariaDB: a statement could not be stopped in time".into()),
        }
    }
}
