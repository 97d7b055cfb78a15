//! Rows that updates give (`RETURNING`).

use arrow_array::RecordBatch;
use mysql_async::{Column, Row};

use super::rows::RowsBuilder;
use crate::resource::ResourceError;
use crate::resource::relational::returned::ReturnedRows;

/// The rows of an update, as they come.
#[derive(Debug, Default)]
pub(super) struct Returning {
    /// None before the first execution.
    builder: Option<RowsBuilder>,
    rows: ReturnedRows,
}

impl Returning {
    /// An execution gives rows with these columns, the same as those before it.
    pub(super) fn begin(&mut self, columns: &[Column]) -> Result<(), ResourceError> {
        if self.builder.is_none() {
            self.builder = Some(RowsBuilder::new(columns)?);
        }
        Ok(())
    }

    /// Takes the next row.
    pub(super) fn push(&mut self, row: &Row) -> Result<(), ResourceError> {
        let Some(builder) = &mut self.builder else { return Ok(()) };
        builder.push(row);
        if builder.is_full() {
            self.rows.push(builder.take()?);
        }
        Ok(())
    }

    /// All rows, of all executions.
    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>, ResourceError> {
        if let Some(builder) = self.builder.as_mut().filter(|builder| builder.has_rest()) {
            self.rows.push(builder.take()?);
        }
        self.rows.finish()
    }
}
