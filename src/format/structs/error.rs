use std::fmt;

use serde::de;

/// Why a row can't be read into a value.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch};
/// use rejoin::format::structs;
///
/// let ids = Arc::new(Int64Array::from(vec![7, 300]));
/// let rows = RecordBatch::try_from_iter([("id", ids as _)])?;
/// let error = structs::<u8>(&rows, &mut Vec::new()).unwrap_err();
/// assert_eq!((error.row(), error.column()), (Some(2), Some("id")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    row: Option<usize>,
    column: Option<Box<str>>,
    message: Box<str>,
}

impl RowError {
    pub(super) fn of_block(message: impl Into<Box<str>>) -> Self {
        Self { row: None, column: None, message: message.into() }
    }

    pub(super) fn in_row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    pub(super) fn in_column(mut self, column: &str) -> Self {
        self.column.get_or_insert_with(|| column.into());
        self
    }

    /// The row among those that were read together, from 1.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        self.row
    }

    /// The name of the column.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, &self.column) {
            (Some(row), Some(column)) => write!(f, "row {row}, column `{column}`: {}", self.message),
            (Some(row), None) => write!(f, "row {row}: {}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for RowError {}

impl de::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of_block(message.to_string())
    }
}
