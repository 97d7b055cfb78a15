//! The commit of a transaction of which a decision log is kept.
//!
//! ```text
//!  prepare every branch that can ──▶ commit the one that can't ──▶ write `committed` ──▶ commit the prepared ones
//!          │ one refuses                    │ it refuses                  the decision         │ one does not answer
//!          ▼                                ▼                                                  ▼
//!      roll back all                    roll back all                              recovery commits it later
//! ```

use uuid::Uuid;

use super::fault;
use super::log::{Entry, Running};
use super::work::{Enlisted, Step, Work};
use super::{BranchError, TransactionError};

/// The log of a transaction that goes on, and under which name it knows the data service resource.
pub(super) struct Logged {
    pub(super) running: Running,
    pub(super) scope: Box<str>,
}

impl std::fmt::Debug for Logged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logged").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// What the log calls a data resource.
pub(super) fn qualified(scope: &str, resource: &str) -> Box<str> {
    format!("{scope}/{resource}").into()
}

/// Commits all branches or none.
pub(super) async fn commit(work: &mut Work, logged: &Logged, id: Uuid) -> Result<(), TransactionError> {
    work.savepoints.clear();
    if work.branches.is_empty() {
        logged.running.note(Entry::Settled);
        return Ok(());
    }
    let (two, mut one): (Vec<_>, Vec<_>) =
        std::mem::take(&mut work.branches).into_iter().partition(|enlisted| enlisted.branch.can_prepare());
    if one.len() > 1 {
        one.extend(two);
        work.branches = one;
        return commit_apart(work, logged).await;
    }
    let commit = Commit { running: &logged.running, scope: &logged.scope, id };
    commit.run(two, one.pop()).await
}

/// Commits several branches that can't be prepared. Nothing can make these all or none; the errors tell where it holds, and
/// the log tells nothing wrong: should the process end meanwhile, nobody knows.
async fn commit_apart(work: &mut Work, logged: &Logged) -> Result<(), TransactionError> {
    if let Err(error) = logged.running.write(Entry::Apart).await {
        work.roll_back().await;
        let error = BranchError::Refused { message: error.to_string(), is_retryable: false };
        return Err(TransactionError::RolledBack { branch: LOG.into(), error });
    }
    let done = work.commit().await;
    match &done {
        Ok(()) => logged.running.note(Entry::Settled),
        Err(TransactionError::RolledBack { .. }) => logged.running.note(Entry::RolledBack),
        Err(_) => {}
    }
    done
}

/// What errors call the log, in the place of a data resource.
const LOG: &str = "the transaction log";

struct Commit<'a> {
    running: &'a Running,
    scope: &'a str,
    id: Uuid,
}

impl Commit<'_> {
    async fn run(&self, two: Vec<Enlisted>, last: Option<Enlisted>) -> Result<(), TransactionError> {
        fault::point("begin");
        for (index, enlisted) in two.iter().enumerate() {
            if let Err(error) = Step::Prepare.run(&*enlisted.branch).await {
                let branch = enlisted.name.clone();
                if matches!(error, BranchError::Lost { .. }) {
                    // It may be prepared, though it does not know.
                    self.leave_behind();
                }
                self.roll_back(two, last).await;
                return Err(TransactionError::RolledBack { branch, error });
            }
            fault::point(&format!("prepared-{index}"));
        }
        if let Some(last) = last {
            self.commit_last(&two, last).await?;
            fault::point("committed-last");
        }
        if let Err(error) = self.running.write(Entry::Committed).await {
            // Whether the record will be found, nobody knows: recovery goes by what it finds.
            self.leave_behind();
            let error = BranchError::Lost { message: error.to_string() };
            return Err(in_doubt(LOG, error));
        }
        fault::point("decided");
        let mut is_settled = true;
        for (index, Enlisted { name, branch }) in two.into_iter().enumerate() {
            if let Err(error) = Step::Commit.run(&*branch).await {
                tracing::warn!(transaction = %self.id, branch = %name, %error,
                    "a prepared branch could not be committed; it will be, when its data resource answers");
                self.leave_behind();
                is_settled = false;
            }
            fault::point(&format!("committed-{index}"));
        }
        if is_settled {
            self.running.note(Entry::Settled);
        }
        Ok(())
    }

    /// There is something for recovery to do.
    fn leave_behind(&self) {
        self.running.log.leave_behind();
    }

    /// Commits the branch that can't be prepared.
    async fn commit_last(&self, two: &[Enlisted], last: Enlisted) -> Result<(), TransactionError> {
        let Enlisted { name, branch } = last;
        let refused = match branch.witness().await {
            Ok(witness) => {
                let witness = witness.unwrap_or_default().into();
                let entry = Entry::Committing { resource: qualified(self.scope, &name), witness };
                match self.running.write(entry).await {
                    Ok(()) => {
                        fault::point("committing-last");
                        match Step::Commit.run(&*branch).await {
                            Ok(()) => return Ok(()),
                            Err(error @ BranchError::Lost { .. }) => {
                                self.leave_behind();
                                return Err(in_doubt(&name, error));
                            }
                            Err(refused) => refused,
                        }
                    }
                    Err(error) => BranchError::Refused { message: error.to_string(), is_retryable: false },
                }
            }
            Err(error) => error,
        };
        // What refused to commit holds nothing; to be told so again does no harm.
        let _ = Step::Rollback.run(&*branch).await;
        self.roll_back_prepared(two).await;
        Err(TransactionError::RolledBack { branch: name, error: refused })
    }

    async fn roll_back(&self, two: Vec<Enlisted>, last: Option<Enlisted>) {
        self.roll_back_prepared(&two).await;
        if let Some(Enlisted { name, branch }) = last
            && let Err(error) = Step::Rollback.run(&*branch).await
        {
            tracing::warn!(branch = %name, %error, "a branch of a transaction could not be rolled back; it is dropped");
        }
    }

    async fn roll_back_prepared(&self, two: &[Enlisted]) {
        for Enlisted { name, branch } in two {
            if let Err(error) = Step::Rollback.run(&**branch).await {
                tracing::warn!(branch = %name, %error, "a branch could not be rolled back; if it is prepared, it will be");
                self.leave_behind();
            }
        }
        self.running.note(Entry::RolledBack);
    }
}

fn in_doubt(branch: &str, error: BranchError) -> TransactionError {
    TransactionError::InDoubt { committed: Vec::new(), branch: branch.into(), error, rolled_back: Vec::new() }
}
