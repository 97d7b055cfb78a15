use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tracing::Instrument;
use uuid::Uuid;

use super::log::Entry;
use super::two_phase::{self, Logged};
use super::work::{Enlisted, Step, Work};
use super::{
    BranchError, TransactionBranch, TransactionError, TransactionOptions, TransactionReport, TransactionState, Xid,
};
use crate::session::{CloseError, LiveAttribute};

/// A transaction of one session: a live attribute, which the requests of the session find one after the other.
///
/// It is rolled back when it is closed or dropped before it is committed: at the end of the session, or when the request fails
/// that began it. No client takes it out of the session by the name of its attribute.
pub struct Transaction {
    shared: Arc<Shared>,
}

struct Shared {
    id: Uuid,
    options: TransactionOptions,
    /// Written by those alone who hold `work`.
    state: parking_lot::Mutex<TransactionState>,
    /// Which branch rolled it back, and why, if nobody asked for it.
    failure: parking_lot::Mutex<Option<(Box<str>, BranchError)>>,
    work: AsyncMutex<Work>,
    /// Where it is rolled back when nobody waits for that.
    runtime: Option<Handle>,
}

impl Transaction {
    pub(super) fn begin(id: Uuid, options: TransactionOptions, logged: Option<Logged>) -> Self {
        let shared = Shared {
            id,
            options,
            state: parking_lot::Mutex::new(TransactionState::Active),
            failure: parking_lot::Mutex::default(),
            work: AsyncMutex::new(Work { logged, ..Work::default() }),
            runtime: Handle::try_current().ok(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Its id: safe to show and to log.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.shared.id
    }

    /// How it began: what its branches begin with.
    #[must_use]
    pub fn options(&self) -> TransactionOptions {
        self.shared.options
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> TransactionState {
        self.shared.state()
    }

    /// The error that says that it is over, and how.
    #[must_use]
    pub fn finished(&self) -> TransactionError {
        self.shared.finished()
    }

    /// How it stands, to be shown and kept.
    #[must_use]
    pub fn report(&self) -> TransactionReport {
        let TransactionOptions { isolation, read_only, .. } = self.options();
        let is_retryable = self.shared.finished().is_retryable();
        TransactionReport { id: self.id(), state: self.state(), isolation, read_only, is_retryable }
    }

    /// Whether it is, or will be, what it was asked to become; else whoever asked has an error that tells.
    pub(in crate::session) fn is_as_asked(&self) -> bool {
        match self.state() {
            TransactionState::Committing | TransactionState::Committed => true,
            TransactionState::RolledBack => self.shared.failure.lock().is_none(),
            TransactionState::Active | TransactionState::Failed => false,
        }
    }

    /// Looks whether a branch is over by itself, as after a statement that failed; then the others are rolled back. Nobody
    /// waits for that.
    pub fn look(&self) {
        if self.state() == TransactionState::Active
            && let Some(runtime) = &self.shared.runtime
        {
            let shared = Arc::clone(&self.shared);
            runtime.spawn(async move {
                // What it finds, whoever works with the transaction next is told.
                let _ = shared.active().await;
            });
        }
    }

    /// The branch of a data resource: the one that has that name, or the one that `begin` makes, which is called only if there
    /// is none, with the options for it. Of several that ask for it at once, one begins it. A new branch gets the savepoints
    /// that the transaction has.
    ///
    /// # Errors
    ///
    /// [`TransactionError::NotBegun`] with what `begin` answers, [`TransactionError::OtherBranch`] when there is one of another
    /// type, [`TransactionError::Finished`].
    pub async fn enlist<B: TransactionBranch, F>(
        &self,
        name: &str,
        begin: impl FnOnce(TransactionOptions) -> F + Send,
    ) -> Result<Arc<B>, TransactionError>
    where
        F: Future<Output = Result<B, BranchError>> + Send,
    {
        let mut work = self.shared.active().await?;
        if let Some(enlisted) = work.branches.iter().find(|enlisted| *enlisted.name == *name) {
            let branch = Arc::clone(&enlisted.branch).downcast();
            return branch.ok_or_else(|| TransactionError::OtherBranch { branch: name.into() });
        }
        let not_begun = |error| TransactionError::NotBegun { branch: name.into(), error };
        let branch = Arc::new(begin(self.shared.branch_options(&work)).await.map_err(not_begun)?);
        for mark in work.savepoints.marks() {
            Step::Savepoint(mark.into()).run(&*branch).await.map_err(not_begun)?;
        }
        work.branches.push(Enlisted { name: name.into(), branch: Arc::clone(&branch) as _ });
        Ok(branch)
    }

    /// Makes it hold, in one branch after the other, in the order in which they were enlisted.
    ///
    /// # Errors
    ///
    /// [`TransactionError::RolledBack`] when nothing of it holds, [`TransactionError::PartlyCommitted`] and
    /// [`TransactionError::InDoubt`] when something does or may, [`TransactionError::Finished`] when it was over before.
    pub async fn commit(&self) -> Result<(), TransactionError> {
        self.apart(|shared| async move { shared.commit().await }).await
    }

    /// Takes everything back. That one of its branches has done so before is no error.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Finished`] when it was over before.
    pub async fn rollback(&self) -> Result<(), TransactionError> {
        self.apart(|shared| async move { shared.rollback().await }).await
    }

    /// Marks a place to which [`rollback_to`](Self::rollback_to) goes back.
    ///
    /// # Errors
    ///
    /// [`TransactionError::SavepointExists`]; [`TransactionError::RolledBack`] when a branch failed;
    /// [`TransactionError::Finished`].
    pub async fn savepoint(&self, name: &str) -> Result<(), TransactionError> {
        let name: Box<str> = name.into();
        self.apart(|shared| async move {
            let mut work = shared.active().await?;
            let mark = work.savepoints.next(&name)?;
            shared.run(&mut work, &Step::Savepoint(mark.clone())).await?;
            work.savepoints.add(&name, mark);
            Ok(())
        })
        .await
    }

    /// Takes back what was done since a savepoint. The savepoint stays, those after it are gone.
    ///
    /// # Errors
    ///
    /// [`TransactionError::UnknownSavepoint`]; [`TransactionError::RolledBack`] when a branch failed;
    /// [`TransactionError::Finished`].
    pub async fn rollback_to(&self, name: &str) -> Result<(), TransactionError> {
        let name: Box<str> = name.into();
        self.apart(|shared| async move {
            let mut work = shared.active().await?;
            let mark = work.savepoints.mark(&name)?;
            shared.run(&mut work, &Step::RollbackTo(mark)).await?;
            work.savepoints.keep_up_to(&name);
            Ok(())
        })
        .await
    }

    /// Forgets a savepoint and those after it. What was done since stays.
    ///
    /// # Errors
    ///
    /// As for [`rollback_to`](Self::rollback_to).
    pub async fn release(&self, name: &str) -> Result<(), TransactionError> {
        let name: Box<str> = name.into();
        self.apart(|shared| async move {
            let mut work = shared.active().await?;
            let mark = work.savepoints.mark(&name)?;
            shared.run(&mut work, &Step::Release(mark)).await?;
            work.savepoints.forget_from(&name);
            Ok(())
        })
        .await
    }

    /// Does something on a task of its own, so that it comes to its end though the request that asked for it is cancelled.
    async fn apart<F>(&self, work: impl FnOnce(Arc<Shared>) -> F) -> Result<(), TransactionError>
    where
        F: Future<Output = Result<(), TransactionError>> + Send + 'static,
    {
        let task = tokio::spawn(work(Arc::clone(&self.shared)).in_current_span());
        // Branches that panic are caught: only a runtime that is being shut down cuts the task off.
        task.await.unwrap_or(Err(TransactionError::Interrupted))
    }

    /// Rolls it back, if that is still to be done, without waiting for it.
    fn abandon(&self) {
        if self.state() != TransactionState::Active {
            return;
        }
        // Without a runtime the branches are dropped, which rolls them back as well.
        if let Some(runtime) = &self.shared.runtime {
            let shared = Arc::clone(&self.shared);
            runtime.spawn(async move {
                if shared.rollback().await.is_ok() {
                    tracing::debug!(transaction = %shared.id, "a transaction was rolled back that nobody committed");
                }
            });
        }
    }
}

impl Shared {
    fn state(&self) -> TransactionState {
        *self.state.lock()
    }

    fn enter(&self, state: TransactionState) {
        *self.state.lock() = state;
    }

    fn finished(&self) -> TransactionError {
        match &*self.failure.lock() {
            Some((branch, error)) => TransactionError::RolledBack { branch: branch.clone(), error: error.clone() },
            None => TransactionError::Finished { state: self.state() },
        }
    }

    /// The branches, of a transaction that goes on. One with a branch that is over by itself does not: it is rolled back.
    async fn active(&self) -> Result<MutexGuard<'_, Work>, TransactionError> {
        let mut work = self.work.lock().await;
        if self.state() != TransactionState::Active {
            return Err(self.finished());
        }
        let Some((branch, error)) = work.ended() else { return Ok(work) };
        self.roll_back(&mut work).await;
        Err(self.fail(branch, error))
    }

    /// With what the next branch begins.
    fn branch_options(&self, work: &Work) -> TransactionOptions {
        let log = work.logged.as_ref().filter(|_| !self.options.read_only).map(|logged| logged.running.log.id());
        let branch = u16::try_from(work.branches.len()).unwrap_or(u16::MAX);
        TransactionOptions { xid: log.map(|log| Xid { log, transaction: self.id, branch }), ..self.options }
    }

    /// Rolls all branches back, and writes that down where decisions are.
    async fn roll_back(&self, work: &mut Work) {
        work.roll_back().await;
        if let Some(logged) = work.logged.take() {
            logged.running.note(Entry::RolledBack);
        }
    }

    /// It was rolled back because of a branch.
    fn fail(&self, branch: Box<str>, error: BranchError) -> TransactionError {
        tracing::info!(transaction = %self.id, %branch, %error, "a transaction was rolled back by one of its branches");
        *self.failure.lock() = Some((branch, error));
        self.enter(TransactionState::RolledBack);
        self.finished()
    }

    /// Does a step in every branch. If one fails, the transaction is rolled back and over.
    async fn run(&self, work: &mut Work, step: &Step) -> Result<(), TransactionError> {
        match work.run(step).await {
            Err(TransactionError::RolledBack { branch, error }) => {
                self.roll_back(work).await;
                Err(self.fail(branch, error))
            }
            done => done,
        }
    }

    async fn commit(&self) -> Result<(), TransactionError> {
        let mut work = self.active().await?;
        self.enter(TransactionState::Committing);
        let done = match work.logged.take() {
            Some(logged) if !self.options.read_only => two_phase::commit(&mut work, &logged, self.id).await,
            Some(logged) => {
                let done = work.commit().await;
                logged.running.note(if done.is_ok() { Entry::Settled } else { Entry::RolledBack });
                done
            }
            None => work.commit().await,
        };
        self.enter(match &done {
            Ok(()) => TransactionState::Committed,
            Err(TransactionError::RolledBack { branch, error }) => {
                self.fail(branch.clone(), error.clone());
                TransactionState::RolledBack
            }
            Err(error) => {
                // Whoever asked for it may not be there any more to hear it.
                tracing::error!(transaction = %self.id, %error, "a transaction is committed in part, or in doubt");
                TransactionState::Failed
            }
        });
        done
    }

    async fn rollback(&self) -> Result<(), TransactionError> {
        let mut work = match self.active().await {
            Ok(work) => work,
            // It is what was asked for.
            Err(TransactionError::RolledBack { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        self.roll_back(&mut work).await;
        self.enter(TransactionState::RolledBack);
        Ok(())
    }
}

impl LiveAttribute for Transaction {
    fn type_name(&self) -> &'static str {
        "transaction"
    }

    fn ended_by(&self) -> Option<&'static str> {
        Some("transactionManagement")
    }

    fn close(&self) -> Result<(), CloseError> {
        self.abandon();
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Transaction");
        debug.field("id", &self.id()).field("state", &self.state()).field("options", &self.options()).finish()
    }
}
