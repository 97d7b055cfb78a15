//! Blocks of rows as text.
//!
//! A format is a plain value that is shown a schema, then blocks, then the end, and appends text to a buffer of the
//! caller's; it does no I/O and holds no rows, so the caller decides how much is gathered and where it goes. Each block's
//! columns are looked at once for their types, which may differ from those of the block before it (see
//! [`Block::Rows`](crate::block::Block::Rows)); how a value is written depends on the schema that the stream began with and
//! never on the rows around it.
//!
//! ```
//! use rejoin::format::{CsvOptions, CsvWriter};
//! # use arrow_array::{Int64Array, RecordBatch};
//! # let column = std::sync::Arc::new(Int64Array::from(vec![1, 2]));
//! # let rows = RecordBatch::try_from_iter([("id", column as _)]).unwrap();
//!
//! let mut writer = CsvWriter::new(CsvOptions::default()).unwrap();
//! let mut text = String::new();
//! writer.begin(rows.schema_ref(), &mut text);
//! writer.rows(&rows, &mut text).unwrap();
//! assert_eq!(text, "1\n2\n");
//! ```

mod align;
mod arrow;
mod cells;
mod csv;
mod error;
mod json;
mod normal;
mod parquet;
mod parse;
mod projection;
mod row_type;
#[cfg(test)]
mod samples;
mod stream;
mod text;
mod web_row_set;

pub use arrow::{ArrowCompression, ArrowOptions, ArrowReader, ArrowWriter};
pub use csv::{CsvColumns, CsvOptions, CsvReader, CsvReaderOptions, CsvWriter, LineBreak};
pub use error::FormatError;
pub use json::{JsonForm, JsonOptions, JsonWriter};
pub use parquet::{ParquetCompression, ParquetOptions, ParquetReader, ParquetWriter};
pub(crate) use parse::ColumnBuilder;
pub use projection::{ColumnChoice, ColumnText};
pub use row_type::RowType;
pub use web_row_set::{TemporalColumns, WebRowSetOptions, WebRowSetReader, WebRowSetWriter};

/// How many columns are read at the most: each takes memory of its own in every block.
pub(crate) const MOST_COLUMNS: usize = 16_384;
