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
use super::log::{DecisionLog, Entry, Running};
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
    let log = &*logged.running.log;
    work.savepoints.clear();
    if work.branches.is_empty() {
        log.note(id, Entry::Committed);
        return Ok(());
    }
    let (two, mut one): (Vec<_>, Vec<_>) =
        std::mem::take(&mut work.branches).into_iter().partition(|enlisted| enlisted.branch.can_prepare());
    if one.len() > 1 {
        // Nothing can make these all or none; the errors tell where it holds.
        one.extend(two);
        work.branches = one;
        let done = work.commit().await;
        log.note(id, if done.is_ok() { Entry::Committed } else { Entry::RolledBack });
        return done;
    }
    let commit = Commit { log, scope: &logged.scope, id };
    commit.run(two, one.pop()).await
}

struct Commit<'a> {
    log: &'a DecisionLog,
    scope: &'a str,
    id: Uuid,
}

impl Commit<'_> {
    async fn run(&self, two: Vec<Enlisted>, last: Option<Enlisted>) -> Result<(), TransactionError> {
        fault::point("begin");
        for (index, enlisted) in two.iter().enumerate() {
            if let Err(error) = Step::Prepare.run(&*enlisted.branch).await {
                if matches!(error, BranchError::Lost { .. }) {
                    // It may be prepared all the same, and knows nothing of that.
                    self.log.leave_behind();
                }
                let branch = enlisted.name.clone();
                self.roll_back(two, last).await;
                return Err(TransactionError::RolledBack { branch, error });
            }
            fault::point(&format!("prepared-{index}"));
        }
        if let Some(last) = last {
            self.commit_last(&two, last).await?;
            fault::point("committed-last");
        }
        if let Err(error) = self.log.write(self.id, Entry::Committed).await {
            // Whether the record will be found, nobody knows: recovery goes by what it finds.
            self.log.leave_behind();
            let error = BranchError::Lost { message: error.to_string() };
            return Err(in_doubt("the transaction log", error));
        }
        fault::point("decided");
        for (index, Enlisted { name, branch }) in two.into_iter().enumerate() {
            if let Err(error) = Step::Commit.run(&*branch).await {
                tracing::warn!(transaction = %self.id, branch = %name, %error,
                    "a prepared branch could not be committed; it will be, when its data resource answers");
                self.log.leave_behind();
            }
            fault::point(&format!("committed-{index}"));
        }
        Ok(())
    }

    /// Commits the branch that can't be prepared.
    async fn commit_last(&self, two: &[Enlisted], last: Enlisted) -> Result<(), TransactionError> {
        let Enlisted { name, branch } = last;
        let refused = match branch.witness().await {
            Ok(witness) => {
                let witness = witness.unwrap_or_default().into();
                let entry = Entry::Committing { resource: qualified(self.scope, &name), witness };
                match self.log.write(self.id, entry).await {
                    Ok(()) => {
                        fault::point("committing-last");
                        match Step::Commit.run(&*branch).await {
                            Ok(()) => return Ok(()),
                            Err(error @ BranchError::Lost { .. }) => {
                                self.log.leave_behind();
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
                self.log.leave_behind();
            }
        }
        self.log.note(self.id, Entry::RolledBack);
    }
}

fn in_doubt(branch: &str, error: BranchError) -> TransactionError {
    TransactionError::InDoubt { committed: Vec::new(), branch: branch.into(), error, rolled_back: Vec::new() }
}
