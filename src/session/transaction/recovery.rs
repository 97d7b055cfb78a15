//! What is done about branches that were left behind prepared: by a crash, or by a database that did not answer.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use uuid::Uuid;

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
    /// When the last round began.
    looked: Mutex<Moment>,
    clock: Arc<dyn Clock>,
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
            if !recovery.round().await {
                recovery.is_due.store(true, Ordering::Release);
            }
            recovery.is_at_work.store(false, Ordering::Release);
        });
    }

    /// Settles what can be settled; gives whether nothing was left.
    pub(super) async fn round(&self) -> bool {
        // Before anything is rolled back: a witness may say that its transaction was committed.
        let (witnessed, undecided) = self.ask_witnesses().await;
        let mut is_complete = witnessed;
        for (name, resource) in &self.resources {
            is_complete &= match resource.prepared(self.log.id()).await {
                Ok(prepared) => self.settle(name, &**resource, prepared, &undecided).await,
                Err(error) => {
                    tracing::warn!(resource = %name, %error, "a data resource can't be asked for prepared transactions yet");
                    false
                }
            };
        }
        is_complete
    }

    /// Decides the transactions whose last branch was being committed; gives those that can't be decided yet.
    async fn ask_witnesses(&self) -> (bool, HashSet<Uuid>) {
        let mut undecided = HashSet::new();
        let in_doubt = match self.log.in_doubt().await {
            Ok(in_doubt) => in_doubt,
            Err(error) => {
                tracing::error!(%error, "prepared transactions can't be settled");
                return (false, undecided);
            }
        };
        let mut is_complete = true;
        for InDoubt { transaction, resource, witness } in in_doubt {
            if self.log.is_running(transaction) {
                continue;
            }
            let Some((_, asked)) = self.resources.iter().find(|(name, _)| *name == resource) else {
                undecided.insert(transaction);
                continue;
            };
            let entry = match asked.outcome(&witness).await {
                Ok(Some(Decision::Commit)) => Entry::Committed,
                Ok(Some(Decision::Rollback)) => Entry::RolledBack,
                Ok(None) => {
                    tracing::error!(%transaction, %resource,
                        "nobody knows whether a branch was committed that can't be prepared; \
                         the others are rolled back: compare the data");
                    Entry::RolledBack
                }
                Err(error) => {
                    tracing::warn!(%resource, %error, "a data resource can't be asked for the end of a transaction yet");
                    undecided.insert(transaction);
                    is_complete = false;
                    continue;
                }
            };
            if let Err(error) = self.log.write(transaction, entry).await {
                tracing::error!(%error, "the end of a transaction can't be written down");
                undecided.insert(transaction);
                is_complete = false;
            }
        }
        (is_complete, undecided)
    }

    async fn settle(
        &self,
        name: &str,
        resource: &dyn Recoverable,
        prepared: Vec<Xid>,
        undecided: &HashSet<Uuid>,
    ) -> bool {
        let mut is_complete = true;
        for xid in prepared.into_iter().filter(|xid| xid.log == self.log.id()) {
            // In this order: what does not go on any more has been decided.
            if self.log.is_running(xid.transaction) || undecided.contains(&xid.transaction) {
                is_complete = false;
                continue;
            }
            let settled = match self.log.decide(xid.transaction).await {
                Ok(decision) => resource.settle(xid, decision).await.map(|()| decision),
                Err(error) => Err(BranchError::Refused { message: error.to_string(), is_retryable: false }),
            };
            match settled {
                Ok(decision) => {
                    tracing::info!(resource = %name, transaction = %xid.transaction, ?decision,
                        "a prepared transaction that was left behind is settled");
                }
                Err(error) => {
                    tracing::warn!(resource = %name, transaction = %xid.transaction, %error,
                        "a prepared transaction can't be settled yet");
                    is_complete = false;
                }
            }
        }
        is_complete
    }
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("log", &self.log).finish_non_exhaustive()
    }
}
