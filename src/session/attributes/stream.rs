//! A stream that is kept in a session.

use std::sync::Arc;

use crate::block::{Block, StreamType};

/// The blocks of a stream, kept. A clone shares them, and so does what is appended to.
///
/// ```
/// use rejoin::block::{Block, StreamType};
/// use rejoin::session::StoredStream;
///
/// let mut stream = StoredStream::new(StreamType::Text);
/// stream.push(Block::Text("a".into())).unwrap();
/// let before = stream.clone();
/// stream.push(Block::Text("b".into())).unwrap();
/// assert_eq!((before.block_count(), stream.block_count()), (1, 2));
/// ```
#[derive(Debug, Clone)]
pub struct StoredStream {
    stream_type: StreamType,
    /// What was appended, piece by piece. A piece is never changed once it is shared.
    pieces: Arc<Vec<Arc<StreamPiece>>>,
    blocks: usize,
    bytes: u64,
}

/// The blocks that were appended to a stream together.
#[derive(Debug, Clone)]
pub(in crate::session) struct StreamPiece {
    blocks: Vec<Block>,
    bytes: u64,
}

impl StreamPiece {
    /// A piece that was stored, and what it counted for then.
    pub(in crate::session) fn restored(blocks: Vec<Block>, bytes: u64) -> Self {
        Self { blocks, bytes }
    }

    pub(in crate::session) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// What it counts for of [`StoredStream::byte_size`].
    pub(in crate::session) fn byte_size(&self) -> u64 {
        self.bytes
    }
}

/// A block of another type than the stream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stream of {stream} can't take a block of {block}")]
pub struct WrongBlock {
    /// The type of the stream.
    pub stream: StreamType,
    /// The type of the block.
    pub block: StreamType,
}

/// What a block costs beside its data.
const BLOCK_OVERHEAD: u64 = std::mem::size_of::<Block>() as u64;

impl StoredStream {
    /// An empty stream. One of [`StreamType::Any`] takes the type of the first block that comes.
    #[must_use]
    pub fn new(stream_type: StreamType) -> Self {
        Self { stream_type, pieces: Arc::default(), blocks: 0, bytes: 0 }
    }

    /// The type of the blocks; [`StreamType::Any`] as long as it is not known.
    #[must_use]
    pub fn stream_type(&self) -> StreamType {
        self.stream_type
    }

    /// How many blocks there are.
    #[must_use]
    pub fn block_count(&self) -> usize {
        self.blocks
    }

    /// How much memory the stream holds, in bytes: its data, and what each block costs beside.
    #[must_use]
    pub fn byte_size(&self) -> u64 {
        self.bytes
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.pieces.iter().flat_map(|piece| piece.blocks.iter())
    }

    /// Appends a block.
    ///
    /// # Errors
    ///
    /// [`WrongBlock`] when it is of another type; the stream is as it was.
    pub fn push(&mut self, block: Block) -> Result<(), WrongBlock> {
        self.accept(block.stream_type())?;
        let bytes = (block.byte_size() as u64).saturating_add(BLOCK_OVERHEAD);
        self.blocks += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let pieces = Arc::make_mut(&mut self.pieces);
        match pieces.last_mut().and_then(Arc::get_mut) {
            Some(piece) => {
                piece.blocks.push(block);
                piece.bytes = piece.bytes.saturating_add(bytes);
            }
            None => pieces.push(Arc::new(StreamPiece { blocks: vec![block], bytes })),
        }
        Ok(())
    }

    /// Appends all blocks of another stream. They are shared, not copied.
    ///
    /// # Errors
    ///
    /// [`WrongBlock`] when they are of another type; the stream is as it was.
    pub fn append(&mut self, other: &Self) -> Result<(), WrongBlock> {
        self.accept(other.stream_type)?;
        if other.blocks > 0 {
            self.blocks += other.blocks;
            self.bytes = self.bytes.saturating_add(other.bytes);
            Arc::make_mut(&mut self.pieces).extend(other.pieces.iter().cloned());
        }
        Ok(())
    }

    /// Adds a piece that was stored; its blocks are of the type of the stream.
    pub(in crate::session) fn restore(&mut self, piece: StreamPiece) {
        self.blocks += piece.blocks.len();
        self.bytes = self.bytes.saturating_add(piece.bytes);
        Arc::make_mut(&mut self.pieces).push(Arc::new(piece));
    }

    pub(in crate::session) fn pieces(&self) -> impl Iterator<Item = &StreamPiece> {
        self.pieces.iter().map(|piece| &**piece)
    }

    pub(in crate::session) fn piece_count(&self) -> usize {
        self.pieces.len()
    }

    /// Whether this is the other stream, or the other stream with something appended to it: whether its first pieces are
    /// those of the other, not only equal to them.
    pub(in crate::session) fn begins_with(&self, other: &Self) -> bool {
        self.pieces.len() >= other.pieces.len()
            && self.pieces.iter().zip(other.pieces.iter()).all(|(own, other)| Arc::ptr_eq(own, other))
    }

    /// Whether blocks of that type fit; from the first one on the type is settled.
    fn accept(&mut self, other: StreamType) -> Result<(), WrongBlock> {
        if !self.stream_type.fits(other) {
            return Err(WrongBlock { stream: self.stream_type, block: other });
        }
        if self.stream_type == StreamType::Any {
            self.stream_type = other;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> Block {
        Block::Text(text.into())
    }

    fn stream(texts: &[&'static str]) -> StoredStream {
        let mut stream = StoredStream::new(StreamType::Any);
        for piece in texts {
            stream.push(text(piece)).unwrap();
        }
        stream
    }

    fn shown(stream: &StoredStream) -> String {
        let pieces = stream.blocks().map(|block| match block {
            Block::Text(text) => text.to_string(),
            other => panic!("unexpected {other:?}"),
        });
        pieces.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_clone_does_not_see_what_is_appended_later() {
        let mut whole = stream(&["a", "b"]);
        let before = whole.clone();
        whole.push(text("c")).unwrap();
        whole.append(&stream(&["d", "e"])).unwrap();
        assert_eq!(shown(&before), "a b");
        assert_eq!(shown(&whole), "a b c d e");
        assert_eq!(whole.block_count(), 5);
    }

    #[test]
    fn appending_shares_the_blocks() {
        let part = stream(&["d"]);
        let mut whole = stream(&["a"]);
        whole.append(&part).unwrap();
        assert!(Arc::ptr_eq(&whole.pieces[1], &part.pieces[0]));
    }

    #[test]
    fn the_first_block_settles_the_type() {
        let mut whole = stream(&["a"]);
        assert_eq!(whole.stream_type(), StreamType::Text);
        let bytes = Block::Bytes(bytes::Bytes::from_static(b"b"));
        let refused = WrongBlock { stream: StreamType::Text, block: StreamType::Bytes };
        assert_eq!(whole.push(bytes.clone()), Err(refused));
        let mut binary = StoredStream::new(StreamType::Bytes);
        binary.push(bytes).unwrap();
        assert_eq!(whole.append(&binary), Err(refused));
        assert_eq!(shown(&whole), "a");
        whole.append(&StoredStream::new(StreamType::Any)).unwrap();
        assert_eq!(whole.stream_type(), StreamType::Text);
    }

    #[test]
    fn many_empty_blocks_are_not_free() {
        let mut whole = StoredStream::new(StreamType::Text);
        for _ in 0..1000 {
            whole.push(text("")).unwrap();
        }
        assert!(whole.byte_size() >= 1000 * 32);
    }
}
