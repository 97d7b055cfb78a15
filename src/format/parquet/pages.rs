//! What the pages of a Parquet file say that they hold, looked at before any of them is read.
//!
//! A reader takes the memory that the header of a page asks for, one page of each column at a time; the description at the end
//! of the file, which is all that is looked at otherwise, may say something else.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::thrift::{CompactReader, Kind};
use crate::block::BLOCK_ROWS;
use crate::format::FormatError;

/// The name of the format in errors.
pub(super) const FORMAT: &str = "Parquet file";

/// The most bytes of the pages that are in memory at the same time: one of each column, and its dictionary.
const PAGES_BYTES: u64 = 256 * 1024 * 1024;

/// The most values of a column of lists in a row group. Some bytes may mean any number of them, all in one row.
const LIST_VALUES: u64 = 16 * 1024 * 1024;

/// The most pages of a file.
const MOST_PAGES: u64 = 4 * 1024 * 1024;

/// How many bytes are read at once, about.
const READ_BYTES: u64 = 1024 * 1024;

/// How many bytes are read at once at the most, where a page may mean more than it has.
const MEANT_BYTES: u64 = 64 * 1024 * 1024;

/// The encoding of texts that repeat the beginnings of those before: any of them may be as long as the page.
const DELTA_BYTE_ARRAY: i64 = 7;

/// Checks all pages; gives how many rows may be read at once.
pub(super) fn rows_at_once(file: &File, metadata: &ParquetMetaData) -> Result<usize, FormatError> {
    let mut scan = Scan { file: BufReader::with_capacity(1024, file), pages: 0 };
    let mut rows = BLOCK_ROWS as u64;
    for group in metadata.row_groups() {
        let row_bytes = group.total_byte_size().unsigned_abs() / group.num_rows().unsigned_abs().max(1);
        rows = rows.min(READ_BYTES / row_bytes.max(1));
        let mut pages_bytes = 0_u64;
        for column in group.columns() {
            let pages = scan.column(column)?;
            pages_bytes = pages_bytes.saturating_add(pages.dictionary).saturating_add(pages.data);
            if column.column_descr().max_rep_level() > 0 && pages.values > LIST_VALUES {
                return Err(malformed(
                    "a column of lists has more than 16,777,216 values in a row group; write fewer rows into each",
                ));
            }
            rows = rows.min(MEANT_BYTES / pages.longest_value(column).max(1));
        }
        if pages_bytes > PAGES_BYTES {
            return Err(malformed(
                "the pages of a row group are larger than 256 MiB, one of each column; write smaller ones",
            ));
        }
    }
    Ok(usize::try_from(rows).unwrap_or(BLOCK_ROWS).max(1))
}

/// The pages of one column in a row group.
#[derive(Debug, Default)]
struct Pages {
    /// The bytes of the largest dictionary and the largest page of values, without compression.
    dictionary: u64,
    data: u64,
    /// How many values there are.
    values: u64,
    /// Whether one value may repeat another.
    repeats: bool,
}

impl Pages {
    /// How many bytes a value may have that is written out for each row. Texts and bytes of a dictionary are not: the rows
    /// refer to it.
    fn longest_value(&self, column: &ColumnChunkMetaData) -> u64 {
        let descriptor = column.column_descr();
        match descriptor.physical_type() {
            PhysicalType::FIXED_LEN_BYTE_ARRAY => u64::try_from(descriptor.type_length()).unwrap_or(0),
            PhysicalType::BYTE_ARRAY if self.repeats || is_decimal(column) => self.dictionary.max(self.data),
            _ => 0,
        }
    }
}

fn is_decimal(column: &ColumnChunkMetaData) -> bool {
    let descriptor = column.column_descr();
    descriptor.converted_type() == parquet::basic::ConvertedType::DECIMAL
        || matches!(descriptor.logical_type_ref(), Some(parquet::basic::LogicalType::Decimal { .. }))
}

/// Goes from header to header.
struct Scan<'a> {
    file: BufReader<&'a File>,
    pages: u64,
}

impl Scan<'_> {
    fn column(&mut self, column: &ColumnChunkMetaData) -> Result<Pages, FormatError> {
        let (start, length) = column.byte_range();
        let mut pages = Pages::default();
        let mut at = start;
        let end = start.saturating_add(length);
        while at < end {
            self.pages += 1;
            if self.pages > MOST_PAGES {
                return Err(malformed("it has more than 4,194,304 pages"));
            }
            let (header, header_bytes) = self.header(at, end - at).map_err(|error| malformed(error.to_string()))?;
            match header.kind {
                DICTIONARY_PAGE => pages.dictionary = pages.dictionary.max(header.bytes),
                _ => pages.data = pages.data.max(header.bytes),
            }
            pages.values = pages.values.saturating_add(header.values);
            pages.repeats |= header.repeats;
            at = at.saturating_add(header_bytes).saturating_add(header.compressed_bytes);
        }
        Ok(pages)
    }

    fn header(&mut self, at: u64, most: u64) -> io::Result<(Header, u64)> {
        let here = self.file.stream_position()?;
        // What has been read ahead is of use.
        self.file.seek_relative(at.cast_signed().wrapping_sub(here.cast_signed()))?;
        let mut reader = CompactReader::new(self.file.by_ref().take(most));
        let header = Header::read(&mut reader)?;
        Ok((header, reader.read()))
    }
}

const DICTIONARY_PAGE: i64 = 2;

/// What matters of the header of a page. Of a field that is there twice, the larger counts.
#[derive(Debug, Default)]
struct Header {
    kind: i64,
    /// Without compression.
    bytes: u64,
    compressed_bytes: u64,
    values: u64,
    repeats: bool,
}

impl Header {
    fn read(reader: &mut CompactReader<impl Read>) -> io::Result<Self> {
        let mut header = Self::default();
        let mut last = 0;
        while let Some((field, kind)) = reader.field(&mut last)? {
            match (field, kind) {
                (1, Kind::Integer) => header.kind = reader.integer()?,
                (2, Kind::Integer) => header.bytes = header.bytes.max(natural(reader.integer()?)?),
                (3, Kind::Integer) => {
                    header.compressed_bytes = header.compressed_bytes.max(natural(reader.integer()?)?);
                }
                (5 | 8, Kind::Struct) => header.read_data(reader, if field == 5 { 2 } else { 4 })?,
                (_, kind) => reader.skip(kind)?,
            }
        }
        Ok(header)
    }

    /// Reads what is said of a page of values, in which the field `encoding` says how they are written.
    fn read_data(&mut self, reader: &mut CompactReader<impl Read>, encoding: i64) -> io::Result<()> {
        let mut last = 0;
        while let Some((field, kind)) = reader.field(&mut last)? {
            match (field, kind) {
                (1, Kind::Integer) => self.values = self.values.max(natural(reader.integer()?)?),
                (_, Kind::Integer) if field == encoding => self.repeats |= reader.integer()? == DELTA_BYTE_ARRAY,
                (_, kind) => reader.skip(kind)?,
            }
        }
        Ok(())
    }
}

fn natural(number: i64) -> io::Result<u64> {
    u64::try_from(number).map_err(|_| io::Error::other("the header of a page has a number below zero"))
}

fn malformed(problem: impl Into<String>) -> FormatError {
    FormatError::malformed(FORMAT, problem)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use arrow_array::types::Int8Type;
    use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Encoding;
    use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

    use super::super::ParquetReader;
    use super::*;

    fn written(
        columns: &[(&str, ArrayRef)],
        properties: impl FnOnce(WriterPropertiesBuilder) -> WriterPropertiesBuilder,
    ) -> Vec<u8> {
        let columns = columns.iter().map(|(name, column)| (*name, Arc::clone(column)));
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let properties = properties(WriterProperties::builder().set_data_page_size_limit(64 * 1024 * 1024)).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
        writer.write(&rows).unwrap();
        writer.into_inner().unwrap()
    }

    fn reader(bytes: &[u8]) -> Result<ParquetReader, FormatError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        ParquetReader::new(file)
    }

    /// Puts the largest number of four bytes wherever one of four bytes stands behind `before`.
    fn exaggerate(bytes: &mut [u8], before: &[u8]) {
        let at: Vec<usize> = memchr::memmem::find_iter(bytes, before).map(|at| at + before.len()).collect();
        for at in at {
            let number = &mut bytes[at..at + 4];
            if number[..3].iter().all(|byte| *byte >= 0x80) && number[3] < 0x80 {
                number.copy_from_slice(b"\xFF\xFF\xFF\x7F");
            }
        }
    }

    #[test]
    fn pages_that_claim_too_much_are_not_read() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..200_000));
        let mut bytes =
            written(&[("a", Arc::clone(&numbers)), ("b", Arc::clone(&numbers)), ("c", numbers)], |properties| {
                properties.set_dictionary_enabled(false)
            });
        assert!(reader(&bytes).is_ok());
        // A page of values, and how large it is.
        exaggerate(&mut bytes, b"\x15\x00\x15");
        let error = reader(&bytes).unwrap_err().to_string();
        assert!(error.contains("the pages of a row group are larger than 256 MiB"), "{error}");
    }

    #[test]
    fn lists_that_claim_too_many_values_are_not_read() {
        let lists: ArrayRef =
            Arc::new(ListArray::from_iter_primitive::<Int8Type, _, _>([Some(vec![Some(7); 1_100_000])]));
        let mut bytes = written(&[("a", lists)], |properties| properties);
        assert!(reader(&bytes).is_ok());
        // What is said of a page of values, and first how many there are.
        exaggerate(&mut bytes, b"\x2c\x15");
        let error = reader(&bytes).unwrap_err().to_string();
        assert!(error.contains("more than 16,777,216 values"), "{error}");
    }

    #[test]
    fn a_value_that_stands_there_once_and_is_meant_often_is_read_some_rows_at_a_time() {
        let long = "x".repeat(8 * 1024 * 1024);
        let texts: ArrayRef = Arc::new(StringArray::from(vec![long.as_str(); 100]));
        let repeating = |properties: WriterPropertiesBuilder| {
            properties.set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY)
        };
        let large = |properties: WriterPropertiesBuilder| properties.set_dictionary_page_size_limit(64 * 1024 * 1024);
        for bytes in [written(&[("t", Arc::clone(&texts))], repeating), written(&[("t", texts)], large)] {
            assert!(bytes.len() < 20 * 1024 * 1024, "{}", bytes.len());
            let mut reader = reader(&bytes).unwrap();
            for _ in 0..3 {
                let block = reader.next_block().unwrap().unwrap();
                assert_eq!((block.num_rows(), block.column(0).get_array_memory_size() / long.len()), (1, 1));
            }
        }
    }

    #[test]
    fn values_of_a_wide_fixed_size_are_read_some_at_a_time() {
        let column =
            arrow_array::FixedSizeBinaryArray::try_from_iter((0..3).map(|_| vec![1_u8; 16 * 1024 * 1024])).unwrap();
        let bytes = written(&[("b", Arc::new(column))], |properties| properties);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
        assert!(rows_at_once(&file, &metadata).unwrap() <= 4);
    }
}
