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
#[cfg(feature = "server")]
mod parquet;
mod parse;
mod projection;
#[cfg(test)]
mod samples;
mod stream;
mod structs;
mod text;
mod web_row_set;

pub use crate::block::RowType;
pub use arrow::{ArrowOptions, ArrowReader, ArrowWriter};
pub use csv::{CsvOptions, CsvReader, CsvReaderOptions, CsvWriter};
pub use error::FormatError;
pub use json::{JsonOptions, JsonWriter};
#[cfg(feature = "server")]
pub use parquet::{ParquetOptions, ParquetReader, ParquetWriter};
#[cfg(feature = "server")]
pub(crate) use parse::ColumnBuilder;
pub use projection::ColumnText;
pub use structs::{RowError, structs};
// Settings that documents name: what stands there is defined there.
pub use crate::document::activities::{
    ArrowCompression, ColumnChoice, CsvColumns, JsonForm, LineBreak, ParquetCompression, TemporalColumns,
};
pub use web_row_set::{WebRowSetOptions, WebRowSetReader, WebRowSetWriter};

/// How many columns are read at the most: each takes memory of its own in every block.
pub(crate) const MOST_COLUMNS: usize = 16_384;
