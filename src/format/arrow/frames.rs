//! An Arrow IPC stream cut into messages, each of which is looked at before anything is done with it.

use std::collections::HashMap;

use arrow_buffer::Buffer;
use arrow_ipc::convert::MessageBuffer;
use arrow_ipc::{BodyCompressionMethod, CompressionType, MessageHeader, RecordBatch};
use bytes::Bytes;

use crate::format::FormatError;

/// The name of the format in errors.
pub(super) const FORMAT: &str = "Arrow stream";

/// The most bytes of a message: of its description, and of its values, compressed or not.
const METADATA_BYTES: usize = 8 * 1024 * 1024;
const BODY_BYTES: usize = 128 * 1024 * 1024;

/// The most rows of a message.
const MOST_ROWS: i64 = 16 * 1024 * 1024;

/// What stands before each message of a stream that is not of the oldest kind.
const CONTINUATION: [u8; 4] = [0xFF; 4];

/// Gathers bytes into messages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    part: Part,
    /// What there is of it.
    gathered: Vec<u8>,
    has_ended: bool,
    /// How many bytes each dictionary has that is known.
    dictionaries: HashMap<i64, usize>,
}

/// A message, which has been looked at: to verify a description takes longer than to decode a few rows, so it is done once.
pub(super) struct Frame {
    pub(super) description: MessageBuffer,
    pub(super) body: Buffer,
    /// How many bytes its values have, without compression, if none of them stand in dictionaries or views.
    pub(super) value_bytes: usize,
}

/// The part of a message that is being gathered.
#[derive(Debug, Default)]
enum Part {
    /// The marker, and how long the description is.
    #[default]
    Start,
    /// So many bytes of it.
    Description(usize),
    /// So many bytes of values.
    Body(MessageBuffer, usize),
}

impl Frames {
    /// Takes bytes up to the end of a message, and gives that; `None` when it takes more bytes.
    pub(super) fn next(&mut self, bytes: &mut Bytes) -> Result<Option<Frame>, FormatError> {
        loop {
            if self.has_ended {
                let goes_on = || FormatError::malformed(FORMAT, "it goes on after its end");
                return if bytes.is_empty() { Ok(None) } else { Err(goes_on()) };
            }
            let wanted = match &self.part {
                Part::Start => 8,
                Part::Description(length) | Part::Body(_, length) => *length,
            };
            let missing = wanted - self.gathered.len();
            let taken = bytes.split_to(missing.min(bytes.len()));
            self.gathered.extend_from_slice(&taken);
            if taken.len() < missing {
                return Ok(None);
            }
            let part = std::mem::take(&mut self.gathered);
            self.part = match std::mem::take(&mut self.part) {
                Part::Start => Part::Description(self.start(&part)?),
                Part::Description(_) => {
                    let description = MessageBuffer::try_new(Buffer::from_vec(part))
                        .map_err(|_| FormatError::malformed(FORMAT, "a message has no description"))?;
                    let length = body_bytes(&description)?;
                    Part::Body(description, length)
                }
                Part::Body(description, _) => {
                    let value_bytes = self.check(&description, &part)?;
                    return Ok(Some(Frame { description, body: Buffer::from_vec(part), value_bytes }));
                }
            };
        }
    }

    /// Whether a message is incomplete.
    pub(super) fn is_within(&self) -> bool {
        !self.gathered.is_empty() || (!self.has_ended && !matches!(self.part, Part::Start))
    }

    /// Whether the end of the stream was said.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// How long the description is; nothing behind the start that is the end of the stream.
    fn start(&mut self, start: &[u8]) -> Result<usize, FormatError> {
        let Some(length) = start.strip_prefix(&CONTINUATION) else {
            return Err(FormatError::malformed(FORMAT, "a message does not begin with 0xFFFFFFFF"));
        };
        let length = length.iter().rev().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        if length > METADATA_BYTES {
            return Err(FormatError::malformed(FORMAT, "the description of a message is larger than 8 MiB"));
        }
        self.has_ended = length == 0;
        Ok(length)
    }

    /// Checks a whole message: how many rows it has, and how large it is when it is decompressed, which it gives.
    fn check(&mut self, description: &MessageBuffer, body: &[u8]) -> Result<usize, FormatError> {
        let message = description.as_ref();
        let value_bytes = message.header_as_record_batch().map_or(Ok(0), |rows| check_rows(&rows, body))?;
        let Some(dictionary) = message.header_as_dictionary_batch() else { return Ok(value_bytes) };
        let bytes = dictionary.data().map_or(Ok(0), |rows| check_rows(&rows, body))?;
        // One without values takes memory as well.
        let bytes = bytes.saturating_add(64);
        let known = self.dictionaries.entry(dictionary.id()).or_default();
        *known = if dictionary.isDelta() { known.saturating_add(bytes) } else { bytes };
        if self.dictionaries.values().sum::<usize>() > BODY_BYTES {
            return Err(FormatError::malformed(FORMAT, "its dictionaries are larger than 128 MiB"));
        }
        Ok(bytes)
    }
}

fn body_bytes(description: &MessageBuffer) -> Result<usize, FormatError> {
    let message = description.as_ref();
    let known = [MessageHeader::Schema, MessageHeader::DictionaryBatch, MessageHeader::RecordBatch];
    if !known.contains(&message.header_type()) {
        return Err(FormatError::malformed(FORMAT, "it holds a message that is neither schema, dictionary nor rows"));
    }
    usize::try_from(message.bodyLength())
        .ok()
        .filter(|length| *length <= BODY_BYTES)
        .ok_or_else(|| FormatError::malformed(FORMAT, "a message is larger than 128 MiB; write fewer rows into each"))
}

fn check_rows(rows: &RecordBatch<'_>, body: &[u8]) -> Result<usize, FormatError> {
    let nodes = rows.nodes().into_iter().flatten().map(arrow_ipc::FieldNode::length);
    if nodes.chain([rows.length()]).any(|length| !(0..=MOST_ROWS).contains(&length)) {
        return Err(FormatError::malformed(FORMAT, "a message has more than 16,777,216 rows; write fewer into each"));
    }
    let Some(compression) = rows.compression() else {
        // Buffers may lie over each other.
        let lengths = rows.buffers().into_iter().flatten().map(|buffer| usize::try_from(buffer.length()).unwrap_or(0));
        return Ok(lengths.fold(0, usize::saturating_add).max(body.len()));
    };
    if compression.codec() != CompressionType::ZSTD || compression.method() != BodyCompressionMethod::BUFFER {
        return Err(FormatError::malformed(FORMAT, "it is compressed by LZ4; expected none or zstd"));
    }
    let mut total = 0_usize;
    for buffer in rows.buffers().into_iter().flatten() {
        let start = usize::try_from(buffer.offset()).unwrap_or(usize::MAX);
        // The size without compression; -1 says that the values are as they are.
        let size = body.get(start..).and_then(|bytes| bytes.first_chunk::<8>()).map(|bytes| i64::from_le_bytes(*bytes));
        total = match size {
            _ if buffer.length() == 0 => total,
            Some(-1) => total.saturating_add(usize::try_from(buffer.length()).unwrap_or(usize::MAX)),
            Some(size) => total.saturating_add(usize::try_from(size).unwrap_or(usize::MAX)),
            None => usize::MAX,
        };
    }
    if total > BODY_BYTES {
        return Err(FormatError::malformed(FORMAT, "a message is larger than 128 MiB when it is decompressed"));
    }
    Ok(total)
}
