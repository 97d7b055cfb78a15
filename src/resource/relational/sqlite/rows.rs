//! The rows of a result, gathered into blocks.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use rusqlite::Row;

use super::column::ColumnBuilder;
use super::connection::VALUE_BYTES;
use super::error::resource_error;
use super::shape::ResultShape;
use crate::block::{BLOCK_ROWS, ROWS_BYTES};
use crate::resource::ResourceError;
use crate::resource::relational::pieces::Room;

/// How many rows the first block holds at the most, so that it leaves early.
const FIRST_BLOCK_ROWS: usize = 64;

/// After how many looks at the control a block leaves as it is, because its rows are slow to find.
const PATIENCE: u32 = 100;

/// How many bytes a row takes at the most; it is held whole.
const ROW_BYTES: usize = 2 * VALUE_BYTES;

/// Gathers rows into blocks.
#[derive(Debug)]
pub(super) struct RowsBuilder {
    shape: Arc<ResultShape>,
    /// Once the first block was built: the schema of the stream, which is that of its first block.
    schema: Option<SchemaRef>,
    /// None between two blocks: whoever waits for its reader holds no room for rows that it has not found yet.
    columns: Vec<ColumnBuilder>,
    /// How much room the columns of the next block get.
    rooms: Vec<Room>,
    /// Rows and bytes of the block that is being built.
    rows: usize,
    bytes: usize,
    /// Rows of the blocks before it.
    rows_before: u64,
    /// What the control counted when the block was begun; it begins with the statement.
    looks: u32,
}

impl RowsBuilder {
    pub(super) fn new(shape: Arc<ResultShape>) -> Self {
        let columns =
            shape.columns.iter().map(|column| ColumnBuilder::new(column.announced.as_ref(), Room::FIRST)).collect();
        Self { shape, schema: None, columns, rooms: Vec::new(), rows: 0, bytes: 0, rows_before: 0, looks: 0 }
    }

    /// Appends one row.
    #[inline]
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), ResourceError> {
        if self.columns.is_empty() {
            self.begin_block();
        }
        let most = self.bytes + ROW_BYTES;
        for (index, column) in self.columns.iter_mut().enumerate() {
            self.bytes += column.push(row.get_ref(index).map_err(resource_error)?);
            // A row of a table is bounded by SQLite; one that a query makes up is not.
            if self.bytes > most {
                return Err(too_large());
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether it is time to take the block; `looks` is what the control counts now.
    #[inline]
    pub(super) fn is_full(&self, looks: u32) -> bool {
        let rows = if self.schema.is_none() { FIRST_BLOCK_ROWS } else { BLOCK_ROWS };
        self.rows >= rows || self.bytes >= ROWS_BYTES || looks.wrapping_sub(self.looks) >= PATIENCE
    }

    /// How many rows have been gathered altogether.
    pub(super) fn total(&self) -> u64 {
        self.rows_before + self.rows as u64
    }

    /// Whether rows have been gathered since the last block.
    pub(super) fn has_rows(&self) -> bool {
        self.rows > 0
    }

    /// Takes the block, after which the next begins; `looks` is what the control counts now.
    pub(super) fn take(&mut self, looks: u32) -> Result<RecordBatch, ResourceError> {
        if self.columns.is_empty() {
            // Nothing came since the last one: a block without rows.
            self.begin_block();
        }
        // The next block is likely to need as much room for a row as this one.
        let (rows, bytes) = (self.rows.max(1), self.bytes);
        self.rooms = self.columns.iter().map(|column| Room::like(column.byte_len(), bytes, rows)).collect();
        let block = self.build()?;
        self.schema.get_or_insert_with(|| block.schema());
        self.looks = looks;
        Ok(block)
    }

    fn begin_block(&mut self) {
        let Some(schema) = &self.schema else { return };
        let columns = schema.fields().iter().zip(&self.rooms);
        self.columns = columns.map(|(field, room)| ColumnBuilder::new(Some(field.data_type()), *room)).collect();
    }

    /// Takes the last block.
    pub(super) fn finish(mut self) -> Result<RecordBatch, ResourceError> {
        self.build()
    }

    fn build(&mut self) -> Result<RecordBatch, ResourceError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for (index, column) in std::mem::take(&mut self.columns).into_iter().enumerate() {
            let array = column.finish(&self.shape.columns[index]).map_err(|row| self.not_text(index, row))?;
            arrays.push(array);
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
        let name = &self.shape.columns[column].name;
        ResourceError::Data {
            row: self.rows_before + row as u64 + 1,
            column: name.clone(),
            problem: "the text is not UTF-8; read it as bytes with CAST(… AS BLOB)".into(),
        }
    }
}

fn too_large() -> ResourceError {
    ResourceError::Sql {
        message: format!(
            "a row takes more than {} MiB; ask for fewer of its columns at a time",
            ROW_BYTES / (1024 * 1024)
        ),
        code: "SQLITE_TOOBIG".into(),
        offset: None,
    }
}
