use std::borrow::Cow;
use std::fmt;

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Whoever wrote the request.
    Client,
    /// Whoever runs the service or its database. A client sees a reference; the text is for the log.
    Server,
    /// Whoever asks may not do what he asks for.
    Authorization,
    /// Nobody: the request was cancelled.
    Nobody,
}

/// Why a data resource did not do what was asked of it, by what a caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// The statement is wrong, or the database refused what it asks: syntax, an unknown table, a wrong number of
    /// parameters, a violated constraint.
    #[error("{message}{}", Place { offset: *offset, code })]
    Sql {
        /// What the database says.
        message: String,
        /// The database's own code, such as `SQLITE_CONSTRAINT_UNIQUE`, or its SQLSTATE.
        code: Cow<'static, str>,
        /// Where in the statement, in characters from 0, if the database knows.
        offset: Option<usize>,
    },
    /// A statement that would write was given where only reading is allowed.
    #[error("{message}")]
    ReadOnly {
        /// What was refused and what to use instead.
        message: String,
    },
    /// Others use what the statement needs, and it waited as long as it may. Trying again is likely to succeed.
    #[error("{message}")]
    Busy {
        /// What was waited for.
        message: String,
    },
    /// Others changed what the transaction uses: a serialisation failure, a deadlock. Nothing of the transaction holds, or of
    /// the statement, if it ran by itself. The same work may well succeed in a new one.
    #[error("{message}")]
    Conflict {
        /// What the database says.
        message: String,
        /// The database's own code, such as the SQLSTATE `40001`.
        code: Cow<'static, str>,
    },
    /// The statement took longer than it may, and was stopped.
    #[error("{message}")]
    TimedOut {
        /// Which limit it was.
        message: String,
    },
    /// Whoever asks may not do this in the database.
    #[error("{message}")]
    Denied {
        /// What was denied.
        message: String,
    },
    /// The data resource has no such feature.
    #[error("{message}")]
    Unsupported {
        /// What it has not, and what to use instead.
        message: String,
    },
    /// The connection was lost while a statement ran that may have changed something: whether it has, is not known.
    #[error("{message}")]
    Lost {
        /// What happened; not for clients.
        message: String,
    },
    /// The source does not work: missing, unreadable, damaged, full.
    #[error("{message}")]
    Unavailable {
        /// What the source says; not for clients.
        message: String,
    },
    /// A value can't be carried.
    #[error("row {row}, column `{column}`: {problem}")]
    Data {
        /// The row of the result, from 1.
        row: u64,
        /// The name of the column.
        column: String,
        /// What is wrong with the value, and what to do.
        problem: Cow<'static, str>,
    },
    /// The request was cancelled, or nobody reads the result any more.
    #[error("the statement was cancelled")]
    Cancelled,
    /// The resource is configured wrongly: its URI can't be understood.
    #[error("{message}")]
    Configuration {
        /// What is wrong and what was expected.
        message: String,
    },
}

impl ResourceError {
    /// A stable name for the kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sql { .. } => "SqlError",
            Self::ReadOnly { .. } => "SqlReadOnly",
            Self::Busy { .. } => "DataResourceBusy",
            Self::Conflict { .. } => "TransactionConflict",
            Self::TimedOut { .. } => "SqlTimedOut",
            Self::Denied { .. } => "SqlDenied",
            Self::Unsupported { .. } => "SqlUnsupported",
            Self::Lost { .. } => "DataResourceLost",
            Self::Unavailable { .. } => "DataResourceUnavailable",
            Self::Data { .. } => "SqlData",
            Self::Cancelled => "Cancelled",
            Self::Configuration { .. } => "DataResourceConfiguration",
        }
    }

    /// Who has to act.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Sql { .. }
            | Self::ReadOnly { .. }
            | Self::Data { .. }
            | Self::Conflict { .. }
            | Self::TimedOut { .. }
            | Self::Unsupported { .. } => Blame::Client,
            Self::Denied { .. } => Blame::Authorization,
            Self::Busy { .. } | Self::Lost { .. } | Self::Unavailable { .. } | Self::Configuration { .. } => {
                Blame::Server
            }
            Self::Cancelled => Blame::Nobody,
        }
    }

    /// Whether the same request may well succeed a little later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Conflict { .. })
    }

    /// Something that a data resource has not.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::Unsupported { message: message.into() }
    }
}

/// ` (SQLSTATE 42703, at character 15 of the statement)`, counted from 1 as people do.
struct Place<'a> {
    offset: Option<usize>,
    code: &'a str,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = is_sqlstate(self.code).then_some(self.code);
        match (state, self.offset) {
            (Some(state), Some(offset)) => {
                write!(f, " (SQLSTATE {state}, at character {} of the statement)", offset + 1)
            }
            (Some(state), None) => write!(f, " (SQLSTATE {state})"),
            (None, Some(offset)) => write!(f, " (at character {} of the statement)", offset + 1),
            (None, None) => Ok(()),
        }
    }
}

/// Whether a code is one of the SQL standard, five digits and capital letters, and says anything.
fn is_sqlstate(code: &str) -> bool {
    // HY000 says that there is no other.
    code != "HY000" && code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
