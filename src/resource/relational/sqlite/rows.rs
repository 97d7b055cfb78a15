//! The rows of a result, gathered into blocks.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, SchemaRef};
use rusqlite::Row;

use super::column::{ColumnBuilder, NotText, Room};
use super::error::resource_error;
use super::shape::ResultShape;
use crate::block::{BLOCK_ROWS, ROWS_BYTES};
use crate::resource::ResourceError;

/// How many rows the first block holds at the most, so that it leaves early.
const FIRST_BLOCK_ROWS: usize = 64;

/// After how many looks at the control a block leaves as it is, because its rows are slow to find.
const PATIENCE: u32 = 100;

/// Gathers rows into blocks.
#[derive(Debug)]
pub(super) struct RowsBuilder {
    shape: Arc<ResultShape>,
    /// Once the first block was built: the schema of the stream.
    schema: Option<SchemaRef>,
    columns: Vec<ColumnBuilder>,
    /// Rows and bytes of the block that is being built.
    rows: usize,
    bytes: usize,
    /// Rows of the blocks before it.
    rows_before: u64,
    /// What the control counted when the block was begun.
    looks: u32,
}

impl RowsBuilder {
    pub(super) fn new(shape: Arc<ResultShape>, looks: u32) -> Self {
        let room = Room { rows: FIRST_BLOCK_ROWS, bytes: 0 };
        let columns = shape.columns.iter().map(|column| ColumnBuilder::new(column.announced.as_ref(), room)).collect();
        Self { shape, schema: None, columns, rows: 0, bytes: 0, rows_before: 0, looks }
    }

    /// Appends one row.
    #[inline]
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), ResourceError> {
        for (index, column) in self.columns.iter_mut().enumerate() {
            self.bytes += column.push(row.get_ref(index).map_err(resource_error)?);
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

    /// Takes the block, and begins the next.
    pub(super) fn take(&mut self, looks: u32) -> Result<RecordBatch, ResourceError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let rows = std::mem::take(&mut self.rows);
        let mut next = Vec::with_capacity(self.columns.len());
        for (index, column) in std::mem::take(&mut self.columns).into_iter().enumerate() {
            let shape = &self.shape.columns[index];
            // The next block is likely to be as large as this one, and the first one to be followed by a whole one.
            let room = Room { rows: BLOCK_ROWS, bytes: (column.byte_len() / rows.max(1) + 1) * BLOCK_ROWS };
            let array = column.finish(shape).map_err(|error| self.not_text(index, &error))?;
            let announced = match &self.schema {
                Some(schema) => schema.field(index).data_type().clone(),
                None => shape.announced.clone().unwrap_or_else(|| array.data_type().clone()),
            };
            let room = Room { bytes: room.bytes.min(2 * ROWS_BYTES), ..room };
            next.push((announced, room));
            arrays.push(array);
        }
        let schema = self.schema.get_or_insert_with(|| self.shape.schema(next.iter().map(|(kind, _)| kind.clone())));
        let schema = schema_of(&self.shape, schema, &arrays);
        self.columns = next.iter().map(|(kind, room)| ColumnBuilder::new(Some(kind), *room)).collect();
        self.rows_before += rows as u64;
        self.bytes = 0;
        self.looks = looks;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema, arrays, &options)
            .map_err(|error| ResourceError::Unavailable { message: format!("rows don't make a block: {error}") })
    }

    fn not_text(&self, column: usize, error: &NotText) -> ResourceError {
        let name = &self.shape.columns[column].name;
        ResourceError::Data {
            row: self.rows_before + error.row as u64 + 1,
            column: name.clone(),
            problem: "the text is not UTF-8; read it as bytes with CAST(… AS BLOB)".into(),
        }
    }
}

/// The schema of the stream, or one like it where a column of this block had to change its type.
fn schema_of(shape: &ResultShape, schema: &SchemaRef, arrays: &[ArrayRef]) -> SchemaRef {
    let same = schema.fields().iter().zip(arrays).all(|(field, array)| field.data_type() == array.data_type());
    if same {
        return Arc::clone(schema);
    }
    let types: Vec<DataType> = arrays.iter().map(|array| array.data_type().clone()).collect();
    shape.schema(types)
}
