//! Rows from elsewhere, turned into the types that rows have here.

mod convert;
mod size;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;

use self::convert::{converted, is_normal, normal_type};
use self::size::add_sizes;
use super::parse::BLOCK_VALUES;
use super::{FormatError, MOST_COLUMNS};
use crate::block::BLOCK_ROWS;

/// How many bytes of values a block has, about, where fewer rows than usual have so many.
const BLOCK_VALUE_BYTES: usize = 1024 * 1024;

/// The most bytes of a row. By dictionaries and views, a few bytes can mean any number of them.
const ROW_BYTES: usize = 128 * 1024 * 1024;

/// Turns blocks of any types and sizes into those of streams, one at a time.
#[derive(Debug)]
pub(super) struct Normal {
    schema: SchemaRef,
    /// Whether the columns come as they are to be.
    keeps_types: bool,
    rows: u64,
    has_blocks: bool,
    /// The rows that are being turned, and how many of them have been.
    present: Option<(RecordBatch, usize)>,
    /// Whether these are a block as they are.
    is_block: bool,
}

impl Normal {
    /// Blocks of these columns.
    pub(super) fn new(schema: &SchemaRef) -> Result<Self, FormatError> {
        if schema.fields().len() > MOST_COLUMNS {
            return Err(FormatError::malformed("rows", format!("they have more than {MOST_COLUMNS} columns")));
        }
        let is_bare = schema.metadata().is_empty() && schema.fields().iter().all(|field| field.is_nullable());
        if is_bare && schema.fields().iter().all(|field| is_normal(field.data_type())) {
            return Ok(Self::of(Arc::clone(schema), true));
        }
        let types = schema.fields().iter().map(|field| {
            normal_type(field.data_type()).ok_or_else(|| FormatError::Foreign {
                column: field.name().clone(),
                data_type: field.data_type().to_string(),
            })
        });
        let types = types.collect::<Result<Vec<_>, FormatError>>()?;
        if is_bare && schema.fields().iter().zip(&types).all(|(field, normal)| field.data_type() == normal) {
            return Ok(Self::of(Arc::clone(schema), true));
        }
        Ok(Self::of(turned(schema, types), false))
    }

    fn of(schema: SchemaRef, keeps_types: bool) -> Self {
        Self { schema, keeps_types, rows: 0, has_blocks: false, present: None, is_block: false }
    }

    /// Takes rows, after those before have been given. Where it is known, `bytes` is no less than their values have: it spares
    /// looking at each.
    pub(super) fn take(&mut self, rows: RecordBatch, bytes: Option<usize>) {
        let values = rows.num_rows().saturating_mul(rows.num_columns());
        self.is_block = self.keeps_types
            && rows.num_rows() <= BLOCK_ROWS
            && values <= BLOCK_VALUES
            && bytes.is_some_and(|bytes| bytes <= BLOCK_VALUE_BYTES);
        self.present = Some((rows, 0));
    }

    /// The next block of the rows that were taken; none of the blocks holds the memory of others.
    pub(super) fn next_block(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        let Some((rows, start)) = self.present.take().filter(|(rows, start)| *start < rows.num_rows()) else {
            return Ok(None);
        };
        let count = if self.is_block { rows.num_rows() } else { self.fitting(&rows, start)? };
        let block = match count == rows.num_rows() {
            true if self.is_block => rows.clone(),
            true => self.block(&rows)?,
            false => self.block(&copied(&rows, start, count)?)?,
        };
        self.rows += count as u64;
        self.has_blocks = true;
        self.present = Some((rows, start + count));
        Ok(Some(block))
    }

    /// How many rows from there on make a block.
    fn fitting(&self, rows: &RecordBatch, start: usize) -> Result<usize, FormatError> {
        let most = BLOCK_VALUES / self.schema.fields().len().max(1);
        let count = (rows.num_rows() - start).min(BLOCK_ROWS).min(most).max(1);
        let mut sizes = vec![0_usize; count];
        for column in rows.columns() {
            add_sizes(&column.slice(start, count), &mut sizes);
        }
        if sizes[0] > ROW_BYTES {
            return Err(FormatError::malformed("rows", format!("row {} is larger than 128 MiB", self.rows + 1)));
        }
        let mut total = 0_usize;
        let fitting = sizes.into_iter().take_while(|size| {
            total = total.saturating_add(*size);
            total <= BLOCK_VALUE_BYTES
        });
        Ok(fitting.count().max(1))
    }

    fn block(&self, rows: &RecordBatch) -> Result<RecordBatch, FormatError> {
        let columns = rows.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| self.column(column, field)).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(broken)
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

/// The schema with other types.
fn turned(schema: &Schema, types: Vec<DataType>) -> SchemaRef {
    let fields = schema.fields().iter().zip(types);
    let fields: Vec<_> = fields
        .map(|(field, data_type)| Field::new(field.name(), data_type, true).with_metadata(field.metadata().clone()))
        .collect();
    Arc::new(Schema::new(fields))
}

/// Some of the rows, with memory of their own; what stands in dictionaries and in buffers of views stays there.
fn copied(rows: &RecordBatch, start: usize, count: usize) -> Result<RecordBatch, FormatError> {
    let indices = UInt64Array::from_iter_values(start as u64..(start + count) as u64);
    take_record_batch(rows, &indices).map_err(broken)
}

// It is handed to `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn broken(error: arrow_schema::ArrowError) -> FormatError {
    FormatError::malformed("block", error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::format::samples::every_type;

    use arrow_array::{Array, ArrayRef, DictionaryArray, Int8Array, NullArray, StringArray, StringViewArray};

    use super::*;

    fn blocks(columns: Vec<(&str, ArrayRef)>) -> Result<Vec<RecordBatch>, FormatError> {
        let rows =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
                .unwrap();
        let mut normal = Normal::new(&rows.schema()).unwrap();
        normal.take(rows, None);
        let mut blocks = Vec::new();
        while let Some(block) = normal.next_block()? {
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// That many rows, each of which is the one value of a dictionary.
    fn repeated(rows: usize, bytes: usize) -> ArrayRef {
        let values = Arc::new(StringArray::from(vec!["x".repeat(bytes)]));
        Arc::new(DictionaryArray::new(Int8Array::from(vec![0; rows]), values))
    }

    #[test]
    fn what_few_bytes_mean_is_written_out_block_by_block() {
        let views = StringViewArray::from(vec!["y".repeat(300_000); 3]);
        for (column, expected) in [(repeated(5, 400_000), vec![2, 2, 1]), (Arc::new(views), vec![3])] {
            let blocks = blocks(vec![("t", column)]).unwrap();
            assert_eq!(blocks.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_row_that_means_too_much_is_refused() {
        let column = repeated(1, 40 * 1024 * 1024);
        let columns = ["a", "b", "c", "d"].map(|name| (name, Arc::clone(&column)));
        let error = blocks(columns.into()).unwrap_err().to_string();
        assert_eq!(error, "the rows can't be read: row 1 is larger than 128 MiB");
    }

    #[test]
    fn many_columns_have_fewer_rows_in_a_block() {
        let names: Vec<String> = (0..5_000).map(|number| format!("c{number}")).collect();
        let column: ArrayRef = Arc::new(NullArray::new(1_000));
        let blocks = blocks(names.iter().map(|name| (&**name, Arc::clone(&column))).collect()).unwrap();
        assert!(blocks.iter().all(|block| block.num_rows() <= 104));
        assert_eq!(blocks.iter().map(RecordBatch::num_rows).sum::<usize>(), 1_000);
        assert_eq!(blocks[0].column(0).null_count(), blocks[0].num_rows());
    }

    #[test]
    fn what_is_normal_at_first_sight_is() {
        let rows = every_type();
        let types = || rows.schema_ref().fields().iter().map(|field| field.data_type());
        assert!(types().filter(|data_type| is_normal(data_type)).count() > 15);
        for data_type in types().filter(|data_type| is_normal(data_type)) {
            assert_eq!(normal_type(data_type).as_ref(), Some(data_type));
        }
    }
}
