//! From what `SQLite` says to what a caller can do.

use std::borrow::Cow;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::resource::ResourceError;

/// Sorts an error of the driver by blame.
pub(super) fn resource_error(error: rusqlite::Error) -> ResourceError {
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            let message = message.unwrap_or_else(|| failure.to_string());
            from_failure(failure, message, None)
        }
        rusqlite::Error::SqlInputError { error, msg, sql, offset } => {
            let offset = usize::try_from(offset).ok().and_then(|bytes| Some(sql.get(..bytes)?.chars().count()));
            from_failure(error, msg, offset)
        }
        rusqlite::Error::MultipleStatement => {
            sql("the text holds more than one statement; give each to an activity of its own")
        }
        other => ResourceError::Unavailable { message: format!("SQLite: {other}") },
    }
}

/// An error of whoever wrote the statement.
pub(super) fn sql(message: impl Into<String>) -> ResourceError {
    ResourceError::Sql { message: message.into(), code: Cow::Borrowed("SQLITE_ERROR"), offset: None }
}

/// Whether the connection that met this error should not be used again.
pub(super) fn breaks_connection(error: &ResourceError) -> bool {
    matches!(error, ResourceError::Unavailable { .. })
}

fn from_failure(failure: ffi::Error, message: String, offset: Option<usize>) -> ResourceError {
    match failure.code {
        ErrorCode::OperationInterrupted => ResourceError::Cancelled,
        ErrorCode::DatabaseBusy if failure.extended_code == ffi::SQLITE_BUSY_SNAPSHOT => ResourceError::Conflict {
            message: "what the transaction has read was changed by others since".to_owned(),
            code: Cow::Borrowed("SQLITE_BUSY_SNAPSHOT"),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => ResourceError::Busy {
            message: format!("another connection has locked the database ({message}); try again"),
        },
        ErrorCode::ReadOnly => ResourceError::ReadOnly { message: format!("the database is read-only ({message})") },
        ErrorCode::PermissionDenied
        | ErrorCode::CannotOpen
        | ErrorCode::SystemIoFailure
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::DiskFull
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::OutOfMemory
        | ErrorCode::InternalMalfunction
        | ErrorCode::ApiMisuse => ResourceError::Unavailable { message: format!("SQLite: {message}") },
        _ => ResourceError::Sql { message, code: code_name(failure.extended_code), offset },
    }
}

/// The name of a result code as `SQLite` documents it, for those that a statement can bring about.
fn code_name(code: i32) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        ffi::SQLITE_ERROR => "SQLITE_ERROR",
        ffi::SQLITE_AUTH => "SQLITE_AUTH",
        ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
        ffi::SQLITE_RANGE => "SQLITE_RANGE",
        ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
        ffi::SQLITE_SCHEMA => "SQLITE_SCHEMA",
        ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        other => return Cow::Owned(format!("SQLITE_{other}")),
    })
}
