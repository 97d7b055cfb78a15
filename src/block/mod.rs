//! What flows between activities: blocks, the types of streams, and the bounded pipe.
//!
//! A *stream* is a sequence of [`Block`]s of one [`StreamType`]. It travels through a [`pipe`](pipe()) that holds
//! [`PIPE_BLOCKS`] blocks and no more, so a slow reader slows its writer and the memory that a request needs does not
//! depend on how much data flows through it.
//!
//! Blocks are cheap to clone: columns, text and bytes are shared, never copied.

mod column;
mod pipe;
mod row_bytes;
mod row_type;
mod scalar;
mod stream_type;

pub use column::ColumnOrigin;
pub use pipe::{BlockReader, BlockWriter, NotSent, PIPE_BLOCKS, ReaderGone, ReaderWatch, Room, StreamBroken, pipe};
pub use row_type::RowType;
pub(crate) use row_type::list_of;
pub use scalar::{Scalar, ScalarType};
pub use stream_type::StreamType;

use arrow_array::RecordBatch;
use bytes::Bytes;
use bytestring::ByteString;

/// How many rows a writer puts into one block of rows, at the most.
pub const BLOCK_ROWS: usize = 1024;

/// How many bytes a writer of rows gathers before it sends a block with fewer than [`BLOCK_ROWS`] rows.
pub const ROWS_BYTES: usize = 128 * 1024;

/// How many bytes a writer gathers before it sends a block of text or bytes. A block may be a little larger, because
/// nobody splits a row or a character.
pub const BLOCK_BYTES: usize = 64 * 1024;

/// One piece of a stream.
///
/// # Examples
///
/// ```
/// use rejoin::block::{Block, StreamType};
///
/// let block = Block::Text("hello".into());
/// assert_eq!(block.stream_type(), StreamType::Text);
/// assert_eq!(block.byte_size(), 5);
/// ```
#[derive(Debug, Clone)]
pub enum Block {
    /// Rows in columns, [`BLOCK_ROWS`] at the most.
    ///
    /// The schema of a stream is that of its first block. A source without fixed column types (`SQLite`) may send a later
    /// block in which a column has become text (`Utf8`) or bytes (`Binary`), because a value in it did not fit the
    /// type of the column; names and number of the columns never change. A reader of rows therefore looks at the type of
    /// each column of each block.
    Rows(RecordBatch),
    /// A piece of text. Where one block ends and the next begins carries no meaning unless an activity says so.
    Text(ByteString),
    /// A piece of a binary stream.
    Bytes(Bytes),
}

impl Block {
    /// The type of the streams that this block may flow in.
    #[must_use]
    pub fn stream_type(&self) -> StreamType {
        match self {
            Self::Rows(_) => StreamType::Rows,
            Self::Text(_) => StreamType::Text,
            Self::Bytes(_) => StreamType::Bytes,
        }
    }

    /// How much memory the block holds, in bytes; of rows, that of their columns' buffers. Memory that several columns share
    /// counts once.
    #[must_use]
    pub fn byte_size(&self) -> usize {
        match self {
            Self::Rows(rows) => row_bytes::row_bytes(rows),
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}
