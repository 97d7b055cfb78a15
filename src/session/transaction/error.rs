use std::fmt::Write;

use super::{BranchError, LogError, TransactionState};
use crate::session::{AttributeError, RandomUnavailable};

/// Why something could not be done with a transaction. Unless it says otherwise, the transaction is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// The session has a transaction already.
    #[error("the session has a transaction that goes on: commit it or roll it back first")]
    AlreadyActive,
    /// The session has none.
    #[error("the session has no transaction: begin one first")]
    NotActive,
    /// The transaction is over.
    #[error("the transaction is over ({}): begin a new one", state.name())]
    Finished {
        /// How it ended, or that it is about to.
        state: TransactionState,
    },
    /// The attribute in which the session keeps its transaction holds something else.
    #[error("the session attribute `{name}` is in the way: the transaction is kept under this name; remove it first")]
    NameTaken {
        /// Its name.
        name: Box<str>,
    },
    /// The session does not take the transaction.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// There is no id for it.
    #[error(transparent)]
    RandomUnavailable(#[from] RandomUnavailable),
    /// A branch did not begin. The transaction goes on without it.
    #[error("the transaction could not begin in {}: {error}", named(branch))]
    NotBegun {
        /// The data resource.
        branch: Box<str>,
        /// What went wrong.
        error: BranchError,
    },
    /// Another kind of branch has that name.
    #[error("another kind of branch is part of the transaction as {}", named(branch))]
    OtherBranch {
        /// The name.
        branch: Box<str>,
    },
    /// There is a savepoint of that name.
    #[error("the transaction has a savepoint `{name}` already: choose another name, or release it")]
    SavepointExists {
        /// The name.
        name: Box<str>,
    },
    /// There is no savepoint of that name.
    #[error("the transaction has no savepoint `{name}`")]
    UnknownSavepoint {
        /// The name.
        name: Box<str>,
    },
    /// A branch failed, and the transaction was rolled back: nothing of it holds.
    #[error("the transaction was rolled back, because {} failed: {error}", named(branch))]
    RolledBack {
        /// The data resource.
        branch: Box<str>,
        /// What went wrong.
        error: BranchError,
    },
    /// Some branches were committed before another failed. What is in `committed` holds, the rest does not.
    #[error(
        "the transaction is committed in {} and not in {}{}: {error}",
        list(committed),
        named(branch),
        also(rolled_back)
    )]
    PartlyCommitted {
        /// The data resources in which it holds.
        committed: Vec<Box<str>>,
        /// The one that failed.
        branch: Box<str>,
        /// What went wrong.
        error: BranchError,
        /// Those that were rolled back because of it.
        rolled_back: Vec<Box<str>>,
    },
    /// A branch was lost during its commit: whether it holds there is not known. What is in `committed` holds, what is in
    /// `rolled_back` does not.
    #[error(
        "whether the transaction is committed in {} is not known: {error}{}",
        named(branch),
        others(committed, rolled_back)
    )]
    InDoubt {
        /// The data resources in which it holds.
        committed: Vec<Box<str>>,
        /// The one that was lost.
        branch: Box<str>,
        /// What happened.
        error: BranchError,
        /// Those that were rolled back because of it.
        rolled_back: Vec<Box<str>>,
    },
    /// Nothing is known of a transaction of that id, or it is somebody else's.
    #[error(
        "nothing is known here of a transaction `{id}`: it is not yours, is long over, or no log is kept (`rejoin.TransactionManager` with a `log`)"
    )]
    Unknown {
        /// The id.
        id: uuid::Uuid,
    },
    /// The decision log can't be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The service is being stopped; what becomes of the transaction is not known here.
    #[error("the service stopped before the transaction did: whether it is committed is not known")]
    Interrupted,
}

impl TransactionError {
    /// A name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyActive => "TransactionActive",
            Self::NotActive => "NoTransaction",
            Self::Finished { .. } => "TransactionFinished",
            Self::NameTaken { .. } => "TransactionNameTaken",
            Self::Attribute(error) => error.code(),
            Self::RandomUnavailable(_) => "RandomUnavailable",
            Self::NotBegun { .. } => "TransactionNotBegun",
            Self::OtherBranch { .. } => "TransactionBranchInvalid",
            Self::SavepointExists { .. } => "SavepointExists",
            Self::UnknownSavepoint { .. } => "SavepointNotFound",
            Self::RolledBack { .. } => "TransactionRolledBack",
            Self::PartlyCommitted { .. } => "TransactionPartlyCommitted",
            Self::Unknown { .. } => "TransactionNotFound",
            Self::Log(_) => "TransactionLogUnavailable",
            Self::InDoubt { .. } | Self::Interrupted => "TransactionInDoubt",
        }
    }

    /// Whether whoever runs the service or its database has to act: a client has asked for nothing wrong.
    #[must_use]
    pub fn is_of_server(&self) -> bool {
        let is_lost = matches!(self, Self::NotBegun { error: BranchError::Lost { .. }, .. });
        is_lost || self.is_unavailable() || matches!(self, Self::RandomUnavailable(_) | Self::Log(_))
    }

    /// Whether a data resource does not answer; nothing of the transaction holds there.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::RolledBack { error, .. } | Self::NotBegun { error, .. }
            if matches!(error, BranchError::Unavailable { .. }))
    }

    /// Whether the same work may succeed in a new transaction, because nothing of this one holds and the data resource says so.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RolledBack { error, .. } | Self::NotBegun { error, .. } => {
                matches!(error, BranchError::Refused { is_retryable: true, .. } | BranchError::Unavailable { .. })
            }
            _ => false,
        }
    }
}

/// A data resource as errors name it. The only one of a data service resource may go without a name.
fn named(branch: &str) -> String {
    if branch.is_empty() { "the data resource".to_owned() } else { format!("`{branch}`") }
}

fn list(names: &[Box<str>]) -> String {
    names.iter().map(|name| named(name)).collect::<Vec<_>>().join(", ")
}

fn also(rolled_back: &[Box<str>]) -> String {
    if rolled_back.is_empty() { String::new() } else { format!(", nor in {}", list(rolled_back)) }
}

fn others(committed: &[Box<str>], rolled_back: &[Box<str>]) -> String {
    let mut text = String::new();
    for (names, what) in [(committed, "it is committed in"), (rolled_back, "it is rolled back in")] {
        if !names.is_empty() {
            // Writing to a string can't fail.
            let _ = write!(text, "; {what} {}", list(names));
        }
    }
    text
}
