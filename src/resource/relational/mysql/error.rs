//! From what the server or the driver says to what a caller can do.

use std::borrow::Cow;

use mysql_async::{DriverError, Error, ServerError};

use super::words::Words;
use crate::resource::ResourceError;
use crate::session::BranchError;

/// Numbers of errors by which the server says that the connection is at its end, or itself.
const GONE: [u16; 13] = [1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 3169, 4031];

/// `ER_UNSUPPORTED_PS`: a statement that can't be prepared.
pub(super) const NOT_PREPARABLE: u16 = 1295;

/// `ER_SP_DOES_NOT_EXIST`: of a savepoint as well.
pub(super) const NO_SAVEPOINT: u16 = 1305;

/// `ER_QUERY_INTERRUPTED`: a statement was stopped.
pub(super) const INTERRUPTED: u16 = 1317;

/// Numbers of errors by which a server says that it takes no files of its clients.
const NO_LOCAL_FILES: [u16; 3] = [1148, 3948, 4166];

/// Whether a server takes no files of its clients.
pub(super) fn takes_no_files(error: &Error) -> bool {
    server_code(error).is_some_and(|code| NO_LOCAL_FILES.contains(&code))
}

/// Sorts an error of the driver by blame.
pub(super) fn resource_error(error: Error) -> ResourceError {
    match error {
        Error::Server(error) => from_server(error),
        Error::Driver(DriverError::MixedParams | DriverError::Params(_)) => {
            sql("parameters with names are not known; write `?` for each")
        }
        other => unavailable(&other),
    }
}

/// As [`resource_error`], of a statement that was prepared. The server takes one at a time.
pub(super) fn statement_error(error: Error, sql: &str) -> ResourceError {
    match resource_error(error) {
        ResourceError::Sql { message, code, offset } if code == "42000" && Words::of(sql).are_several() => {
            let message =
                format!("{message}. Only one statement may stand in a text; give each an activity of its own");
            ResourceError::Sql { message, code, offset }
        }
        other => other,
    }
}

/// An error of the driver while it connected.
pub(super) fn connect_error(error: Error) -> ResourceError {
    match error {
        // That the service is let in is not the affair of who asks it for something.
        Error::Server(error) if matches!(error.code, 1044 | 1045 | 1049 | 1130 | 1251 | 1698 | 1862 | 1820) => {
            ResourceError::Unavailable { message: format!("the database does not let the service in: {error}") }
        }
        other => resource_error(other),
    }
}

/// An error of a statement that may have written: if its connection was lost, nobody knows.
pub(super) fn write_error(error: Error) -> ResourceError {
    let is_lost = is_connection_lost(&error);
    match resource_error(error) {
        ResourceError::Unavailable { message } if is_lost => ResourceError::Lost { message },
        other => other,
    }
}

/// An error of a commit: if its connection was ended, nobody knows, whoever says so.
pub(super) fn commit_error(error: Error) -> ResourceError {
    let is_gone = server_code(&error).is_some_and(|code| GONE.contains(&code));
    match write_error(error) {
        ResourceError::Unavailable { message } if is_gone => ResourceError::Lost { message },
        other => other,
    }
}

fn is_connection_lost(error: &Error) -> bool {
    !matches!(error, Error::Server(_) | Error::Driver(DriverError::MixedParams | DriverError::Params(_)))
}

/// What an error means for the branch of a transaction. A lost connection takes everything back, unless it was to commit.
pub(super) fn branch_error(error: Error, commits: bool) -> BranchError {
    let is_lost = !matches!(&error, Error::Server(error) if !GONE.contains(&error.code));
    match resource_error(error) {
        error if is_lost && commits => BranchError::Lost { message: error.to_string() },
        error => refused(&error),
    }
}

/// An error of a statement as one of the branch that it was for.
pub(super) fn refused(error: &ResourceError) -> BranchError {
    match error {
        ResourceError::Unavailable { message } => BranchError::Unavailable { message: message.clone() },
        error => BranchError::Refused { message: error.to_string(), is_retryable: error.is_retryable() },
    }
}

/// An error of whoever wrote the statement.
pub(super) fn sql(message: impl Into<String>) -> ResourceError {
    ResourceError::Sql { message: message.into(), code: Cow::Borrowed("HY000"), offset: None }
}

/// The number of an error that the server told, by its list of errors.
pub(super) fn server_code(error: &Error) -> Option<u16> {
    match error {
        Error::Server(error) => Some(error.code),
        _ => None,
    }
}

/// Whether the connection that met this error is of no use any more.
pub(super) fn breaks_connection(error: &ResourceError) -> bool {
    matches!(error, ResourceError::Unavailable { .. } | ResourceError::Lost { .. })
}

fn unavailable(error: &Error) -> ResourceError {
    ResourceError::Unavailable { message: format!("MariaDB: {error}") }
}

fn from_server(error: ServerError) -> ResourceError {
    let ServerError { code, message, state } = error;
    match code {
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 | 1873 => ResourceError::Denied { message },
        1040 | 1203 | 1205 | 1226 | 3572 => {
            ResourceError::Busy { message: format!("{message} (MariaDB error {code})") }
        }
        1020 | 1213 | 1613 | 1614 => ResourceError::Conflict { message, code: sqlstate(state) },
        1290 | 1792 | 1836 => ResourceError::ReadOnly {
            message: format!("only reading is allowed here ({message}); use an update statement to write"),
        },
        1969 | 3024 => ResourceError::TimedOut { message },
        1021 | 1030 | 1037 | 1041 | 1114 | 1194 | 1195 => {
            ResourceError::Unavailable { message: format!("MariaDB error {code}: {message}") }
        }
        code if GONE.contains(&code) => {
            ResourceError::Unavailable { message: format!("MariaDB error {code}: {message}") }
        }
        _ => ResourceError::Sql { message, code: sqlstate(state), offset: None },
    }
}

fn sqlstate(state: String) -> Cow<'static, str> {
    match state.as_str() {
        "40001" => Cow::Borrowed("40001"),
        "42000" => Cow::Borrowed("42000"),
        "23000" => Cow::Borrowed("23000"),
        _ => Cow::Owned(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16) -> Error {
        Error::Server(ServerError { code, message: "it said so".into(), state: "HY000".into() })
    }

    #[test]
    fn errors_of_the_server_are_sorted_by_who_has_to_act() {
        for (code, kind) in [
            (1064, "SqlError"),
            (1062, "SqlError"),
            (1142, "SqlDenied"),
            (1205, "DataResourceBusy"),
            (1213, "TransactionConflict"),
            (1792, "SqlReadOnly"),
            (1969, "SqlTimedOut"),
            (1927, "DataResourceUnavailable"),
        ] {
            assert_eq!(resource_error(server(code)).code(), kind, "{code}");
        }
        assert_eq!(connect_error(server(1045)).code(), "DataResourceUnavailable");
    }

    #[test]
    fn only_a_lost_connection_leaves_it_open_what_was_written() {
        let lost = || Error::Driver(DriverError::ConnectionClosed);
        assert_eq!(write_error(lost()).code(), "DataResourceLost");
        assert_eq!(write_error(server(1062)).code(), "SqlError");
        assert_eq!(write_error(server(1927)).code(), "DataResourceUnavailable");
        assert_eq!(commit_error(server(1927)).code(), "DataResourceLost");
        assert!(matches!(branch_error(lost(), true), BranchError::Lost { .. }));
        assert!(matches!(branch_error(lost(), false), BranchError::Unavailable { .. }));
        assert!(matches!(branch_error(server(1213), true), BranchError::Refused { is_retryable: true, .. }));
    }
}
