//! An Arrow IPC stream, message by message.

use arrow_buffer::Buffer;
use arrow_ipc::{MessageHeader, root_as_message};

use super::ValueError;

/// What stands before each message.
const CONTINUATION: [u8; 4] = [0xFF; 4];

/// The messages of the IPC streams of a piece, one after the other.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    rest: &'a [u8],
    length: usize,
}

/// One message, with its framing and its body.
#[derive(Debug)]
pub(super) struct Message {
    /// In memory of its own: what is decoded shares it, and a block shall not hold the memory of others.
    pub(super) bytes: Buffer,
    /// Whether it only ends its stream. Another stream may follow.
    pub(super) is_end: bool,
}

impl<'a> Messages<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self { rest: content, length: content.len() }
    }

    /// The next message; `None` at the end of the piece.
    pub(super) fn next(&mut self) -> Result<Option<Message>, ValueError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let position = self.length - self.rest.len();
        let (message, rest) = first(self.rest)
            .ok_or_else(|| ValueError::damaged(format!("there is no Arrow IPC message at byte {position}")))?;
        self.rest = rest;
        Ok(Some(message))
    }
}

/// Takes the first message off: continuation marker, length of the metadata, metadata, body. No metadata ends a stream.
fn first(bytes: &[u8]) -> Option<(Message, &[u8])> {
    let (marker, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let metadata = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let is_end = metadata.is_empty();
    let body = if is_end { 0 } else { body_length(metadata)? };
    let (whole, rest) = bytes.split_at_checked((8 + metadata.len()).checked_add(body)?)?;
    let message = Message { bytes: Buffer::from_slice_ref(whole), is_end };
    (*marker == CONTINUATION).then_some((message, rest))
}

/// The length of the body of a message, if it is one that streams have.
fn body_length(metadata: &[u8]) -> Option<usize> {
    let message = root_as_message(metadata).ok()?;
    let known = [MessageHeader::Schema, MessageHeader::DictionaryBatch, MessageHeader::RecordBatch];
    known.contains(&message.header_type()).then(|| usize::try_from(message.bodyLength()).ok())?
}
