//! From what PostgreSQL says to what a caller can do.

use std::borrow::Cow;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition};

use super::sql::Sql;
use crate::resource::ResourceError;

/// What a statement may have done when its connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: it only reads, or was never begun.
    None,
    /// Nobody knows.
    Possible,
}

/// Sorts an error of the driver by blame; `sql` is what was run, to tell where in it the error is.
pub(super) fn resource_error(error: &Error, sql: Option<&Sql>, effect: Effect) -> ResourceError {
    match error.as_db_error() {
        Some(said) => from_database(&Said::of(said), sql),
        None => from_connection(error, effect),
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

/// What the server says is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The SQLSTATE.
    pub(super) code: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    /// The place in the text that the server got, in characters from 1.
    position: Option<u32>,
    /// Where the server was at the time.
    context: Option<String>,
}

impl Said {
    fn of(said: &DbError) -> Self {
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
                _ => {}
            }
        }
        said
    }

    /// Whether the connection is gone, or of no use any more.
    pub(super) fn is_farewell(&self) -> bool {
        says_goodbye(&self.code)
    }

    /// The error that a caller can act on.
    pub(super) fn into_error(self, sql: Option<&Sql>) -> ResourceError {
        from_database(&self, sql)
    }

    /// Whether what the server has planned does not fit its tables any more: the same statement, prepared again, works.
    pub(super) fn is_stale_plan(&self) -> bool {
        self.is_of_unknown_statement() || (self.code == "0A000" && self.message.contains("cached plan"))
    }

    /// Whether somebody has told the server to forget what was prepared.
    pub(super) fn is_of_unknown_statement(&self) -> bool {
        self.code == "26000"
    }

    /// Whether it may come from parameters whose types are not what they were when the statement was prepared, because its
    /// table was made anew meanwhile.
    pub(super) fn may_be_of_stale_types(&self) -> bool {
        matches!(self.code.as_str(), "22P02" | "22003" | "22007" | "42804" | "42883" | "42846")
    }
}

/// Whether the same may work on another connection, or when it is planned anew.
pub(super) fn is_worth_another_try(error: &Error, has_parameters: bool) -> bool {
    match error.as_db_error() {
        Some(said) => is_said_worth_another_try(&Said::of(said), has_parameters),
        None => true,
    }
}

/// The same for what the server says.
pub(super) fn is_said_worth_another_try(said: &Said, has_parameters: bool) -> bool {
    said.is_stale_plan() || said.is_farewell() || (has_parameters && said.may_be_of_stale_types())
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
        "57014" if said.message.contains("timeout") => ResourceError::TimedOut { message },
        "57014" => ResourceError::Cancelled,
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

/// The connection is gone, without a word of the server.
pub(super) fn from_connection(error: &(dyn std::error::Error + 'static), effect: Effect) -> ResourceError {
    let message = format!("PostgreSQL: {}", chain(error));
    match effect {
        Effect::None => ResourceError::Unavailable { message },
        Effect::Possible => ResourceError::Lost { message },
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
