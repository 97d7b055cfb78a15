//! The connection on which a transaction is open.

use std::sync::Arc;

use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::connect::{Kill, PART};
use super::error::{breaks_connection, resource_error};
use super::limit::Limit;
use super::link::Link;
use super::pool::{Lease, Leaves, Pool, cancellable};
use crate::resource::ResourceError;
use crate::session::BranchError;

/// What becomes of a transaction whose statement nobody waited for.
const BROKEN_OFF: &str = "a statement was broken off while the database was at it";

/// A connection with an open transaction, for one statement at a time.
#[derive(Debug)]
pub(super) struct Held {
    state: Mutex<State>,
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct State {
    lease: Option<Lease>,
    /// Whether a statement may have left something behind in the session.
    has_traces: bool,
    /// Why there is no lease.
    over: String,
    /// Whether that was a conflict.
    is_conflict: bool,
    /// Whether the transaction was ended as it is meant to be.
    is_ended: bool,
}

impl Held {
    pub(super) fn new(lease: Lease) -> Self {
        let pool = Arc::clone(lease.pool());
        let state =
            State { lease: Some(lease), has_traces: false, over: String::new(), is_conflict: false, is_ended: false };
        Self { state: Mutex::new(state), pool }
    }

    /// Runs a statement of a client, which is told by a token when to stop. Whatever it does wrong, the transaction goes on, unless the database ended it or nobody
    /// knows how it stands: then it is rolled back, and all later statements are told why.
    pub(super) async fn run<T>(
        &self,
        limit: &Limit<'_>,
        leaves_traces: bool,
        statement: impl AsyncFnOnce(&mut Link, &CancellationToken) -> Result<T, ResourceError>,
    ) -> Result<T, ResourceError> {
        let mut state = cancellable(limit.cancel, async { Ok(self.state.lock().await) }).await?;
        state.has_traces |= leaves_traces;
        let mut lease = state.take(BROKEN_OFF)?;
        // From here on, dropping this has the statement stopped and the connection closed.
        let id = lease.id();
        let stop = CancellationToken::new();
        let done = self.stoppable(id, limit, &stop, statement(lease.begin()?, &stop)).await;
        match self.check(&mut lease, done.as_ref().err()).await {
            Ok(()) => {
                lease.settle(Leaves::Traces);
                state.lease = Some(lease);
            }
            Err(over) => {
                state.over = over;
                state.is_conflict = matches!(done, Err(ResourceError::Conflict { .. }));
            }
        }
        done
    }

    /// Why the transaction is over although nobody ended it; `None` also while a statement runs.
    pub(super) fn ended(&self) -> Option<BranchError> {
        let state = self.state.try_lock().ok().filter(|state| state.lease.is_none() && !state.is_ended)?;
        Some(BranchError::Refused { message: state.over.clone(), is_retryable: state.is_conflict })
    }

    /// Waits for a statement; one that is to stop is killed in the server and awaited nonetheless, so that its connection
    /// stays in order.
    async fn stoppable<T>(
        &self,
        connection: u32,
        limit: &Limit<'_>,
        stop: &CancellationToken,
        statement: impl Future<Output = Result<T, ResourceError>>,
    ) -> Result<T, ResourceError> {
        let mut statement = std::pin::pin!(statement);
        let why = tokio::select! {
            biased;
            done = &mut statement => return done,
            why = limit.over() => why,
        };
        stop.cancel();
        let stopping = async {
            self.pool.connector().kill(connection, Kill::Statement).await?;
            // The error that the kill brings about is not of interest.
            let _ = statement.await;
            Ok(())
        };
        match timeout(PART, stopping).await {
            Ok(Ok(())) => Err(why),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ResourceError::Unavailable { message: "MariaDB: a statement could not be stopped".into() }),
        }
    }

    /// Whether the transaction is still open after a statement; otherwise why not.
    async fn check(&self, lease: &mut Lease, error: Option<&ResourceError>) -> Result<(), String> {
        match error {
            Some(error @ ResourceError::Conflict { .. }) => {
                let rolled_back =
                    lease.begin().map_err(|error| error.to_string())?.driver().query_drop("ROLLBACK").await;
                lease.settle(if rolled_back.is_ok() { Leaves::Traces } else { Leaves::Ruin });
                return Err(format!("it met a conflict: {error}"));
            }
            Some(error) if breaks_connection(error) => {
                return Err("its connection to the database was lost".into());
            }
            // It may have been stopped while its rows were on their way, of which some are still to be skipped.
            Some(ResourceError::Cancelled | ResourceError::TimedOut { .. } | ResourceError::Data { .. }) => {
                let id = lease.id();
                let link = lease.begin().map_err(|error| error.to_string())?;
                let skipping = async {
                    self.pool.connector().kill(id, Kill::Statement).await.map_err(|_| BROKEN_OFF)?;
                    // The first may meet the error of the kill.
                    let _ = link.driver().ping().await;
                    link.driver().ping().await.map_err(|_| BROKEN_OFF)
                };
                timeout(PART, skipping).await.unwrap_or(Err(BROKEN_OFF))?;
            }
            _ => {}
        }
        let link = lease.begin().map_err(|error| error.to_string())?;
        match is_in_transaction(link).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                lease.settle(Leaves::Traces);
                Err("the database ended it: a statement in it committed, or rolled back more than itself".into())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Takes the connection out, to end the transaction; `None` when it is over already. Gives it with whether its session has
    /// to be renewed.
    pub(super) async fn end(&self) -> Result<(Lease, Leaves), ResourceError> {
        let mut state = self.state.lock().await;
        let leaves = if state.has_traces { Leaves::Traces } else { Leaves::Nothing };
        let lease = state.take("it was ended")?;
        state.is_ended = true;
        Ok((lease, leaves))
    }
}

impl State {
    fn take(&mut self, over: &str) -> Result<Lease, ResourceError> {
        let lease = self.lease.take().ok_or_else(|| ResourceError::Conflict {
            message: format!("the transaction is over and was rolled back, because {}: begin a new one", self.over),
            code: "40000".into(),
        })?;
        over.clone_into(&mut self.over);
        Ok(lease)
    }
}

/// Whether a transaction is open, as the last answer of the server said.
async fn is_in_transaction(link: &mut Link) -> Result<bool, ResourceError> {
    if link.driver().last_ok_packet().is_none() {
        link.driver().ping().await.map_err(resource_error)?;
    }
    let last = link.driver().last_ok_packet();
    Ok(last.is_some_and(|ok| ok.status_flags().contains(StatusFlags::SERVER_STATUS_IN_TRANS)))
}
