use std::task::{Context, Poll};

use super::plan::PlannedStream;
use crate::block::{Block, BlockReader, StreamBroken, StreamType, pipe};
use crate::session::NewStream;

/// An output that nobody reads, on its way into the answer.
pub(super) struct EndPoint {
    pub(super) name: Box<str>,
    /// The activity that writes it.
    pub(super) writer: usize,
    /// Shared with the end-points whose data come from the same source.
    pub(super) kin: usize,
    stream_type: StreamType,
    content_type: Option<&'static str>,
    reader: BlockReader,
}

impl EndPoint {
    pub(super) fn new(stream: PlannedStream, reader: BlockReader, kin: usize) -> Self {
        Self {
            name: stream.name,
            writer: stream.writer,
            kin,
            stream_type: stream.stream_type,
            content_type: stream.content_type,
            reader,
        }
    }

    /// A stream of the session, for a client to read.
    pub(super) fn into_stream(self) -> NewStream {
        NewStream::output(self.name, self.stream_type, self.content_type, self.reader)
    }

    /// The next block.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Block>, StreamBroken>> {
        self.reader.poll_next(context)
    }

    /// Reads no further: its writer is told when it writes again.
    pub(super) fn close(&mut self) {
        let (_, nothing) = pipe(self.stream_type);
        self.reader = nothing;
    }

    /// Its data by way of something else that read them.
    pub(super) fn replace_reader(&mut self, replace: impl FnOnce(BlockReader) -> BlockReader) {
        let (_, nothing) = pipe(self.stream_type);
        self.reader = replace(std::mem::replace(&mut self.reader, nothing));
    }

    /// The type, known for certain with the first block.
    pub(super) fn stream_type(&self, first: Option<&Block>) -> StreamType {
        first.map_or(self.stream_type, Block::stream_type)
    }

    /// The media type, known for certain with the first block.
    pub(super) fn content_type(&self, first: Option<&Block>) -> &'static str {
        self.content_type.unwrap_or(match self.stream_type(first) {
            StreamType::Bytes => "application/octet-stream",
            StreamType::Text | StreamType::Rows | StreamType::Any => "text/plain; charset=utf-8",
        })
    }
}
