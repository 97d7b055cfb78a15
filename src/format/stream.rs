use std::borrow::Cow;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};

use super::FormatError;
use super::cells::Cells;

/// What the writers remember of the stream: the types that it announced, and how many rows have passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    announced: Vec<DataType>,
    rows: u64,
}

impl Stream {
    /// A stream that begins with this schema.
    pub(super) fn begun(schema: &Schema) -> Self {
        Self { announced: schema.fields().iter().map(|field| field.data_type().clone()).collect(), rows: 0 }
    }

    /// All columns of a block. A stream that has not begun begins with it.
    pub(super) fn cells<'a>(&mut self, rows: &'a RecordBatch) -> Result<Vec<Cells<'a>>, FormatError> {
        if self.announced.len() != rows.num_columns() {
            *self = Self::begun(rows.schema_ref());
        }
        self.announced.iter().enumerate().map(|(index, announced)| Cells::of(rows, index, announced)).collect()
    }

    /// The type that the stream announced for a column.
    pub(super) fn announced(&self, column: usize) -> &DataType {
        self.announced.get(column).unwrap_or(&DataType::Null)
    }

    /// Counts the rows of a block that was written.
    pub(super) fn passed(&mut self, rows: &RecordBatch) {
        self.rows += rows.num_rows() as u64;
    }

    /// An error about one value of the present block.
    pub(super) fn value_error(
        &self,
        rows: &RecordBatch,
        place: (usize, usize),
        problem: impl Into<Cow<'static, str>>,
    ) -> FormatError {
        let (row, column) = place;
        FormatError::Value {
            row: self.rows + row as u64 + 1,
            column: rows.schema_ref().field(column).name().clone(),
            problem: problem.into(),
        }
    }
}
