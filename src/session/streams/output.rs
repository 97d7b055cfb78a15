//! The end of a session stream that a client reads.

use futures_util::FutureExt;

use super::group::Fate;
use super::{BYTES, End, Place, StreamError, TEXT};
use crate::block::{Block, BlockReader};

/// An output that was taken out of the table.
///
/// Dropping it puts it back, unless blocks were taken that are not [`handed_over`](OutputEnd::handed_over): nobody would know
/// that they are missing, so the stream is broken then, and the request that writes it fails.
pub struct OutputEnd {
    place: Place,
    /// `None` once it is of no use any more.
    reader: Option<BlockReader>,
    content_type: Option<&'static str>,
    /// Blocks were taken that nobody has got.
    in_hand: bool,
    /// It has broken off: whoever leaves now is not the cause.
    is_broken: bool,
}

impl OutputEnd {
    pub(super) fn new(place: Place, reader: BlockReader, content_type: Option<&'static str>) -> Self {
        Self { place, reader: Some(reader), content_type, in_hand: false, is_broken: false }
    }

    /// The next block, after waiting for it; `None` at the end of the stream. Dropping the future takes nothing.
    ///
    /// # Errors
    ///
    /// [`StreamError::Broken`] when the request that wrote it failed, [`StreamError::SessionEnded`].
    pub async fn next(&mut self) -> Result<Option<Block>, StreamError> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let read = tokio::select! {
            biased;
            // What was written before the session ended is read: its request may have completed with it.
            read = reader.next() => read,
            ended = self.place.session_ended() => return Err(ended),
        };
        match read {
            Ok(Some(block)) => {
                self.in_hand = true;
                Ok(Some(block))
            }
            // An end may be that of a stream that is complete by itself, but part of a request that failed.
            Ok(None) if self.place.group.fate() != Fate::Failed => Ok(None),
            Ok(None) | Err(_) => {
                if let Some(ended) = self.place.session_ended().now_or_never() {
                    return Err(ended);
                }
                self.is_broken = true;
                Err(self.place.broken())
            }
        }
    }

    /// The media type, known for certain with the first block.
    #[must_use]
    pub fn content_type(&self, first: Option<&Block>) -> &'static str {
        self.content_type.unwrap_or(match first {
            Some(Block::Bytes(_)) => BYTES,
            Some(Block::Text(_) | Block::Rows(_)) | None => TEXT,
        })
    }

    /// Every block that was taken has got to where it belongs.
    pub fn handed_over(&mut self) {
        self.in_hand = false;
    }

    /// The reader knows how the stream ended: it is not needed any more.
    pub fn finish(mut self) {
        self.in_hand = false;
        let reader = self.reader.take();
        self.place.clear();
        drop(reader);
    }
}

impl Drop for OutputEnd {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else { return };
        if self.in_hand {
            if !self.is_broken {
                // Said before the writer is told, so that its request does not complete in between.
                self.place.group.abandon(&self.place.name);
            }
            self.place.clear();
        } else {
            self.place.give_back(End::Output(Some(reader)));
        }
    }
}
