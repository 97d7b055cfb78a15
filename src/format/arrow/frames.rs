//! An Arrow IPC stream cut into messages, each of which is looked at before anything is done with it.

use arrow_buffer::Buffer;
use arrow_ipc::{BodyCompressionMethod, CompressionType, MessageHeader, RecordBatch, root_as_message};

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
    /// How many bytes of dictionaries have come.
    dictionaries: usize,
}

impl Frames {
    /// Takes bytes, and shows each message that is complete to `visit`, with its framing.
    pub(super) fn add(
        &mut self,
        mut bytes: &[u8],
        mut visit: impl FnMut(Buffer) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        while !bytes.is_empty() {
            if self.has_ended {
                return Err(FormatError::malformed(FORMAT, "it goes on after its end"));
            }
            let missing = self.wanted.unwrap_or(8).saturating_sub(self.gathered.len());
            let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
            self.gathered.extend_from_slice(taken);
            bytes = rest;
            if taken.len() < missing {
                break;
            }
            self.wanted = self.whole()?;
            if self.wanted.is_none() {
                let message = Buffer::from_slice_ref(&self.gathered);
                self.gathered.clear();
                visit(message)?;
            }
        }
        Ok(())
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
                self.dictionaries += check(metadata, body)?;
                if self.dictionaries > BODY_BYTES {
                    return Err(FormatError::malformed(FORMAT, "its dictionaries are larger than 128 MiB"));
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

/// Checks a whole message: how many rows it has, and how large it is when it is decompressed. Gives the size if it is a
/// dictionary.
fn check(metadata: &[u8], body: &[u8]) -> Result<usize, FormatError> {
    let Ok(message) = root_as_message(metadata) else { return Ok(0) };
    if let Some(rows) = message.header_as_record_batch() {
        check_rows(&rows, body)?;
    }
    if let Some(rows) = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()) {
        return check_rows(&rows, body);
    }
    Ok(0)
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
