//! Activities that turn streams into other streams.

mod block_aggregator;
mod string_tokenizer;

pub use block_aggregator::BlockAggregator;
pub use string_tokenizer::StringTokenizer;

use crate::activity::ActivityError;
use crate::block::{Block, StreamType};
use bytestring::ByteString;

/// The text of a block that has to be text.
pub(super) fn expect_text(block: Block) -> Result<ByteString, ActivityError> {
    match block {
        Block::Text(text) => Ok(text),
        other => Err(ActivityError::wrong_type(StreamType::Text, other.stream_type())),
    }
}
