//! Blocks whose columns have changed their types, brought back to those that a stream began with.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Schema, SchemaRef};

use super::parse::ColumnBuilder;
use super::text::shortened;
use super::{FormatError, RowType};

/// Gives blocks the types of the first, for formats that can't change them.
#[derive(Debug, Clone)]
pub(super) struct Aligned {
    schema: SchemaRef,
    rows: u64,
}

impl Aligned {
    /// Blocks with these columns.
    pub(super) fn new(schema: Schema) -> Self {
        Self { schema: Arc::new(schema), rows: 0 }
    }

    /// The block with the types that were announced: text that means values of these is turned into them.
    pub(super) fn align(&mut self, rows: &RecordBatch) -> Result<RecordBatch, FormatError> {
        let columns = rows.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| {
            if column.data_type() == field.data_type() {
                return Ok(Arc::clone(column));
            }
            self.convert(column, field.name(), field.data_type())
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let aligned = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| FormatError::malformed("block", error.to_string()))?;
        self.rows += rows.num_rows() as u64;
        Ok(aligned)
    }

    fn convert(&self, column: &ArrayRef, name: &str, announced: &DataType) -> Result<ArrayRef, FormatError> {
        let other_type = || FormatError::Type { column: name.to_owned(), data_type: column.data_type().to_string() };
        let mut builder = ColumnBuilder::of(announced).ok_or_else(other_type)?;
        for row in 0..column.len() {
            if column.is_null(row) {
                builder.push_null();
                continue;
            }
            let text = match column.data_type() {
                DataType::Utf8 => Some(column.as_string::<i32>().value(row)),
                DataType::Binary => std::str::from_utf8(column.as_binary::<i32>().value(row)).ok(),
                _ => return Err(other_type()),
            };
            if text.and_then(|text| builder.push(text)).is_none() {
                let row_type = RowType::of(announced).unwrap_or(RowType::TEXT);
                let value = text.map_or_else(|| "(bytes)".to_owned(), shortened);
                return Err(FormatError::Value {
                    row: self.rows + row as u64 + 1,
                    column: name.to_owned(),
                    problem: format!(
                        "`{value}` is not of the type {row_type}, which the first rows have announced for the column; give \
                         the column one type in the query, such as with CAST(… AS TEXT)"
                    )
                    .into(),
                });
            }
        }
        Ok(builder.finish())
    }
}
