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
        Some(said) => Said::of(said).into_error(sql),
        None => from_connection(error),
    }
}

/// The connection is gone, without a word of the server.
pub(super) fn from_connection(error: &dyn std::error::Error) -> ResourceError {
    ResourceError::Unavailable { message: format!("PostgreSQL: {}", chain(error)) }
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

/// What the server says is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The SQLSTATE.
    code: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    /// The place in the text that the server got, in characters from 1.
    position: Option<u32>,
    /// Where the server was at the time.
    context: Option<String>,
    /// The piece of the server that says it.
    routine: Option<String>,
}

impl Said {
    pub(super) fn of(said: &DbError) -> Self {
        Self {
            code: said.code().code().to_owned(),
            message: said.message().to_owned(),
            detail: said.detail().map(str::to_owned),
            hint: said.hint().map(str::to_owned),
            position: match said.position() {
                Some(ErrorPosition::Original(place)) => Some(*place),
                Some(ErrorPosition::Internal { .. }) | None => None,
            },
            context: said.where_().map(str::to_owned),
            routine: said.routine().map(str::to_owned),
        }
    }

    /// Reads the body of an `ErrorResponse` message: fields, each a letter and a text that ends with NUL.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut said = Self::default();
        for field in body.split(|byte| *byte == 0) {
            let Some((letter, text)) = field.split_first() else { break };
            let text = String::from_utf8_lossy(text).into_owned();
            match letter {
                b'C' => said.code = text,
                b'M' => said.message = text,
                b'D' => said.detail = Some(text),
                b'H' => said.hint = Some(text),
                b'P' => said.position = text.parse().ok(),
                b'W' => said.context = Some(text),
                b'R' => said.routine = Some(text),
                _ => {}
            }
        }
        said
    }

    /// Whether the connection is gone, or of no use any more.
    pub(super) fn is_farewell(&self) -> bool {
        says_goodbye(&self.code)
    }

    /// Whether the server has no such prepared statement.
    pub(super) fn is_of_forgetting(&self) -> bool {
        self.code == "26000"
    }

    /// Whether what the server has planned does not fit its tables any more: the same statement, prepared again, works.
    pub(super) fn is_of_stale_plan(&self) -> bool {
        // The message is in the language of the server.
        self.is_of_forgetting() || (self.code == "0A000" && self.routine.as_deref() == Some("RevalidateCachedQuery"))
    }

    /// Whether it may come from parameters whose types are not what they were when the statement was prepared, because its
    /// table was made anew meanwhile.
    pub(super) fn may_be_of_stale_types(&self) -> bool {
        matches!(self.code.as_str(), "22P02" | "22003" | "22007" | "42804" | "42883" | "42846")
    }

    /// The error that a caller can act on; `sql` is what was run.
    pub(super) fn into_error(self, sql: Option<&Sql>) -> ResourceError {
        from_database(&self, sql)
    }
}

/// The server ends the connection, or has no strength to go on.
fn says_goodbye(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || code == "25P03"
}

fn from_database(said: &Said, sql: Option<&Sql>) -> ResourceError {
    let code = said.code.as_str();
    let message = full_message(said);
    match code {
        "25006" => ResourceError::ReadOnly {
            message: format!("{message}: only reading is allowed here; use an update statement to write"),
        },
        "40001" | "40P01" => ResourceError::Conflict { message, code: Cow::Owned(code.to_owned()) },
        "55P03" | "53300" => ResourceError::Busy { message },
        "57014" if said.message.contains("user request") => ResourceError::Cancelled,
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

fn full_message(said: &Said) -> String {
    let mut message = said.message.clone();
    for more in [&said.detail, &said.hint].into_iter().flatten() {
        message.push_str(": ");
        message.push_str(more.trim_end_matches('.'));
    }
    message
}

/// Names the parameter where the server says which one it could not read.
fn with_parameter(message: String, said: &Said) -> String {
    let context = said.context.as_deref().unwrap_or_default();
    let digits = context.split_once("parameter $").map_or("", |(_, rest)| rest);
    let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
    if digits.is_empty() { message } else { format!("parameter {digits}: {message}") }
}

/// The place in the text that the server got, in characters from 0.
fn place(said: &Said) -> Option<usize> {
    usize::try_from(said.position?).ok()?.checked_sub(1)
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
