//! The rows of a result, gathered into blocks.

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use mysql_async::{Column, Row};

use super::column::ColumnBuilder;
use super::shape::ResultShape;
use crate::block::{BLOCK_ROWS, ROWS_BYTES};
use crate::resource::ResourceError;
use crate::resource::relational::pieces::Room;

/// How many rows the first block holds at the most, so that it leaves early.
const FIRST_BLOCK_ROWS: usize = 64;

/// Gathers rows into blocks.
#[derive(Debug)]
pub(super) struct RowsBuilder {
    shape: ResultShape,
    /// Once the first block was built: the schema of the stream, which is that of its first block.
    schema: Option<SchemaRef>,
    /// None between two blocks: whoever waits for its reader holds no room for rows that it has not read yet.
    columns: Vec<ColumnBuilder>,
    /// How much room the columns of the next block get.
    rooms: Vec<Room>,
    /// Rows and bytes of the block that is being built.
    rows: usize,
    bytes: usize,
    /// Rows of the blocks before it.
    rows_before: u64,
}

impl RowsBuilder {
    /// # Errors
    ///
    /// As [`ResultShape::of`].
    pub(super) fn new(columns: &[Column]) -> Result<Self, ResourceError> {
        let shape = ResultShape::of(columns)?;
        let columns =
            shape.columns.iter().map(|column| ColumnBuilder::new(column, &column.data_type, Room::FIRST)).collect();
        Ok(Self { shape, schema: None, columns, rooms: Vec::new(), rows: 0, bytes: 0, rows_before: 0 })
    }

    /// Appends one row.
    #[inline]
    pub(super) fn push(&mut self, row: &Row) {
        if self.columns.is_empty() {
            self.begin_block();
        }
        for (index, column) in self.columns.iter_mut().enumerate() {
            if let Some(value) = row.as_ref(index) {
                self.bytes += column.push(value);
            }
        }
        self.rows += 1;
    }

    /// Whether it is time to take the block.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        let rows = if self.schema.is_none() { FIRST_BLOCK_ROWS } else { BLOCK_ROWS };
        self.rows >= rows || self.bytes >= ROWS_BYTES
    }

    /// How many rows have been gathered altogether.
    pub(super) fn total(&self) -> u64 {
        self.rows_before + self.rows as u64
    }

    /// Whether the last block is still to be taken: it holds rows, or it is the only one.
    pub(super) fn has_rest(&self) -> bool {
        self.rows > 0 || self.schema.is_none()
    }

    /// Whether rows have been gathered since the last block.
    pub(super) fn has_rows(&self) -> bool {
        self.rows > 0
    }

    /// Takes the block, after which the next begins.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ResourceError> {
        // The next block is likely to need as much room for a row as this one.
        let (rows, bytes) = (self.rows.max(1), self.bytes);
        self.rooms = self.columns.iter().map(|column| Room::like(column.byte_len(), bytes, rows)).collect();
        let block = self.build()?;
        self.schema.get_or_insert_with(|| block.schema());
        Ok(block)
    }

    fn begin_block(&mut self) {
        let Some(schema) = &self.schema else { return };
        let columns = self.shape.columns.iter().zip(schema.fields()).zip(&self.rooms);
        self.columns =
            columns.map(|((shape, field), room)| ColumnBuilder::new(shape, field.data_type(), *room)).collect();
    }

    fn build(&mut self) -> Result<RecordBatch, ResourceError> {
        if self.columns.is_empty() {
            self.begin_block();
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for (index, column) in std::mem::take(&mut self.columns).into_iter().enumerate() {
            arrays.push(column.finish().map_err(|row| self.not_text(index, row))?);
        }
        let schema = self.shape.schema(&arrays);
        let rows = std::mem::take(&mut self.rows);
        self.rows_before += rows as u64;
        self.bytes = 0;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema, arrays, &options)
            .map_err(|error| ResourceError::Unavailable { message: format!("rows don't make a block: {error}") })
    }

    fn not_text(&self, column: usize, row: usize) -> ResourceError {
        ResourceError::Data {
            row: self.rows_before + row as u64 + 1,
            column: self.shape.columns[column].name.clone(),
            problem: "the text is not UTF-8; read it as bytes with CAST(… AS BINARY)".into(),
        }
    }
}
