use std::path::PathBuf;

/// Why a session store could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it open, or another resource of this one.
    #[error(
        "the session store `{}` is in use by another process or another resource: end that process, or configure another path",
        path.display()
    )]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// Its format is newer than this version knows.
    #[error(
        "the session store `{}` has format {found}, and this version knows formats up to {known}: \
         use the version that wrote it, or a newer one",
        path.display()
    )]
    TooNew {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// It is no session store at all.
    #[error("`{}` is no session store: {reason}; configure another path, or move it away", path.display())]
    Foreign {
        /// What was found there.
        path: PathBuf,
        /// Why it is none.
        reason: String,
    },
    /// What was read is not what was written.
    #[error(
        "the session store `{}` is damaged ({reason}): keep the files, and see docs/operations.md, \"After a disk failure\"",
        path.display()
    )]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was found wrong.
        reason: String,
    },
    /// The disk is full.
    #[error("the disk of the session store is full")]
    Full,
    /// The disk, or the file, can't be written.
    #[error("the session store can't be written: {reason}")]
    ReadOnly {
        /// What the system said.
        reason: String,
    },
    /// The system failed to read or write.
    #[error("the session store failed: {reason}")]
    Failed {
        /// What the system said.
        reason: String,
    },
}

impl StoreError {
    /// The names of what can happen to a store that is open.
    pub const RUNNING: [&'static str; 4] = ["full", "readOnly", "failed", "damaged"];

    /// The name of the failure, as logs and metrics have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "inUse",
            Self::TooNew { .. } => "tooNew",
            Self::Foreign { .. } => "foreign",
            Self::Damaged { .. } => "damaged",
            Self::Full => "full",
            Self::ReadOnly { .. } => "readOnly",
            Self::Failed { .. } => "failed",
        }
    }
}
