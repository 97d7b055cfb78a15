use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamEncoder};
use arrow_schema::{ArrowError, Schema};

use crate::document::activities::ArrowCompression;
use crate::format::FormatError;
use crate::format::align::Aligned;

/// How [`ArrowWriter`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArrowOptions {
    /// How the values are compressed.
    pub compression: ArrowCompression,
}

/// Writes rows as an Arrow IPC stream, with the types that they have here.
///
/// A column keeps the type that it has in the first block. One that has become text in a later block is turned back, if its
/// texts mean values of that type; otherwise the stream can't go on. What is known of a column's origin stands in the
/// metadata of its field, under names that begin with `rejoin.`.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{Int64Array, RecordBatch};
/// use rejoin::format::{ArrowOptions, ArrowReader, ArrowWriter};
///
/// # let ids = Arc::new(Int64Array::from(vec![1, 2]));
/// # let rows = RecordBatch::try_from_iter_with_nullable([("id", ids as _, true)]).unwrap();
/// let mut writer = ArrowWriter::new(ArrowOptions::default());
/// let mut bytes = Vec::new();
/// writer.begin(rows.schema_ref()).unwrap();
/// writer.rows(&rows, &mut bytes).unwrap();
/// writer.end(&mut bytes).unwrap();
///
/// let mut reader = ArrowReader::new();
/// reader.bytes(bytes.into());
/// assert_eq!(reader.next_block().unwrap(), Some(rows));
/// assert_eq!(reader.next_block().unwrap(), None);
/// assert_eq!(reader.end().unwrap(), None);
/// ```
pub struct ArrowWriter {
    options: ArrowOptions,
    stream: Option<(Aligned, StreamEncoder)>,
}

impl ArrowWriter {
    /// A writer with these options.
    #[must_use]
    pub fn new(options: ArrowOptions) -> Self {
        Self { options, stream: None }
    }

    /// Begins a stream. The schema is written with the first rows, or at the end.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for columns that can't be written.
    pub fn begin(&mut self, schema: &Schema) -> Result<(), FormatError> {
        let compression = match self.options.compression {
            ArrowCompression::None => None,
            ArrowCompression::Zstd => Some(CompressionType::ZSTD),
        };
        let options = IpcWriteOptions::default().try_with_compression(compression).map_err(unwritable)?;
        let encoder = StreamEncoder::try_new_with_options(schema, options).map_err(unwritable)?;
        self.stream = Some((Aligned::new(schema.clone()), encoder));
        Ok(())
    }

    /// Appends the rows of a block.
    ///
    /// # Errors
    ///
    /// [`FormatError::Value`] for a value that is not of the type that the stream has announced for its column.
    pub fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if self.stream.is_none() {
            self.begin(rows.schema_ref())?;
        }
        let Some((aligned, encoder)) = &mut self.stream else { return Ok(()) };
        let rows = aligned.align(rows)?;
        append(out, &encoder.encode(&rows).map_err(unwritable)?);
        Ok(())
    }

    /// Ends the stream. One that has not begun has no columns.
    ///
    /// # Errors
    ///
    /// As [`ArrowWriter::begin`].
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if self.stream.is_none() {
            self.begin(&Schema::empty())?;
        }
        if let Some((_, encoder)) = self.stream.take() {
            append(out, &encoder.finish().map_err(unwritable)?);
        }
        Ok(())
    }
}

impl std::fmt::Debug for ArrowWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowWriter").field("options", &self.options).finish_non_exhaustive()
    }
}

fn append(out: &mut Vec<u8>, buffers: &[Buffer]) {
    out.reserve(buffers.iter().map(Buffer::len).sum());
    for buffer in buffers {
        out.extend_from_slice(buffer);
    }
}

// It is handed to `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn unwritable(error: ArrowError) -> FormatError {
    FormatError::Option(format!("the rows can't be written as an Arrow stream: {error}"))
}
