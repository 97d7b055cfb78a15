//! A transaction that stays open on a connection of its own.
//!
//! Queries run behind a savepoint, `rejoin_reading`, from which on only reading is allowed; it stays for the queries that
//! follow, so that they cost nothing more than outside, and is gone back to before anything else. So a query that fails takes
//! nothing with it, and none can write. Each update has a savepoint of its own.

mod branch;
mod statements;
mod turn;
pub(super) mod two_phase;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::PostgresResource;
use super::control::Control;
use super::outlet::Outlet;
use super::pool::Lease;
use crate::block::BlockWriter;
use crate::resource::ResourceError;
use crate::session::{BranchError, Isolation, TransactionOptions, Xid};

/// An open transaction of a PostgreSQL database.
#[derive(Debug, Clone)]
pub(super) struct PostgresTransaction {
    pub(super) inner: Arc<Inner>,
}

/// What the statements of a transaction and its cursors share.
#[derive(Debug)]
pub(super) struct Inner {
    open: tokio::sync::Mutex<Open>,
    /// Why it is over, once it is.
    over: Mutex<Option<BranchError>>,
    /// How many wait for their turn.
    waiting: AtomicUsize,
    statement_timeout: Option<Duration>,
    /// The name under which it can be prepared, where the server keeps such transactions.
    xid: Option<Xid>,
}

/// The connection of a transaction.
#[derive(Debug)]
struct Open {
    /// None when it is over.
    lease: Option<Lease>,
    /// Whether the savepoint of the queries is set.
    is_reading: bool,
    /// Whether it is prepared, and waits for its end.
    is_prepared: bool,
}

/// Begins a transaction.
pub(super) async fn begin(
    resource: &PostgresResource,
    options: &TransactionOptions,
) -> Result<PostgresTransaction, BranchError> {
    let isolation = match options.isolation {
        None => "",
        Some(Isolation::ReadUncommitted) => " ISOLATION LEVEL READ UNCOMMITTED",
        Some(Isolation::ReadCommitted) => " ISOLATION LEVEL READ COMMITTED",
        Some(Isolation::RepeatableRead) => " ISOLATION LEVEL REPEATABLE READ",
        Some(Isolation::Serializable) => " ISOLATION LEVEL SERIALIZABLE",
    };
    let access = if options.read_only { " READ ONLY" } else { " READ WRITE" };
    // The first snapshot decides whether a serializable transaction counts as one that only reads, and queries run as such.
    let snapshot = if options.isolation == Some(Isolation::Serializable) { "; SELECT" } else { "" };
    let begin = format!("BEGIN{isolation}{access}{snapshot}");
    let unlimited = Control::new(CancellationToken::new(), None);
    let lease = resource.lend_begun(&begin, &unlimited).await.map_err(|error| refused(&error))?;
    let xid = match options.xid {
        Some(xid) if two_phase::is_possible(&lease).await? => Some(xid),
        _ => None,
    };
    let inner = Inner {
        open: tokio::sync::Mutex::new(Open { lease: Some(lease), is_reading: false, is_prepared: false }),
        over: Mutex::new(None),
        waiting: AtomicUsize::new(0),
        statement_timeout: resource.access.statement_timeout,
        xid,
    };
    Ok(PostgresTransaction { inner: Arc::new(inner) })
}

/// Nothing of the branch holds, because of this.
fn refused(error: &ResourceError) -> BranchError {
    match error {
        ResourceError::Unavailable { message } => BranchError::Unavailable { message: message.clone() },
        error => BranchError::Refused { message: error.to_string(), is_retryable: error.is_retryable() },
    }
}

impl Inner {
    /// What may end a statement that begins now.
    pub(super) fn control(&self, cancel: CancellationToken) -> Control {
        Control::new(cancel, self.statement_timeout)
    }

    /// Where the rows of a statement of this transaction go.
    pub(super) fn outlet<'a>(&'a self, output: &'a BlockWriter) -> Outlet<'a> {
        Outlet::sharing(output, &self.waiting)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.lock().is_some()
    }
}
