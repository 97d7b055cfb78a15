//! An Arrow IPC stream cut into messages, each of which is looked at before anything is done with it.

use std::collections::HashMap;

use arrow_buffer::Buffer;
use arrow_ipc::{BodyCompressionMethod, CompressionType, MessageHeader, RecordBatch, root_as_message};
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
    gathered: Vec<u8>,
    /// How many bytes the present message has, as far as they are known.
    wanted: Option<usize>,
    has_ended: bool,
    /// How many bytes each dictionary has that is known.
    dictionaries: HashMap<i64, usize>,
}

impl Frames {
    /// Takes bytes up to the end of a message, and gives that, with its framing; `None` when it takes more bytes.
    pub(super) fn next(&mut self, bytes: &mut Bytes) -> Result<Option<Buffer>, FormatError> {
        while !bytes.is_empty() {
            if self.has_ended {
                return Err(FormatError::malformed(FORMAT, "it goes on after its end"));
            }
            let missing = self.wanted.unwrap_or(8).saturating_sub(self.gathered.len());
            let taken = bytes.split_to(missing.min(bytes.len()));
            self.gathered.extend_from_slice(&taken);
            if taken.len() < missing {
                break;
            }
            self.wanted = self.whole()?;
            if self.wanted.is_none() {
                return Ok(Some(Buffer::from_vec(std::mem::take(&mut self.gathered))));
            }
        }
        Ok(None)
    }

    /// Whether a message is incomplete.
    pub(super) fn is_within(&self) -> bool {
        !self.gathered.is_empty()
    }

    /// How many bytes the message that was begun has; `None` if it is complete.
    fn whole(&mut self) -> Result<Option<usize>, FormatError> {
        let (Some(marker), Some(length)) = (self.gathered.first_chunk::<4>(), self.gathered.get(4..8)) else {
            return Ok(Some(8));
        };
        if *marker != CONTINUATION {
            return Err(FormatError::malformed(FORMAT, "a message does not begin with 0xFFFFFFFF"));
        }
        let length = length.iter().rev().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        if length > METADATA_BYTES {
            return Err(FormatError::malformed(FORMAT, "the description of a message is larger than 8 MiB"));
        }
        if length == 0 {
            self.has_ended = true;
            return Ok(None);
        }
        let Some(metadata) = self.gathered.get(8..8 + length) else { return Ok(Some(8 + length)) };
        let body = body_bytes(metadata)?;
        match self.gathered.get(8 + length..8 + length + body) {
            None => Ok(Some(8 + length + body)),
            Some(body) => {
                if let Some(dictionary) = check(metadata, body)? {
                    let bytes = self.dictionaries.entry(dictionary.id).or_default();
                    *bytes =
                        if dictionary.is_delta { bytes.saturating_add(dictionary.bytes) } else { dictionary.bytes };
                    if self.dictionaries.values().sum::<usize>() > BODY_BYTES {
                        return Err(FormatError::malformed(FORMAT, "its dictionaries are larger than 128 MiB"));
                    }
                }
                Ok(None)
            }
        }
    }
}

fn body_bytes(metadata: &[u8]) -> Result<usize, FormatError> {
    let message =
        root_as_message(metadata).map_err(|_| FormatError::malformed(FORMAT, "a message has no description"))?;
    let known = [MessageHeader::Schema, MessageHeader::DictionaryBatch, MessageHeader::RecordBatch];
    if !known.contains(&message.header_type()) {
        return Err(FormatError::malformed(FORMAT, "it holds a message that is neither schema, dictionary nor rows"));
    }
    usize::try_from(message.bodyLength())
        .ok()
        .filter(|length| *length <= BODY_BYTES)
        .ok_or_else(|| FormatError::malformed(FORMAT, "a message is larger than 128 MiB; write fewer rows into each"))
}

/// A dictionary, or more values for one.
struct Dictionary {
    id: i64,
    is_delta: bool,
    /// How many bytes its values have, without compression.
    bytes: usize,
}

/// Checks a whole message: how many rows it has, and how large it is when it is decompressed. Gives the dictionary if it is
/// one.
fn check(metadata: &[u8], body: &[u8]) -> Result<Option<Dictionary>, FormatError> {
    let Ok(message) = root_as_message(metadata) else { return Ok(None) };
    if let Some(rows) = message.header_as_record_batch() {
        check_rows(&rows, body)?;
    }
    let Some(dictionary) = message.header_as_dictionary_batch() else { return Ok(None) };
    let bytes = dictionary.data().map_or(Ok(0), |rows| check_rows(&rows, body))?;
    // One without values takes memory as well.
    Ok(Some(Dictionary { id: dictionary.id(), is_delta: dictionary.isDelta(), bytes: bytes.saturating_add(64) }))
}

fn check_rows(rows: &RecordBatch<'_>, body: &[u8]) -> Result<usize, FormatError> {
    let nodes = rows.nodes().into_iter().flatten().map(arrow_ipc::FieldNode::length);
    if nodes.chain([rows.length()]).any(|length| !(0..=MOST_ROWS).contains(&length)) {
        return Err(FormatError::malformed(FORMAT, "a message has more than 16,777,216 rows; write fewer into each"));
    }
    let Some(compression) = rows.compression() else { return Ok(body.len()) };
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
