use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use super::pages::{FORMAT, rows_at_once};
use super::views::with_views;
use crate::format::FormatError;
use crate::format::normal::Normal;

/// The most bytes of the description of a file, which is read as a whole, and takes some times as much memory.
const METADATA_BYTES: u32 = 16 * 1024 * 1024;

/// Reads a Parquet file into rows: of any type that can be turned into one of those that rows have without loss.
///
/// Its work blocks, because it reads the file here and there.
pub struct ParquetReader {
    batches: ParquetRecordBatchReader,
    normal: Normal,
    has_ended: bool,
}

impl ParquetReader {
    /// A reader of this file.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for what is no Parquet file, [`FormatError::Foreign`] for a column of a type that rows
    /// can't have.
    pub fn new(mut file: File) -> Result<Self, FormatError> {
        check_footer(&mut file)?;
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
        // What rows can't have is refused by the name that it has in the file.
        Normal::new(metadata.schema())?;
        let rows = guarded(|| rows_at_once(&file, metadata.metadata()))?;
        let options = ArrowReaderOptions::new().with_schema(Arc::new(with_views(metadata.schema())));
        let metadata = guarded(|| ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let normal = Normal::new(builder.schema())?;
        let batches = guarded(|| builder.with_batch_size(rows).build())?;
        Ok(Self { batches, normal, has_ended: false })
    }

    /// The next rows, or `None` at the end. There is one block at least.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for a damaged file, [`FormatError::Value`] for a value that would lose something.
    pub fn next_block(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        loop {
            if let Some(block) = self.normal.next_block()? {
                return Ok(Some(block));
            }
            if self.has_ended {
                return Ok(None);
            }
            if let Some(rows) = guarded(|| self.batches.next().transpose())? {
                self.normal.take(rows, None);
            } else {
                self.has_ended = true;
                return Ok(self.normal.empty_block());
            }
        }
    }
}

/// Does something with what is in the file. What can't be coped with is the fault of who wrote it, even if it panics.
fn guarded<T, E: Into<ReadError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, FormatError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(error.into().0),
        Err(_) => Err(FormatError::malformed(FORMAT, "it contradicts itself")),
    }
}

/// What went wrong while a file was read.
struct ReadError(FormatError);

impl From<ParquetError> for ReadError {
    fn from(error: ParquetError) -> Self {
        Self(FormatError::malformed(FORMAT, error.to_string()))
    }
}

impl From<ArrowError> for ReadError {
    fn from(error: ArrowError) -> Self {
        Self(FormatError::malformed(FORMAT, error.to_string()))
    }
}

impl From<FormatError> for ReadError {
    fn from(error: FormatError) -> Self {
        Self(error)
    }
}

/// Looks at the end of the file, which says how large its description is.
fn check_footer(file: &mut File) -> Result<(), FormatError> {
    let mut footer = [0; 8];
    file.seek(SeekFrom::End(-8))
        .and_then(|_| file.read_exact(&mut footer))
        .map_err(|_| FormatError::malformed(FORMAT, "it is too short"))?;
    let [length @ .., b'P', b'A', b'R', b'1'] = footer else {
        return Err(FormatError::malformed(FORMAT, "it does not end with `PAR1`"));
    };
    if u32::from_le_bytes(length) > METADATA_BYTES {
        return Err(FormatError::malformed(FORMAT, "its description is larger than 16 MiB"));
    }
    Ok(())
}

impl std::fmt::Debug for ParquetReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetReader").field("has_ended", &self.has_ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use arrow_array::cast::AsArray;
    use arrow_array::{Array, ArrayRef, Int64Array, StringArray};

    use super::super::{ParquetOptions, ParquetWriter};
    use super::*;
    use crate::block::BLOCK_ROWS;
    use crate::document::activities::ParquetCompression;
    use crate::format::samples::{every_type, many};

    fn written(compression: ParquetCompression, blocks: &[RecordBatch]) -> Vec<u8> {
        let mut writer = ParquetWriter::new(ParquetOptions { compression });
        let mut bytes: Vec<u8> = blocks.iter().flat_map(|block| writer.rows(block).unwrap()).collect();
        bytes.extend(writer.end().unwrap());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<RecordBatch>, FormatError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut reader = ParquetReader::new(file)?;
        let mut blocks = Vec::new();
        while let Some(block) = reader.next_block()? {
            blocks.push(block);
        }
        Ok(blocks)
    }

    #[test]
    fn every_type_is_read_as_it_was_written_but_spans() {
        let rows = every_type();
        for (_, compression) in ParquetCompression::NAMES {
            let blocks = read(&written(compression, &[rows.slice(0, 1), rows.slice(1, 1)])).unwrap();
            for (index, field) in rows.schema().fields().iter().enumerate() {
                let column = blocks[0].column(index);
                if field.name() == "interval" {
                    assert_eq!(column.as_string::<i32>().value(0), "P1Y2M3DT4H");
                    assert!(column.is_null(1));
                } else {
                    assert_eq!(column, rows.column(index), "{field}");
                }
            }
        }
    }

    #[test]
    fn rows_leave_in_groups_and_come_back_in_blocks() {
        let rows = many(BLOCK_ROWS);
        let mut writer = ParquetWriter::new(ParquetOptions { compression: ParquetCompression::None });
        let mut bytes = Vec::new();
        let mut most = 0;
        for _ in 0..2_000 {
            bytes.extend(writer.rows(&rows).unwrap());
            most = most.max(writer.memory());
        }
        assert!(most < 32 * 1024 * 1024, "{most}");
        bytes.extend(writer.end().unwrap());
        let blocks = read(&bytes).unwrap();
        assert_eq!(blocks.iter().map(RecordBatch::num_rows).sum::<usize>(), 2_000 * BLOCK_ROWS);
        assert_eq!(blocks[1_999].columns(), rows.columns());
    }

    #[test]
    fn an_empty_file_has_its_columns() {
        let rows = many(0);
        assert_eq!(read(&written(ParquetCompression::Snappy, std::slice::from_ref(&rows))).unwrap(), [rows]);
    }

    #[test]
    fn a_later_text_is_turned_back_if_it_is_a_value_of_the_type() {
        let column = |array: ArrayRef| RecordBatch::try_from_iter([("n", array)]).unwrap();
        let numbers = column(Arc::new(Int64Array::from(vec![1])));
        let texts = column(Arc::new(StringArray::from(vec!["2"])));
        let blocks = read(&written(ParquetCompression::Snappy, &[numbers.clone(), texts])).unwrap();
        assert_eq!(blocks[0].column(0).as_ref(), &Int64Array::from(vec![1, 2]) as &dyn Array);
        let mut writer = ParquetWriter::new(ParquetOptions::default());
        writer.rows(&numbers).unwrap();
        let error = writer.rows(&column(Arc::new(StringArray::from(vec!["x"])))).unwrap_err().to_string();
        assert!(error.starts_with("row 2, column `n`: `x` is not of the type int64, which the first rows"), "{error}");
    }

    #[test]
    fn whatever_is_changed_there_is_an_error_or_rows() {
        let bytes = written(ParquetCompression::Snappy, &[every_type()]);
        assert_eq!(read(b"").unwrap_err().to_string(), "the Parquet file can't be read: it is too short");
        for length in (0..bytes.len()).step_by(11) {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        let mut seed = 7_usize;
        for _ in 0..500 {
            let mut bytes = bytes.clone();
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 20) % bytes.len();
            bytes[at] = seed.to_le_bytes()[6];
            // It has to come back; with what does not matter.
            let _ = read(&bytes);
        }
    }
}
