use std::borrow::Cow;

/// Why rows can't be written in a format or read from it, or a format's options can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The format has no way to write a value.
    #[error("row {row}, column `{column}`: {problem}")]
    Value {
        /// The row of the result, from 1.
        row: u64,
        /// The name of the column.
        column: String,
        /// What is wrong with the value, and what to do.
        problem: Cow<'static, str>,
    },
    /// The format has no way to write values of a type.
    #[error(
        "column `{column}`: values of the type {data_type} can't be written in this format; cast them in the query"
    )]
    Type {
        /// The name of the column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A column that the stream does not have was asked for.
    #[error("there is no column {wanted}; the columns are {known}")]
    Column {
        /// The name or the number that was asked for.
        wanted: String,
        /// The names that there are.
        known: String,
    },
    /// An option has a value that makes no sense.
    #[error("{0}")]
    Option(String),
    /// A value that was read is not of the type of its column.
    #[error("line {line}, column `{column}`: {problem}")]
    Input {
        /// The line of the text on which the record begins, from 1.
        line: u64,
        /// The name of the column.
        column: String,
        /// What is wrong with the value, and what to do.
        problem: String,
    },
    /// What was read has a column of a type that rows can't have.
    #[error("column `{column}`: rows have no type for {data_type}; turn it into another before it is sent")]
    Foreign {
        /// The name of the column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// What was read is not in the format.
    #[error("the {format} can't be read: {problem}")]
    Malformed {
        /// The name of the format.
        format: &'static str,
        /// What is wrong, and where.
        problem: String,
    },
}

impl FormatError {
    /// What was read is not in the format.
    pub(super) fn malformed(format: &'static str, problem: impl Into<String>) -> Self {
        Self::Malformed { format, problem: problem.into() }
    }
}
