//! What is done in the branches of a transaction, one after the other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::savepoints::Savepoints;
use super::two_phase::Logged;
use super::{BranchError, TransactionBranch, TransactionError};

/// The branches of a transaction, in the order in which they were enlisted, and its savepoints.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) branches: Vec<Enlisted>,
    pub(super) savepoints: Savepoints,
    /// Where its decision is written down; taken when it is over.
    pub(super) logged: Option<Logged>,
}

#[derive(Debug)]
pub(super) struct Enlisted {
    pub(super) name: Box<str>,
    pub(super) branch: Arc<dyn TransactionBranch>,
}

/// Something that is done in every branch.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Prepare,
    Commit,
    Rollback,
    Savepoint(Box<str>),
    RollbackTo(Box<str>),
    Release(Box<str>),
}

impl Step {
    /// Does it in one branch. A branch that panics is one that was lost.
    pub(super) async fn run(&self, branch: &dyn TransactionBranch) -> Result<(), BranchError> {
        let work = match self {
            Self::Prepare => branch.prepare(),
            Self::Commit => branch.commit(),
            Self::Rollback => branch.rollback(),
            Self::Savepoint(name) => branch.savepoint(name),
            Self::RollbackTo(name) => branch.rollback_to(name),
            Self::Release(name) => branch.release(name),
        };
        let lost = |_| Err(BranchError::Lost { message: "it panicked".into() });
        AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(lost)
    }
}

impl Work {
    /// A branch that is over although nobody ended it, and why.
    pub(super) fn ended(&self) -> Option<(Box<str>, BranchError)> {
        self.branches.iter().find_map(|enlisted| Some((enlisted.name.clone(), enlisted.branch.ended()?)))
    }

    /// Does a step in every branch. If one fails, everything is rolled back.
    pub(super) async fn run(&mut self, step: &Step) -> Result<(), TransactionError> {
        for index in 0..self.branches.len() {
            if let Err(error) = step.run(&*self.branches[index].branch).await {
                let branch = self.branches[index].name.clone();
                self.roll_back().await;
                return Err(TransactionError::RolledBack { branch, error });
            }
        }
        Ok(())
    }

    /// Rolls all branches back, and lets go of them. What one of them says to it goes to the log: dropping it does the same.
    pub(super) async fn roll_back(&mut self) -> Vec<Box<str>> {
        self.savepoints.clear();
        let mut names = Vec::new();
        for Enlisted { name, branch } in std::mem::take(&mut self.branches) {
            // One that is over by itself has nothing to take back.
            if branch.ended().is_none()
                && let Err(error) = Step::Rollback.run(&*branch).await
            {
                tracing::warn!(branch = %name, %error, "a branch of a transaction could not be rolled back; it is dropped");
            }
            names.push(name);
        }
        names
    }

    /// Commits branch by branch. After the first that fails the rest is rolled back.
    pub(super) async fn commit(&mut self) -> Result<(), TransactionError> {
        self.savepoints.clear();
        let mut committed = Vec::new();
        let mut branches = std::mem::take(&mut self.branches).into_iter();
        while let Some(Enlisted { name, branch }) = branches.next() {
            let Err(error) = Step::Commit.run(&*branch).await else {
                committed.push(name);
                continue;
            };
            drop(branch);
            self.branches = branches.collect();
            let rolled_back = self.roll_back().await;
            return Err(match error {
                BranchError::Lost { .. } => TransactionError::InDoubt { committed, branch: name, error, rolled_back },
                BranchError::Refused { .. } | BranchError::Unavailable { .. } if committed.is_empty() => {
                    TransactionError::RolledBack { branch: name, error }
                }
                BranchError::Refused { .. } | BranchError::Unavailable { .. } => {
                    TransactionError::PartlyCommitted { committed, branch: name, error, rolled_back }
                }
            });
        }
        Ok(())
    }
}
