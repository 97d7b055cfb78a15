use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_schema::{ArrowError, SchemaRef};
use bytes::Bytes;

use super::frames::{FORMAT, Frame, Frames};
use crate::format::FormatError;
use crate::format::normal::Normal;

/// Reads an Arrow IPC stream into rows: of any type that can be turned into one of those that rows have without loss.
///
/// It is given the bytes piece by piece, cut anywhere, and gives the blocks of rows that are complete, one at a time: a
/// message of few bytes may mean many rows. A message has up to 128 MiB and 16 million rows, whatever its sender says; it may
/// be compressed by Zstandard.
#[derive(Debug, Default)]
pub struct ArrowReader {
    /// What has not been looked at.
    unread: Bytes,
    frames: Frames,
    decoder: Decoder,
    normal: Option<Normal>,
}

/// What messages mean to each other.
#[derive(Debug, Default)]
struct Decoder {
    schema: Option<SchemaRef>,
    dictionaries: HashMap<i64, ArrayRef>,
}

impl ArrowReader {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a piece of the stream. Afterwards, [`next_block`](Self::next_block) gives the blocks that it completes.
    pub fn bytes(&mut self, bytes: Bytes) {
        self.unread =
            if self.unread.is_empty() { bytes } else { [std::mem::take(&mut self.unread), bytes].concat().into() };
    }

    /// The next block; `None` when it takes more bytes.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for what is no Arrow stream, [`FormatError::Foreign`] for a column of a type that rows can't
    /// have, [`FormatError::Value`] for a value that would lose something.
    pub fn next_block(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        loop {
            if let Some(normal) = &mut self.normal
                && let Some(block) = normal.next_block()?
            {
                return Ok(Some(block));
            }
            let Some(frame) = self.frames.next(&mut self.unread)? else { return Ok(None) };
            let rows = decoded(&mut self.decoder, &frame)?;
            if let (None, Some(schema)) = (&self.normal, &self.decoder.schema) {
                self.normal = Some(Normal::new(schema)?);
            }
            if let (Some(rows), Some(normal)) = (rows, &mut self.normal) {
                normal.take(rows, Some(frame.value_bytes));
            }
        }
    }

    /// Ends the stream, of which all blocks have been taken: gives a block without rows, if there was none with rows.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] when the stream is cut off.
    pub fn end(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        let Some(normal) = &self.normal else { return Err(FormatError::malformed(FORMAT, "it has no schema")) };
        if self.frames.is_within() {
            return Err(FormatError::malformed(FORMAT, "it ends within a message"));
        }
        match normal.empty_block() {
            // Where rows have come, its end need not be said.
            Some(_) if !self.frames.has_ended() => Err(FormatError::malformed(FORMAT, "it ends behind its schema")),
            block => Ok(block),
        }
    }
}

/// Decodes a message. What the decoder can't cope with is the fault of who wrote it, even if the decoder panics.
fn decoded(decoder: &mut Decoder, frame: &Frame) -> Result<Option<RecordBatch>, FormatError> {
    match catch_unwind(AssertUnwindSafe(|| decoder.decode(frame))) {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => Err(FormatError::malformed(FORMAT, error.to_string())),
        Err(_) => Err(FormatError::malformed(FORMAT, "a message contradicts itself")),
    }
}

impl Decoder {
    fn decode(&mut self, Frame { description, body, .. }: &Frame) -> Result<Option<RecordBatch>, ArrowError> {
        let message = description.as_ref();
        let version = message.version();
        if let Some(schema) = message.header_as_schema() {
            if self.schema.is_some() {
                return Err(ArrowError::IpcError("it has two schemas".into()));
            }
            self.schema = Some(Arc::new(fb_to_schema(schema)));
            return Ok(None);
        }
        let Some(schema) = &self.schema else {
            return Err(ArrowError::IpcError("it does not begin with its schema".into()));
        };
        if let Some(dictionary) = message.header_as_dictionary_batch() {
            read_dictionary(body, dictionary, schema, &mut self.dictionaries, &version)?;
        }
        let Some(rows) = message.header_as_record_batch() else { return Ok(None) };
        read_record_batch(body, rows, Arc::clone(schema), &self.dictionaries, None, &version).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, DictionaryArray, Int8Array, NullArray, StringArray};

    use super::super::{ArrowOptions, ArrowWriter};
    use super::*;
    use crate::block::BLOCK_ROWS;
    use crate::document::activities::ArrowCompression;
    use crate::format::samples::{every_type, many};

    fn written(compression: ArrowCompression, blocks: &[RecordBatch]) -> Vec<u8> {
        let mut writer = ArrowWriter::new(ArrowOptions { compression });
        let mut bytes = Vec::new();
        for block in blocks {
            writer.rows(block, &mut bytes).unwrap();
        }
        writer.end(&mut bytes).unwrap();
        bytes
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Vec<RecordBatch>, FormatError> {
        let mut reader = ArrowReader::new();
        let mut blocks = Vec::new();
        for piece in bytes.chunks(piece) {
            reader.bytes(piece.to_vec().into());
            while let Some(block) = reader.next_block()? {
                blocks.push(block);
            }
        }
        blocks.extend(reader.end()?);
        Ok(blocks)
    }

    #[test]
    fn every_type_is_read_as_it_was_written_however_the_bytes_are_cut() {
        let rows = every_type();
        for compression in [ArrowCompression::None, ArrowCompression::Zstd] {
            let bytes = written(compression, &[rows.clone(), rows.slice(1, 1), rows.slice(0, 0)]);
            for piece in [1, 7, 64, bytes.len()] {
                assert_eq!(read(&bytes, piece).unwrap(), [rows.clone(), rows.slice(1, 1)]);
            }
        }
    }

    #[test]
    fn an_empty_stream_has_its_columns() {
        let rows = every_type().slice(0, 0);
        let blocks = read(&written(ArrowCompression::None, std::slice::from_ref(&rows)), 100).unwrap();
        assert_eq!(blocks, [rows]);
    }

    #[test]
    fn large_messages_become_blocks_of_the_usual_size() {
        let rows = many(3 * BLOCK_ROWS + 1);
        let blocks = read(&written(ArrowCompression::None, std::slice::from_ref(&rows)), 1 << 16).unwrap();
        assert_eq!(blocks.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1024, 1024, 1024, 1]);
        assert_eq!(blocks[3].columns(), rows.slice(3 * BLOCK_ROWS, 1).columns());
    }

    #[test]
    fn whatever_is_changed_or_missing_there_is_an_error_or_rows() {
        let bytes = written(ArrowCompression::Zstd, &[every_type()]);
        for length in 0..bytes.len() - 8 {
            assert!(read(&bytes[..length], 4096).is_err(), "{length}");
        }
        let mut seed = 7_usize;
        for _ in 0..3_000 {
            let mut bytes = bytes.clone();
            for _ in 0..=seed % 3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 20) % bytes.len();
                bytes[at] = seed.to_le_bytes()[6];
            }
            // It has to come back; with what does not matter.
            let _ = read(&bytes, 4096);
        }
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        for (bytes, expected) in [
            (&b""[..], "the Arrow stream can't be read: it has no schema"),
            (b"PAR1PAR1", "the Arrow stream can't be read: a message does not begin with 0xFFFFFFFF"),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\x7f",
                "the Arrow stream can't be read: the description of a message is larger",
            ),
            (
                b"\xff\xff\xff\xff\x08\0\0\0\0\0\0\0\0\0\0\0",
                "the Arrow stream can't be read: it holds a message that is neither",
            ),
            (b"\xff\xff\xff\xff\0\0\0\0x", "the Arrow stream can't be read: it goes on after its end"),
        ] {
            let error = read(bytes, 100).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    /// A stream as others write it.
    fn written_by_others(batches: &[RecordBatch]) -> Vec<u8> {
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
        for batch in batches {
            writer.write(batch).unwrap();
        }
        writer.into_inner().unwrap()
    }

    #[test]
    fn a_small_message_of_many_rows_is_taken_block_by_block() {
        let columns = (0..50).map(|number| {
            let column: ArrayRef = Arc::new(NullArray::new(8 * 1024 * 1024));
            (format!("c{number}"), column, true)
        });
        let bytes = written_by_others(&[RecordBatch::try_from_iter_with_nullable(columns).unwrap()]);
        assert!(bytes.len() < 64 * 1024, "{}", bytes.len());
        let mut reader = ArrowReader::new();
        reader.bytes(bytes.into());
        // All of them would be 1.6 GB.
        for _ in 0..3 {
            assert_eq!(reader.next_block().unwrap().unwrap().num_rows(), BLOCK_ROWS);
        }
    }

    #[test]
    fn dictionaries_that_follow_each_other_are_not_added_up() {
        let batches: Vec<RecordBatch> = (0..3)
            .map(|number| {
                let values = Arc::new(StringArray::from(vec![format!("{number}").repeat(50 * 1024 * 1024)]));
                let column: ArrayRef = Arc::new(DictionaryArray::new(Int8Array::from(vec![0]), values));
                RecordBatch::try_from_iter([("t", column)]).unwrap()
            })
            .collect();
        let bytes = written_by_others(&batches);
        assert!(bytes.len() > 128 * 1024 * 1024);
        assert_eq!(read(&bytes, 1 << 24).unwrap().len(), 3);
    }
}
