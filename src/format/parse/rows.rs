use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};

use super::column::ColumnBuilder;
use crate::block::{BLOCK_ROWS, ROWS_BYTES};
use crate::format::FormatError;

/// Rows that are gathered from text, value by value, into blocks of the usual size.
pub(crate) struct RowsBuilder {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    /// How many rows have been gathered, and of how many bytes of text.
    rows: usize,
    bytes: usize,
    /// How many rows a block has at the most: fewer where there are many columns, each of which takes memory for NULL, too.
    most: usize,
    is_first: bool,
}

/// How many values a block has at the most.
pub(crate) const BLOCK_VALUES: usize = 512 * 1024;

impl RowsBuilder {
    /// Rows of these columns.
    pub(crate) fn new(schema: Schema) -> Result<Self, FormatError> {
        let columns = schema.fields().iter().map(|field| {
            ColumnBuilder::of(field.data_type()).ok_or_else(|| FormatError::Type {
                column: field.name().clone(),
                data_type: field.data_type().to_string(),
            })
        });
        let columns: Vec<_> = columns.collect::<Result<_, _>>()?;
        let most = (BLOCK_VALUES / columns.len().max(1)).clamp(1, BLOCK_ROWS);
        Ok(Self { schema: Arc::new(schema), columns, rows: 0, bytes: 0, most, is_first: true })
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends one value to a column, and says whether it is of its type.
    #[inline]
    pub(crate) fn push(&mut self, column: usize, value: Option<&str>) -> bool {
        let Some(builder) = self.columns.get_mut(column) else { return false };
        let Some(text) = value else {
            builder.push_null();
            return true;
        };
        self.bytes += text.len();
        builder.push(text).is_some()
    }

    /// Appends a date in days, or a time or time stamp in microseconds, to a column of that type, and says whether it is one.
    pub(crate) fn push_temporal(&mut self, column: usize, value: i64) -> bool {
        self.columns.get_mut(column).is_some_and(|builder| builder.push_temporal(value).is_some())
    }

    /// Ends a row, of which every column has been given a value; gives a block if one is full.
    pub(crate) fn end_row(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        self.rows += 1;
        let is_full = self.rows >= self.most || self.bytes >= ROWS_BYTES;
        if is_full { self.take().map(Some) } else { Ok(None) }
    }

    /// What is left at the end: the rows that did not fill a block, or a block without rows if there was none before.
    pub(crate) fn end(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        if self.rows > 0 || self.is_first { self.take().map(Some) } else { Ok(None) }
    }

    fn take(&mut self) -> Result<RecordBatch, FormatError> {
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes, self.is_first) = (0, 0, false);
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| FormatError::malformed("rows", error.to_string()))
    }
}
