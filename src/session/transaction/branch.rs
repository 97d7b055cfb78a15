use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// The part of a transaction that one data resource does: as a rule a connection with a transaction begun on it.
///
/// It has begun when it is made, with the [options](super::TransactionOptions) of the transaction. The transaction calls one
/// method at a time, and after [`commit`](Self::commit) or [`rollback`](Self::rollback) none. Activities may use the branch at
/// the same time; that they do not get in each other's way is the branch's affair.
///
/// A branch that is dropped without a commit has to come to a rollback by itself: a connection that is closed does.
///
/// # Two phases
///
/// A transaction of which a decision log is kept gives each branch a name at its beginning
/// ([`TransactionOptions::xid`](super::TransactionOptions::xid)). A branch that [can](Self::can_prepare) is then
/// [prepared](Self::prepare) first: from then on it survives the loss of its connection and of its database, until a
/// [`commit`](Self::commit) or [`rollback`](Self::rollback) ends it (`COMMIT PREPARED`, `XA COMMIT`), or somebody else does by
/// its name. Without a preparation both mean what they always do, also if the branch has a name.
#[async_trait]
pub trait TransactionBranch: Any + Send + Sync + fmt::Debug {
    /// Makes what was done hold.
    ///
    /// # Errors
    ///
    /// [`BranchError::Refused`] when nothing of it holds, [`BranchError::Lost`] when that is not known.
    async fn commit(&self) -> Result<(), BranchError>;

    /// Takes everything back.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; the branch is dropped then, which takes everything back as well.
    async fn rollback(&self) -> Result<(), BranchError>;

    /// Marks a place to which one can go back. The name is one of ours, lower-case letters and digits, whatever name the client
    /// gave it, and none is given twice.
    ///
    /// # Errors
    ///
    /// Any: the whole transaction is rolled back then.
    async fn savepoint(&self, name: &str) -> Result<(), BranchError>;

    /// Takes back what was done since the savepoint, which stays.
    ///
    /// # Errors
    ///
    /// Any: the whole transaction is rolled back then.
    async fn rollback_to(&self, name: &str) -> Result<(), BranchError>;

    /// Forgets the savepoint and those after it.
    ///
    /// # Errors
    ///
    /// Any: the whole transaction is rolled back then.
    async fn release(&self, name: &str) -> Result<(), BranchError>;

    /// Why it is over although nobody ended it: the database rolled it back because of a conflict, or was lost. The
    /// transaction asks before it does anything, and when a statement has failed; then it rolls back the other branches, too.
    fn ended(&self) -> Option<BranchError> {
        None
    }

    /// Whether it can be prepared: it has got a name, and its data resource keeps prepared transactions.
    fn can_prepare(&self) -> bool {
        false
    }

    /// The first phase: makes sure that a commit will succeed, whatever happens until then, under the name that the branch got
    /// at its beginning. No statement runs in the branch afterwards.
    ///
    /// # Errors
    ///
    /// [`BranchError::Refused`] when nothing of it holds or will, [`BranchError::Lost`] when it may be prepared or not: then it
    /// is rolled back by its name.
    async fn prepare(&self) -> Result<(), BranchError> {
        Err(BranchError::Refused { message: "it can't be committed in two phases".into(), is_retryable: false })
    }

    /// For one that can't be prepared: what lets its data resource tell later whether it was committed
    /// ([`Recoverable::outcome`](super::Recoverable::outcome)). Asked for right before its commit, and written down; of several
    /// branches it is then the last to be committed before the decision. `None` when there is no such thing.
    ///
    /// # Errors
    ///
    /// Any: the whole transaction is rolled back then.
    async fn witness(&self) -> Result<Option<String>, BranchError> {
        Ok(None)
    }
}

impl dyn TransactionBranch {
    /// The branch as the type that it is; `None` when it is another.
    #[must_use]
    pub fn downcast<T: TransactionBranch>(self: Arc<Self>) -> Option<Arc<T>> {
        let any: Arc<dyn Any + Send + Sync> = self;
        any.downcast().ok()
    }
}

/// What went wrong in a branch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BranchError {
    /// The data resource refused. When it refused a commit, nothing of the branch holds.
    #[error("{message}")]
    Refused {
        /// What it said.
        message: String,
        /// Whether the same may succeed in another transaction: a conflict, a deadlock.
        is_retryable: bool,
    },
    /// The data resource does not answer, and was not asked to commit: nothing of the branch holds.
    #[error("{message}")]
    Unavailable {
        /// What happened.
        message: String,
    },
    /// The data resource was lost: whether it has done what it was asked, is not known.
    #[error("{message}")]
    Lost {
        /// What happened.
        message: String,
    },
}
