//! What is done about branches that were left behind prepared: by a crash, or by a database that did not answer.

use std::collections::HashSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::log::{DecisionLog, Entry, InDoubt};
use super::{BranchError, Decision, LogId, Xid};
use crate::session::{Clock, Moment};

/// A data resource that keeps prepared branches.
#[async_trait]
pub trait Recoverable: Send + Sync + fmt::Debug {
    /// The branches of a log's transactions that are prepared here.
    ///
    /// # Errors
    ///
    /// [`BranchError`] when it does not answer.
    async fn prepared(&self, log: LogId) -> Result<Vec<Xid>, BranchError>;

    /// Ends a prepared branch. One that is not there has ended before.
    ///
    /// # Errors
    ///
    /// [`BranchError`] when it is still there, or nobody knows.
    async fn settle(&self, xid: Xid, decision: Decision) -> Result<(), BranchError>;

    /// What became of a branch that can't be prepared, by the witness that it gave before its commit
    /// ([`TransactionBranch::witness`](super::TransactionBranch::witness)); `None` when that can't be told.
    ///
    /// # Errors
    ///
    /// [`BranchError`] when it does not answer.
    async fn outcome(&self, witness: &str) -> Result<Option<Decision>, BranchError>;
}

/// How often is looked without a cause. A database may have been told to prepare a branch by somebody who has gone, and may do so
/// after it was asked what is prepared.
const ANYWAY: Duration = Duration::from_mins(1);

/// How long a data resource may take for one answer. One that hangs is asked again later, as one that is down.
const PATIENCE: Duration = Duration::from_secs(30);

/// Settles what was left behind in the data resources of one data service resource.
pub(super) struct Recovery {
    log: Arc<DecisionLog>,
    /// By the names that the log gives them.
    resources: Vec<(Box<str>, Arc<dyn Recoverable>)>,
    /// One round at a time.
    is_at_work: AtomicBool,
    /// A round was not complete.
    is_due: AtomicBool,
    /// How often the log had seen a branch left behind when the last round began.
    seen: AtomicU64,
    /// What the last round could not do. It is told once, not once a second.
    told: Mutex<HashSet<String>>,
    /// When the last round began.
    looked: Mutex<Moment>,
    clock: Arc<dyn Clock>,
}

/// What one round could not do.
#[derive(Debug, Default)]
struct Complaints {
    before: HashSet<String>,
    now: Mutex<HashSet<String>>,
}

impl Complaints {
    /// Whether this is new, and to be told.
    fn are_new(&self, complaint: String) -> bool {
        let is_new = !self.before.contains(&complaint);
        self.now.lock().insert(complaint) && is_new
    }
}

impl Recovery {
    pub(super) fn new(
        log: Arc<DecisionLog>,
        resources: Vec<(Box<str>, Arc<dyn Recoverable>)>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            log,
            resources,
            is_at_work: AtomicBool::new(false),
            is_due: AtomicBool::new(true),
            seen: AtomicU64::new(0),
            told: Mutex::default(),
            looked: Mutex::new(clock.now()),
            clock,
        })
    }

    /// Starts a round in the background, if there may be something to do and none is under way.
    pub(super) fn look(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        let left_behind = self.log.left_behind();
        let (looked, now) = (*self.looked.lock(), self.clock.now());
        if self.seen.swap(left_behind, Ordering::AcqRel) != left_behind || now.since(looked) >= ANYWAY {
            self.is_due.store(true, Ordering::Release);
        }
        if !self.is_due.load(Ordering::Acquire) || self.is_at_work.swap(true, Ordering::AcqRel) {
            return;
        }
        self.is_due.store(false, Ordering::Release);
        *self.looked.lock() = now;
        let recovery = Arc::clone(self);
        runtime.spawn(async move {
            // A data resource that panics is one that does not answer.
            let is_complete = AssertUnwindSafe(recovery.round()).catch_unwind().await.unwrap_or(false);
            if !is_complete {
                recovery.is_due.store(true, Ordering::Release);
            }
            recovery.is_at_work.store(false, Ordering::Release);
        });
    }

    /// Settles what can be settled; gives whether nothing was left.
    async fn round(&self) -> bool {
        let complaints = Complaints { before: std::mem::take(&mut *self.told.lock()), now: Mutex::default() };
        // Before anything is rolled back: a witness may say that its transaction was committed.
        let witnessed = self.ask_witnesses(&complaints).await;
        let settling = self.resources.iter().map(|(name, resource)| self.settle_all(name, &**resource, &complaints));
        // Side by side: one that hangs does not keep the others waiting.
        let settled = join_all(settling).await;
        *self.told.lock() = complaints.now.into_inner();
        witnessed && settled.into_iter().all(|is_settled| is_settled)
    }

    /// Decides the transactions whose last branch was being committed; gives whether all are.
    async fn ask_witnesses(&self, complaints: &Complaints) -> bool {
        let in_doubt = match self.log.in_doubt().await {
            Ok(in_doubt) => in_doubt,
            Err(error) => {
                if complaints.are_new(error.to_string()) {
                    tracing::error!(%error, "prepared transactions can't be settled");
                }
                return false;
            }
        };
        let asking = in_doubt.iter().filter(|doubt| !self.log.is_running(doubt.transaction));
        join_all(asking.map(|doubt| self.ask_witness(doubt, complaints))).await.into_iter().all(|is_decided| is_decided)
    }

    async fn ask_witness(&self, doubt: &InDoubt, complaints: &Complaints) -> bool {
        let InDoubt { transaction, resource, witness } = doubt;
        let Some((_, asked)) = self.resources.iter().find(|(name, _)| name == resource) else {
            if complaints.are_new(format!("{transaction} {resource}")) {
                tracing::warn!(%transaction, %resource,
                    "a transaction can't be settled, because a data resource that took part in it is not configured here");
            }
            return false;
        };
        let entry = match in_time(asked.outcome(witness)).await {
            Ok(Some(Decision::Commit)) => Entry::Committed,
            Ok(Some(Decision::Rollback)) => Entry::RolledBack,
            Ok(None) => {
                tracing::error!(%transaction, %resource,
                    "nobody knows whether a branch was committed that can't be prepared; \
                     the others are rolled back: compare the data");
                Entry::RolledBack
            }
            Err(error) => {
                if complaints.are_new(format!("{resource}: {error}")) {
                    tracing::warn!(%resource, %error, "a data resource can't be asked for the end of a transaction yet");
                }
                return false;
            }
        };
        let written = self.log.write(*transaction, entry).await;
        if let Err(error) = &written
            && complaints.are_new(error.to_string())
        {
            tracing::error!(%error, "the end of a transaction can't be written down");
        }
        written.is_ok()
    }

    /// Settles what is prepared in one data resource; gives whether nothing was left.
    async fn settle_all(&self, name: &str, resource: &dyn Recoverable, complaints: &Complaints) -> bool {
        let prepared = match in_time(resource.prepared(self.log.id())).await {
            Ok(prepared) => prepared,
            Err(error) => {
                if complaints.are_new(format!("{name}: {error}")) {
                    tracing::warn!(resource = %name, %error, "a data resource can't be asked for prepared transactions yet");
                }
                return false;
            }
        };
        let mut is_complete = true;
        for xid in prepared.into_iter().filter(|xid| xid.log == self.log.id()) {
            is_complete &= self.settle(name, resource, xid, complaints).await;
        }
        is_complete
    }

    async fn settle(&self, name: &str, resource: &dyn Recoverable, xid: Xid, complaints: &Complaints) -> bool {
        // In this order: what does not go on any more has been decided, or its last branch is to be asked about.
        if self.log.is_running(xid.transaction) {
            return false;
        }
        let settled = match self.log.decide(xid.transaction).await {
            Ok(Some(decision)) => in_time(resource.settle(xid, decision)).await.map(|()| decision),
            Ok(None) => return false,
            Err(error) => Err(BranchError::Refused { message: error.to_string(), is_retryable: false }),
        };
        match &settled {
            Ok(decision) => {
                tracing::info!(resource = %name, transaction = %xid.transaction, ?decision,
                    "a prepared transaction that was left behind is settled");
            }
            Err(error) if complaints.are_new(format!("{name} {xid}: {error}")) => {
                tracing::warn!(resource = %name, transaction = %xid.transaction, %error,
                    "a prepared transaction can't be settled yet");
            }
            Err(_) => {}
        }
        settled.is_ok()
    }
}

/// What a data resource answers, if it does so in time.
async fn in_time<T>(answer: impl Future<Output = Result<T, BranchError>>) -> Result<T, BranchError> {
    let late =
        |_| Err(BranchError::Lost { message: format!("there is no answer after {} seconds", PATIENCE.as_secs()) });
    timeout(PATIENCE, answer).await.unwrap_or_else(late)
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("log", &self.log).finish_non_exhaustive()
    }
}
