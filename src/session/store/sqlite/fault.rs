//! What can go wrong underneath, and what it means for the store.

use std::io;
use std::path::Path;

use rusqlite::ffi::ErrorCode;

use crate::session::StoreError;

/// A failure before it is known of which store.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite refused.
    Sqlite(rusqlite::Error),
    /// The system refused.
    Io(io::Error),
    /// What was read is not what was written.
    Damaged(String),
}

impl Fault {
    /// What was found wrong in a stored value.
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    /// Whether it may go by, and has lost nothing: a full disk, or a lock that somebody else holds.
    pub(super) fn is_passing(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        let code = error.sqlite_error_code();
        matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether it is a matter of one row, and says nothing of the others.
    pub(super) fn is_of_one_row(&self) -> bool {
        use rusqlite::Error as E;
        match self {
            Self::Damaged(_) => true,
            Self::Io(_) => false,
            Self::Sqlite(error) => matches!(
                error,
                E::InvalidColumnType(..)
                    | E::FromSqlConversionFailure(..)
                    | E::IntegralValueOutOfRange(..)
                    | E::Utf8Error(..)
            ),
        }
    }

    /// Whether it is a matter of one write, which others of its batch have no part in.
    pub(super) fn is_of_one_write(&self) -> bool {
        let Self::Sqlite(error) = self else { return self.is_of_one_row() };
        let code = error.sqlite_error_code();
        let is_refused =
            matches!(code, Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch));
        is_refused || self.is_of_one_row()
    }

    /// The same, while a file is looked at that may be anything: what SQLite can't make sense of is damage then.
    pub(super) fn of_the_file(self) -> Self {
        match &self {
            Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => {
                Self::Damaged(error.to_string())
            }
            _ => self,
        }
    }

    /// The same, of the store at `path`.
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Damaged(reason) => StoreError::Damaged { path: path.into(), reason },
            Self::Io(error) => from_io(&error),
            Self::Sqlite(error) => from_sqlite(&error, path),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn from_io(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            StoreError::ReadOnly { reason: error.to_string() }
        }
        _ => StoreError::Failed { reason: error.to_string() },
    }
}

fn from_sqlite(error: &rusqlite::Error, path: &Path) -> StoreError {
    use rusqlite::Error as E;
    let reason = error.to_string();
    match error {
        E::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::Full,
            ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                StoreError::ReadOnly { reason }
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged { path: path.into(), reason },
            _ => StoreError::Failed { reason },
        },
        // A value of a type that this version never writes.
        E::InvalidColumnType(..)
        | E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::Utf8Error(..) => StoreError::Damaged { path: path.into(), reason },
        _ => StoreError::Failed { reason },
    }
}
