//! What listeners are told of a store.

use std::fmt;
use std::time::Duration;

use super::StoreError;

/// Something that happened between a session manager and its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreEvent<'a> {
    /// The manager has started and knows its sessions again. This comes before anything else, once.
    Recovered {
        /// How many sessions there are.
        sessions: u64,
        /// How long it took, from the opening of the store.
        took: Duration,
    },
    /// A batch of writes was made, in one commit. Those whose holders had lost their sessions are among them.
    Committed {
        /// How many writes.
        writes: usize,
        /// How long the commit took, from the moment at which the store was given the batch.
        took: Duration,
    },
    /// A session that was not in memory was loaded for a request.
    Loaded {
        /// How long that took.
        took: Duration,
    },
    /// The store could not do something. A batch is one failure, however many writes it has.
    Failed {
        /// What it was to do.
        operation: StoreOperation,
        /// Why it could not.
        error: &'a StoreError,
    },
}

/// What a store is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreOperation {
    /// To make a batch of writes: their requests fail.
    Commit,
    /// To find or load something: the request fails.
    Read,
    /// To look for what is over, to forget, to compact, to note the time: it is tried again.
    Tidy,
}

impl StoreOperation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Commit, Self::Read, Self::Tidy];

    /// The name, as logs and metrics have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Read => "read",
            Self::Tidy => "tidy",
        }
    }
}

impl fmt::Display for StoreOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
