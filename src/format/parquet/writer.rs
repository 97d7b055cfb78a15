use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::sink::Sink;
use super::textual::{textual_column, textual_schema};
use crate::document::activities::ParquetCompression;
use crate::format::FormatError;
use crate::format::align::Aligned;

/// How much of a file is gathered before it is written, in bytes as they are stored: a row group.
const ROW_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// The most rows of a row group.
const ROW_GROUP_ROWS: usize = 1024 * 1024;

/// How large a page becomes, in bytes, before it is compressed.
const PAGE_BYTES: usize = 256 * 1024;

/// How [`ParquetWriter`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParquetOptions {
    /// How the values are compressed.
    pub compression: ParquetCompression,
}

/// Writes rows as a Parquet file, as they come: a row group is written as soon as it has 8 MiB or a million rows, so that the
/// memory does not depend on how many there are.
///
/// Columns keep their types, but for spans of time, which are text in the form of ISO 8601. As in an Arrow stream, a column
/// that becomes text in a later block is turned back or an error.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{Int64Array, RecordBatch};
/// use rejoin::format::{ParquetOptions, ParquetWriter};
///
/// # let ids = Arc::new(Int64Array::from(vec![1, 2]));
/// # let rows = RecordBatch::try_from_iter([("id", ids as _)]).unwrap();
/// let mut writer = ParquetWriter::new(ParquetOptions::default());
/// let mut file = writer.rows(&rows).unwrap();
/// file.extend(writer.end().unwrap());
/// assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
/// ```
pub struct ParquetWriter {
    options: ParquetOptions,
    file: Option<OpenFile>,
}

struct OpenFile {
    aligned: Aligned,
    schema: SchemaRef,
    writer: ArrowWriter<Sink>,
    sink: Sink,
}

impl ParquetWriter {
    /// A writer with these options.
    #[must_use]
    pub fn new(options: ParquetOptions) -> Self {
        Self { options, file: None }
    }

    /// Takes the rows of a block, and gives what there is to be written now, if there is anything.
    ///
    /// # Errors
    ///
    /// [`FormatError::Value`] for a value that is not of the type that the first rows have announced for its column.
    pub fn rows(&mut self, rows: &RecordBatch) -> Result<Vec<u8>, FormatError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenFile::new(rows.schema_ref(), self.options)?),
        };
        let rows = file.aligned.align(rows)?;
        let columns = rows.columns().iter().map(textual_column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let rows = RecordBatch::try_new_with_options(file.schema.clone(), columns, &options)
            .map_err(|error| unwritable(&error.into()))?;
        file.writer.write(&rows).map_err(|error| unwritable(&error))?;
        Ok(file.sink.take())
    }

    /// How much memory the rows take that were not written yet.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.file.as_ref().map_or(0, |file| file.writer.memory_size())
    }

    /// Ends the file, and gives the rest of it.
    ///
    /// # Errors
    ///
    /// [`FormatError::Option`] when there are no columns: such a file can't be.
    pub fn end(self) -> Result<Vec<u8>, FormatError> {
        let file = match self.file {
            Some(file) => file,
            None => OpenFile::new(&Schema::empty(), self.options)?,
        };
        file.writer.close().map_err(|error| unwritable(&error))?;
        Ok(file.sink.take())
    }
}

impl OpenFile {
    fn new(schema: &Schema, options: ParquetOptions) -> Result<Self, FormatError> {
        let textual = SchemaRef::new(textual_schema(schema));
        let compression = match options.compression {
            ParquetCompression::Snappy => Compression::SNAPPY,
            ParquetCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
            ParquetCompression::None => Compression::UNCOMPRESSED,
        };
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .set_data_page_size_limit(PAGE_BYTES)
            .set_dictionary_page_size_limit(PAGE_BYTES)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(concat!("rejoin ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let sink = Sink::default();
        let writer = ArrowWriter::try_new(sink.clone(), textual.clone(), Some(properties))
            .map_err(|error| unwritable(&error))?;
        Ok(Self { aligned: Aligned::new(schema.clone()), schema: textual, writer, sink })
    }
}

fn unwritable(error: &ParquetError) -> FormatError {
    FormatError::Option(format!("the rows can't be written as Parquet: {error}"))
}

impl std::fmt::Debug for ParquetWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetWriter").field("options", &self.options).finish_non_exhaustive()
    }
}
