//! Rows that updates give (`RETURNING`).

use arrow_array::RecordBatch;
use rusqlite::{Row, Statement};

use super::rows::RowsBuilder;
use super::shape::ShapeCache;
use crate::resource::ResourceError;
use crate::resource::relational::returned::{ReturnedRows, gives_no_rows};

/// The rows of an update, as they come.
#[derive(Debug, Default)]
pub(super) struct Returning {
    sql: String,
    shapes: ShapeCache,
    /// None before the first row.
    builder: Option<RowsBuilder>,
    rows: ReturnedRows,
}

impl Returning {
    /// For a statement that is prepared.
    pub(super) fn of(sql: &str, statement: &Statement<'_>) -> Result<Self, ResourceError> {
        if statement.column_count() == 0 {
            return Err(gives_no_rows());
        }
        Ok(Self { sql: sql.to_owned(), ..Self::default() })
    }

    /// Takes the next row.
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), ResourceError> {
        // The first step sees whether the schema has changed; only then is it known what the columns are.
        let builder = self.builder.get_or_insert_with(|| RowsBuilder::new(self.shapes.shape(&self.sql, row.as_ref())));
        builder.push(row)?;
        if builder.is_full(0) {
            self.rows.push(builder.take(0)?);
        }
        Ok(())
    }

    /// All rows, of all executions.
    pub(super) fn finish(mut self, statement: &Statement<'_>) -> Result<Vec<RecordBatch>, ResourceError> {
        let Some(mut builder) = self.builder else {
            let shape = self.shapes.shape(&self.sql, statement);
            self.rows.push(RowsBuilder::new(shape).finish()?);
            return self.rows.finish();
        };
        if builder.has_rows() {
            self.rows.push(builder.take(0)?);
        }
        self.rows.finish()
    }
}
