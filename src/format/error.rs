use std::borrow::Cow;

/// Why rows can't be written in a format, or a format's options can't be used.
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
}
