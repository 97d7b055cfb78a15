//! The rows of a result, gathered into blocks.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};

use super::ResultShape;
use super::column::ColumnBuilder;
use crate::block::{BLOCK_ROWS, ROWS_BYTES};
use crate::resource::ResourceError;

/// How many rows the first block holds at the most, so that it leaves early.
const FIRST_BLOCK_ROWS: usize = 64;

/// Gathers rows into blocks.
#[derive(Debug)]
pub(in super::super) struct RowsBuilder {
    shape: Arc<ResultShape>,
    /// Empty between two blocks: whoever waits for its reader holds no room for rows that have not come yet.
    columns: Vec<ColumnBuilder>,
    /// How many bytes of text each column of the next block gets room for.
    rooms: Vec<usize>,
    /// How many rows the next block gets room for.
    room_rows: usize,
    /// Rows and bytes of the block that is being built.
    rows: usize,
    bytes: usize,
    /// Rows of the blocks before it.
    rows_before: u64,
}

impl RowsBuilder {
    pub(in super::super) fn new(shape: Arc<ResultShape>) -> Self {
        let rooms = vec![64; shape.columns.len()];
        Self { shape, columns: Vec::new(), rooms, room_rows: 8, rows: 0, bytes: 0, rows_before: 0 }
    }

    /// Appends one row: its values as they were received; `None` is NULL.
    #[inline]
    pub(in super::super) fn push<'a>(
        &mut self,
        mut values: impl Iterator<Item = Option<&'a [u8]>>,
    ) -> Result<(), ResourceError> {
        if self.columns.is_empty() {
            self.begin_block();
        }
        for (index, column) in self.columns.iter_mut().enumerate() {
            match values.next().map(|value| column.push(value)) {
                Some(Ok(bytes)) => self.bytes += bytes,
                Some(Err(_)) | None => return Err(self.malformed(index)),
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether it is time to take the block.
    #[inline]
    pub(in super::super) fn is_full(&self) -> bool {
        let rows = if self.rows_before == 0 { FIRST_BLOCK_ROWS } else { BLOCK_ROWS };
        self.rows >= rows || self.bytes >= ROWS_BYTES
    }

    /// How many rows have been gathered altogether.
    pub(in super::super) fn total(&self) -> u64 {
        self.rows_before + self.rows as u64
    }

    /// Whether rows have been gathered since the last block.
    pub(in super::super) fn has_rows(&self) -> bool {
        self.rows > 0
    }

    /// Takes the block, after which the next begins. Without rows it has columns all the same.
    pub(in super::super) fn take(&mut self) -> Result<RecordBatch, ResourceError> {
        if self.columns.is_empty() {
            self.begin_block();
        }
        let (rows, bytes) = (self.rows.max(1), self.bytes);
        // The next block is likely to need as much room for a row as this one, and an eighth more, because no two are alike.
        self.room_rows = (ROWS_BYTES / (bytes / rows).max(1) + 1).min(BLOCK_ROWS);
        let room = |column: &ColumnBuilder| {
            let bytes = (column.byte_len() / rows + 1) * self.room_rows;
            (bytes + bytes / 8).min(2 * ROWS_BYTES)
        };
        self.rooms = self.columns.iter().map(room).collect();
        self.build()
    }

    fn begin_block(&mut self) {
        let columns = self.shape.columns.iter().zip(&self.rooms);
        self.columns =
            columns.map(|(column, room)| ColumnBuilder::new(column.kind.clone(), self.room_rows, *room)).collect();
    }

    fn build(&mut self) -> Result<RecordBatch, ResourceError> {
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
            problem: "the text is not UTF-8: the database does not say in which encoding its text is".into(),
        }
    }

    fn malformed(&self, column: usize) -> ResourceError {
        let ResultShape { columns, .. } = &*self.shape;
        ResourceError::Data {
            row: self.total() + 1,
            column: columns[column].name.clone(),
            problem: "the server sent bytes that are no value of the type that it announced".into(),
        }
    }
}
