use std::io;
use std::path::Path;

/// Why a decision log can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Another process has it.
    #[error("the transaction log is in use by another process: give each service a folder of its own")]
    InUse,
    /// The file is that of something else, or of a later version.
    #[error(
        "`transactions.db` is no transaction log of this version: choose another folder, or the version that made it"
    )]
    Foreign,
    /// It can't be read or written.
    #[error("the transaction log: {message}")]
    Io {
        /// What happened.
        message: Box<str>,
    },
    /// The service is being stopped.
    #[error("the transaction log is closed")]
    Closed,
}

impl LogError {
    pub(super) fn io(_folder: &Path, error: &io::Error) -> Self {
        Self::Io { message: error.to_string().into() }
    }
}

impl From<rusqlite::Error> for LogError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::InUse,
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign,
            _ => Self::Io { message: error.to_string().into() },
        }
    }
}
