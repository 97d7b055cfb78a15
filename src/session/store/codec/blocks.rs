//! Blocks of text or bytes: each with its length in four bytes before it.

use bytes::{Buf, Bytes};
use bytestring::ByteString;

use super::ValueError;
use crate::block::Block;

pub(super) fn encode(block: &Bytes, to: &mut Vec<u8>) -> Result<(), ValueError> {
    let Ok(length) = u32::try_from(block.len()) else {
        return Err(ValueError::Unsupported { reason: format!("a block of {} bytes is too large", block.len()) });
    };
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(block);
    Ok(())
}

/// The blocks of a piece. They share its memory.
pub(super) fn decode(
    mut content: Bytes,
    block: fn(Bytes) -> Result<Block, ValueError>,
) -> Result<Vec<Block>, ValueError> {
    let mut blocks = Vec::new();
    while !content.is_empty() {
        let length = content.try_get_u32_le().ok().and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|length| *length <= content.len()) else {
            return Err(ValueError::damaged(format!("block {} is cut off", blocks.len() + 1)));
        };
        blocks.push(block(content.split_to(length))?);
    }
    Ok(blocks)
}

pub(super) fn text(bytes: Bytes) -> Result<Block, ValueError> {
    let text = ByteString::try_from(bytes).map_err(|error| ValueError::damaged(format!("text is UTF-8: {error}")))?;
    Ok(Block::Text(text))
}
