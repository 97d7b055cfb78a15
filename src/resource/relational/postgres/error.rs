//! From what PostgreSQL says to what a caller can do.

use std::borrow::Cow;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition};

use super::sql::Sql;
use crate::resource::ResourceError;

/// Sorts an error of the driver by blame; `sql` is what was run, to tell where in it the error is.
///
/// A connection that is gone has left nothing undone or half done, here: where that is not so, whoever runs the statement says it.
pub(super) fn resource_error(error: &Error, sql: Option<&Sql>) -> ResourceError {
    match error.as_db_error() {
        Some(said) => from_database(said, sql),
        None => ResourceError::Unavailable { message: format!("PostgreSQL: {}", chain(error)) },
    }
}

/// An error of whoever wrote the statement.
pub(super) fn sql_error(code: &'static str, message: impl Into<String>) -> ResourceError {
    ResourceError::Sql { message: message.into(), code: Cow::Borrowed(code), offset: None }
}

/// Whether an error says that the connection is gone, or of no use any more.
pub(super) fn is_connection_gone(error: &Error) -> bool {
    match error.as_db_error() {
        Some(said) => says_goodbye(said.code().code()),
        None => true,
    }
}

/// Whether the server says that it has no such prepared statement.
pub(super) fn has_forgotten(error: &Error) -> bool {
    error.as_db_error().is_some_and(|said| said.code().code() == "26000")
}

/// Whether what the server has planned does not fit its tables any more: the same statement, prepared again, works.
pub(super) fn is_stale_plan(error: &Error) -> bool {
    error.as_db_error().is_some_and(|said| match said.code().code() {
        "26000" => true,
        // The message is in the language of the server.
        "0A000" => said.routine() == Some("RevalidateCachedQuery"),
        _ => false,
    })
}

/// Whether an error may come from parameters whose types are not what they were when the statement was prepared, because its
/// table was made anew meanwhile.
pub(super) fn may_be_of_stale_types(error: &Error) -> bool {
    let code = error.as_db_error().map(|said| said.code().code());
    matches!(code, Some("22P02" | "22003" | "22007" | "42804" | "42883" | "42846"))
}

/// The server ends the connection, or has no strength to go on.
fn says_goodbye(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || code == "25P03"
}

fn from_database(said: &DbError, sql: Option<&Sql>) -> ResourceError {
    let code = said.code().code();
    let message = full_message(said);
    match code {
        "25006" => ResourceError::ReadOnly {
            message: format!("{message}: only reading is allowed here; use an update statement to write"),
        },
        "40001" | "40P01" => ResourceError::Conflict { message, code: Cow::Owned(code.to_owned()) },
        "55P03" | "53300" => ResourceError::Busy { message },
        "57014" if said.message().contains("user request") => ResourceError::Cancelled,
        // In whatever language: who is stopped by us does not hear of it.
        "57014" => ResourceError::TimedOut { message },
        "42501" => ResourceError::Denied { message },
        "25001" => ResourceError::unsupported(format!(
            "{message}: the database does not do this within a transaction, and every statement runs in one"
        )),
        "2D000" => ResourceError::unsupported(format!(
            "{message}: a procedure can't commit by itself, because every statement runs in a transaction"
        )),
        "53100" | "53200" | "XX001" | "XX002" | "28000" | "28P01" | "3D000" => ResourceError::Unavailable { message },
        _ if says_goodbye(code) || code.starts_with("58") => ResourceError::Unavailable { message },
        _ => ResourceError::Sql {
            message: with_parameter(message, said),
            code: Cow::Owned(code.to_owned()),
            offset: place(said).and_then(|place| sql?.place_as_written(place)),
        },
    }
}

fn full_message(said: &DbError) -> String {
    let mut message = said.message().to_owned();
    for more in [said.detail(), said.hint()].into_iter().flatten() {
        message.push_str(": ");
        message.push_str(more.trim_end_matches('.'));
    }
    message
}

/// Names the parameter where the server says which one it could not read.
fn with_parameter(message: String, said: &DbError) -> String {
    let context = said.where_().unwrap_or_default();
    let digits = context.split_once("parameter $").map_or("", |(_, rest)| rest);
    let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
    if digits.is_empty() { message } else { format!("parameter {digits}: {message}") }
}

/// The place in the text that the server got, in characters from 0.
fn place(said: &DbError) -> Option<usize> {
    match said.position()? {
        ErrorPosition::Original(place) => usize::try_from(*place).ok()?.checked_sub(1),
        ErrorPosition::Internal { .. } => None,
    }
}

/// An error with all that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
