use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;

use super::frames::{FORMAT, Frames};
use crate::format::FormatError;
use crate::format::normal::Normal;

/// Reads an Arrow IPC stream into rows: of any type that can be turned into one of those that rows have without loss.
///
/// It is given the bytes piece by piece, cut anywhere, and gives blocks of rows as messages are complete. A message has up to
/// 128 MiB and 16 million rows, whatever its sender says; it may be compressed by Zstandard.
#[derive(Debug, Default)]
pub struct ArrowReader {
    frames: Frames,
    decoder: StreamDecoder,
    normal: Option<Normal>,
}

impl ArrowReader {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a piece of the stream, and appends the blocks that it completes.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for what is no Arrow stream, [`FormatError::Type`] for a column of a type that rows can't
    /// have, [`FormatError::Value`] for a value that would lose something.
    pub fn bytes(&mut self, bytes: &[u8], blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        let Self { frames, decoder, normal } = self;
        frames.add(bytes, |message| {
            let rows = decoded(decoder, message)?;
            if let (None, Some(schema)) = (&normal, decoder.schema()) {
                *normal = Some(Normal::new(&schema)?);
            }
            if let (Some(rows), Some(normal)) = (rows, normal.as_mut()) {
                normal.blocks(&rows, blocks)?;
            }
            Ok(())
        })
    }

    /// Ends the stream: appends a block without rows, if there was none with rows.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] when the stream is cut off.
    pub fn end(&mut self, blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        match &self.normal {
            Some(normal) if !self.frames.is_within() => {
                blocks.extend(normal.empty_block());
                Ok(())
            }
            Some(_) => Err(FormatError::malformed(FORMAT, "it ends within a message")),
            None => Err(FormatError::malformed(FORMAT, "it has no schema")),
        }
    }
}

/// Decodes a message. What the decoder can't cope with is the fault of who wrote it, even if the decoder panics.
fn decoded(decoder: &mut StreamDecoder, mut message: Buffer) -> Result<Option<RecordBatch>, FormatError> {
    match catch_unwind(AssertUnwindSafe(|| decoder.decode(&mut message))) {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => Err(FormatError::malformed(FORMAT, error.to_string())),
        Err(_) => Err(FormatError::malformed(FORMAT, "a message contradicts itself")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ArrowCompression, ArrowOptions, ArrowWriter};
    use super::*;
    use crate::block::BLOCK_ROWS;
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
            reader.bytes(piece, &mut blocks)?;
        }
        reader.end(&mut blocks)?;
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
}
