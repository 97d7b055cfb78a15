//! Rows from elsewhere, turned into the types that rows have here.

mod convert;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;

use self::convert::{converted, normal_type};
use super::FormatError;
use crate::block::BLOCK_ROWS;

/// Turns blocks of any types and sizes into those of streams.
#[derive(Debug)]
pub(super) struct Normal {
    schema: SchemaRef,
    rows: u64,
    has_blocks: bool,
}

impl Normal {
    /// Blocks of these columns.
    pub(super) fn new(schema: &Schema) -> Result<Self, FormatError> {
        let fields = schema.fields().iter().map(|field| {
            let data_type = normal_type(field.data_type()).ok_or_else(|| FormatError::Foreign {
                column: field.name().clone(),
                data_type: field.data_type().to_string(),
            })?;
            Ok(Field::new(field.name(), data_type, true).with_metadata(field.metadata().clone()))
        });
        let fields = fields.collect::<Result<Vec<_>, FormatError>>()?;
        Ok(Self { schema: Arc::new(Schema::new(fields)), rows: 0, has_blocks: false })
    }

    /// Appends the rows in blocks of the usual size, none of which holds the memory of others.
    pub(super) fn blocks(&mut self, rows: &RecordBatch, blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        let columns = rows.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| self.column(column, field)).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(broken)?;
        self.rows += rows.num_rows() as u64;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.has_blocks = true;
        if rows.num_rows() <= BLOCK_ROWS {
            blocks.push(rows);
            return Ok(());
        }
        for start in (0..rows.num_rows()).step_by(BLOCK_ROWS) {
            let end = rows.num_rows().min(start + BLOCK_ROWS);
            let indices = UInt64Array::from_iter_values(start as u64..end as u64);
            blocks.push(take_record_batch(&rows, &indices).map_err(broken)?);
        }
        Ok(())
    }

    /// A block without rows, if there was none with rows.
    pub(super) fn empty_block(&self) -> Option<RecordBatch> {
        (!self.has_blocks).then(|| RecordBatch::new_empty(Arc::clone(&self.schema)))
    }

    fn column(&self, column: &ArrayRef, field: &Field) -> Result<ArrayRef, FormatError> {
        converted(column, field.data_type()).map_err(|row| FormatError::Value {
            row: self.rows + row as u64 + 1,
            column: field.name().clone(),
            problem: format!(
                "the value is of the type {}, and can't be turned into {} without loss",
                column.data_type(),
                super::RowType::of(field.data_type()).unwrap_or(super::RowType::TEXT)
            )
            .into(),
        })
    }
}

// It is handed to `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn broken(error: arrow_schema::ArrowError) -> FormatError {
    FormatError::malformed("block", error.to_string())
}
