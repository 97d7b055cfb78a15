//! The connection on which a transaction is open.

use std::sync::Arc;

use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::error::{breaks_connection, resource_error};
use super::kill::{Kill, PART};
use super::limit::{Limit, Stopper};
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
    /// Why there is no lease, as later statements are told.
    over: ResourceError,
    /// Whether that was a conflict.
    is_conflict: bool,
    /// Whether the transaction was ended as it is meant to be.
    is_ended: bool,
}

impl Held {
    pub(super) fn new(lease: Lease) -> Self {
        let pool = Arc::clone(lease.pool());
        let state =
            State { lease: Some(lease), has_traces: false, over: was_ended(), is_conflict: false, is_ended: false };
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
        let mut lease = state.take(rolled_back(BROKEN_OFF))?;
        // From here on, dropping this has the statement stopped and the connection closed.
        let stopper = Stopper::new(&self.pool, lease.id()?);
        let done = stoppable(limit, &stopper, async |stop| statement(lease.begin()?, stop).await).await;
        match self.check(&mut lease, done.as_ref().err(), &stopper).await {
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
        Some(BranchError::Refused { message: state.over.to_string(), is_retryable: state.is_conflict })
    }

    /// Whether the transaction is still open after a statement; otherwise what later statements are told.
    async fn check(
        &self,
        lease: &mut Lease,
        error: Option<&ResourceError>,
        stopper: &Stopper,
    ) -> Result<(), ResourceError> {
        match error {
            Some(error @ ResourceError::Conflict { .. }) => {
                let rolled_back_now = lease.begin()?.driver().query_drop("ROLLBACK").await;
                lease.settle(if rolled_back_now.is_ok() { Leaves::Traces } else { Leaves::Ruin });
                return Err(rolled_back(&format!("it met a conflict: {error}")));
            }
            Some(error) if breaks_connection(error) => {
                return Err(rolled_back("its connection to the database was lost"));
            }
            Some(error) if is_end(error) => {
                // Closed, it takes back what the statement may have begun after it had ended this.
                lease.settle(Leaves::Ruin);
                return Err(ended_by_statement());
            }
            _ => {}
        }
        let is_cut_off = matches!(
            error,
            Some(ResourceError::Cancelled | ResourceError::TimedOut { .. } | ResourceError::Data { .. })
        );
        if is_cut_off || stopper.was_used() {
            self.calm(lease, stopper).await?;
        }
        match is_in_transaction(lease.begin()?, error.is_some()).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                lease.settle(Leaves::Traces);
                Err(ended_by_statement())
            }
            Err(error) => Err(rolled_back(&error.to_string())),
        }
    }

    /// Brings a connection into order whose statement may have been stopped while its rows were on their way, of which some are
    /// still to be skipped.
    async fn calm(&self, lease: &mut Lease, stopper: &Stopper) -> Result<(), ResourceError> {
        let broken_off = |_| rolled_back(BROKEN_OFF);
        let id = lease.id()?;
        let link = lease.begin()?;
        let skipping = async {
            if !stopper.was_used() {
                self.pool.connector().kill(id, Kill::Statement).await.map_err(|_| rolled_back(BROKEN_OFF))?;
            }
            // The first may meet the error of the kill.
            let _ = link.driver().ping().await;
            link.driver().ping().await.map_err(|_| rolled_back(BROKEN_OFF))
        };
        timeout(PART, skipping).await.map_err(broken_off)?
    }

    /// Takes the connection out, to end the transaction; `None` when it is over already. Gives it with whether its session has
    /// to be renewed.
    pub(super) async fn end(&self) -> Result<(Lease, Leaves), ResourceError> {
        let mut state = self.state.lock().await;
        let leaves = if state.has_traces { Leaves::Traces } else { Leaves::Nothing };
        let lease = state.take(was_ended())?;
        state.is_ended = true;
        Ok((lease, leaves))
    }
}

impl State {
    /// Takes the connection out; later statements are told `over`.
    fn take(&mut self, over: ResourceError) -> Result<Lease, ResourceError> {
        let lease = self.lease.take().ok_or_else(|| self.over.clone())?;
        self.over = over;
        Ok(lease)
    }
}

/// The SQLSTATE of a statement that ends the transaction which it runs in.
const ENDS_TRANSACTION: &str = "2D000";

/// The error of a statement that has ended the transaction which it ran in, as a procedure with a COMMIT does.
pub(super) fn end_error() -> ResourceError {
    ResourceError::Sql {
        message: "the statement ended the transaction that it ran in, by a COMMIT, a ROLLBACK or a change of the schema: call \
                  it outside of a transaction"
            .into(),
        code: ENDS_TRANSACTION.into(),
        offset: None,
    }
}

fn is_end(error: &ResourceError) -> bool {
    matches!(error, ResourceError::Sql { code, .. } if code == ENDS_TRANSACTION)
}

fn rolled_back(why: &str) -> ResourceError {
    ResourceError::Conflict {
        message: format!("the transaction is over and was rolled back, because {why}: begin a new one"),
        code: "40000".into(),
    }
}

fn was_ended() -> ResourceError {
    super::error::sql("the transaction is over, because it was ended: begin a new one")
}

/// It can't be said that nothing was done: who tried again might do it twice.
fn ended_by_statement() -> ResourceError {
    ResourceError::Sql {
        message:
            "the transaction is over, because a statement in it ended it: what was done before that may have been \
                  committed"
                .into(),
        code: ENDS_TRANSACTION.into(),
        offset: None,
    }
}

/// Waits for a statement; one that is to stop is killed in the server and awaited nonetheless, so that its connection stays in
/// order, and so that one which was done is not said to have been stopped.
async fn stoppable<T>(
    limit: &Limit<'_>,
    stopper: &Stopper,
    statement: impl AsyncFnOnce(&CancellationToken) -> Result<T, ResourceError>,
) -> Result<T, ResourceError> {
    let stop = CancellationToken::new();
    let mut statement = std::pin::pin!(statement(&stop));
    let why = tokio::select! {
        biased;
        done = &mut statement => return done,
        why = limit.over() => why,
    };
    stop.cancel();
    stopper.stop(why, statement).await
}

/// Whether a transaction is open, as the last answer of the server said. After a statement that failed it is asked: the driver
/// takes the answer to a preparation for one that tells.
async fn is_in_transaction(link: &mut Link, has_failed: bool) -> Result<bool, ResourceError> {
    if has_failed || link.driver().last_ok_packet().is_none() {
        link.driver().ping().await.map_err(resource_error)?;
    }
    let last = link.driver().last_ok_packet();
    Ok(last.is_some_and(|ok| ok.status_flags().contains(StatusFlags::SERVER_STATUS_IN_TRANS)))
}
