use std::fmt;

use serde::de;

/// Why a row can't be read into a value.
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

    /// The row of its block, from 1.
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
