//! The bounded pipe between two activities.
//!
//! The end of a stream is said, never guessed: a writer that is dropped without [`BlockWriter::finish`] leaves a *broken*
//! stream, so the reader of an activity that failed, panicked or was cancelled can't take half of the data for all of it.

use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::{Block, StreamType};

/// How many blocks a pipe holds before its writer has to wait.
pub const PIPE_BLOCKS: usize = 4;

/// In a box: the channel makes room for 32 of them at a time, and many a pipe stands empty for hours.
#[derive(Debug)]
enum Item {
    Block(Box<Block>),
    End,
}

impl Item {
    fn of(block: Block) -> Self {
        Self::Block(Box::new(block))
    }
}

/// Makes a pipe for blocks of `stream_type`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use rejoin::block::{Block, StreamType, pipe};
///
/// let (writer, mut reader) = pipe(StreamType::Text);
/// tokio::spawn(async move {
///     writer.send(Block::Text("hello".into())).await.unwrap();
///     writer.finish().await;
/// });
/// assert!(matches!(reader.next().await, Ok(Some(Block::Text(text))) if text == "hello"));
/// assert!(matches!(reader.next().await, Ok(None)));
/// # });
/// ```
#[must_use]
pub fn pipe(stream_type: StreamType) -> (BlockWriter, BlockReader) {
    let (sender, receiver) = mpsc::channel(PIPE_BLOCKS);
    (BlockWriter { sender, stream_type }, BlockReader { receiver, ended: false })
}

/// The reader has gone and nobody will see what is written: stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reader of the stream has gone")]
pub struct ReaderGone;

/// Why [`BlockWriter::try_send`] did not send.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The pipe is full: here is the block again.
    #[error("the pipe is full")]
    Full(Block),
    /// The reader has gone and nobody will see what is written: stop.
    #[error("the reader of the stream has gone")]
    ReaderGone,
}

/// The writer stopped before the end of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream broke off before its end")]
pub struct StreamBroken;

/// The end of a pipe that an activity writes to.
#[derive(Debug)]
pub struct BlockWriter {
    sender: mpsc::Sender<Item>,
    stream_type: StreamType,
}

impl BlockWriter {
    /// The type that the plan gave to the stream.
    #[must_use]
    pub fn stream_type(&self) -> StreamType {
        self.stream_type
    }

    /// Sends one block, after waiting for room.
    ///
    /// # Errors
    ///
    /// [`ReaderGone`] when nobody reads any more.
    pub async fn send(&self, block: Block) -> Result<(), ReaderGone> {
        self.sender.send(Item::of(block)).await.map_err(|_| ReaderGone)
    }

    /// Sends one block from a thread that may block.
    ///
    /// # Errors
    ///
    /// [`ReaderGone`] when nobody reads any more.
    ///
    /// # Panics
    ///
    /// When called on a thread of the async runtime.
    pub fn blocking_send(&self, block: Block) -> Result<(), ReaderGone> {
        self.sender.blocking_send(Item::of(block)).map_err(|_| ReaderGone)
    }

    /// Sends one block if there is room for it at once.
    ///
    /// # Errors
    ///
    /// [`NotSent::Full`] with the block when the writer would have to wait, [`NotSent::ReaderGone`] when nobody reads any
    /// more.
    pub fn try_send(&self, block: Block) -> Result<(), NotSent> {
        self.sender.try_send(Item::of(block)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(Item::Block(block)) => NotSent::Full(*block),
            mpsc::error::TrySendError::Full(Item::End) | mpsc::error::TrySendError::Closed(_) => NotSent::ReaderGone,
        })
    }

    /// Waits for room for one block, without having the block yet. Dropping the future or the room changes nothing.
    ///
    /// # Errors
    ///
    /// [`ReaderGone`] when nobody reads any more.
    pub async fn reserve(&self) -> Result<Room<'_>, ReaderGone> {
        self.sender.reserve().await.map(Room).map_err(|_| ReaderGone)
    }

    /// Says that the stream is complete. Dropping the writer without it breaks the stream.
    pub async fn finish(self) {
        // A reader that went away does not care for the end.
        let _ = self.sender.send(Item::End).await;
    }

    /// [`BlockWriter::finish`] if there is room for it at once.
    ///
    /// # Errors
    ///
    /// The writer itself, when it would have to wait.
    pub fn try_finish(self) -> Result<(), Self> {
        match self.sender.try_send(Item::End) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(self),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// [`BlockWriter::finish`] from a thread that may block.
    ///
    /// # Panics
    ///
    /// When called on a thread of the async runtime.
    pub fn blocking_finish(self) {
        let _ = self.sender.blocking_send(Item::End);
    }

    /// Returns once the reader has gone: what a writer that waits for its source should wait for as well.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// A handle that tells whether the reader has gone, for code that can't hold the writer itself.
    ///
    /// The reader sees a broken stream only when the writer and its watches are dropped.
    #[must_use]
    pub fn watch(&self) -> ReaderWatch {
        ReaderWatch { sender: self.sender.clone() }
    }
}

/// Tells whether the reader of a pipe has gone; see [`BlockWriter::watch`].
#[derive(Debug)]
pub struct ReaderWatch {
    sender: mpsc::Sender<Item>,
}

impl ReaderWatch {
    /// Whether nobody reads any more.
    #[must_use]
    pub fn reader_gone(&self) -> bool {
        self.sender.is_closed()
    }
}

/// Room for one block in a pipe.
#[derive(Debug)]
pub struct Room<'a>(mpsc::Permit<'a, Item>);

impl Room<'_> {
    /// Puts the block there.
    pub fn send(self, block: Block) {
        self.0.send(Item::of(block));
    }
}

/// The end of a pipe that an activity reads from.
#[derive(Debug)]
pub struct BlockReader {
    receiver: mpsc::Receiver<Item>,
    ended: bool,
}

impl BlockReader {
    /// The next block, or `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// [`StreamBroken`] when the writer stopped before the end.
    pub async fn next(&mut self) -> Result<Option<Block>, StreamBroken> {
        if self.ended {
            return Ok(None);
        }
        let item = self.receiver.recv().await;
        self.take(item)
    }

    /// [`BlockReader::next`] from a thread that may block.
    ///
    /// # Errors
    ///
    /// [`StreamBroken`] when the writer stopped before the end.
    ///
    /// # Panics
    ///
    /// When called on a thread of the async runtime.
    pub fn blocking_next(&mut self) -> Result<Option<Block>, StreamBroken> {
        if self.ended {
            return Ok(None);
        }
        let item = self.receiver.blocking_recv();
        self.take(item)
    }

    /// [`BlockReader::next`] for whoever watches several streams at a time.
    ///
    /// # Errors
    ///
    /// [`StreamBroken`] when the writer stopped before the end.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Block>, StreamBroken>> {
        if self.ended {
            return Poll::Ready(Ok(None));
        }
        self.receiver.poll_recv(context).map(|item| self.take(item))
    }

    fn take(&mut self, item: Option<Item>) -> Result<Option<Block>, StreamBroken> {
        match item {
            Some(Item::Block(block)) => Ok(Some(*block)),
            Some(Item::End) => {
                self.ended = true;
                Ok(None)
            }
            None => Err(StreamBroken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> Block {
        Block::Text(text.into())
    }

    #[tokio::test]
    async fn a_finished_stream_ends_and_stays_ended() {
        let (writer, mut reader) = pipe(StreamType::Text);
        writer.send(text("a")).await.unwrap();
        writer.finish().await;
        assert!(reader.next().await.unwrap().is_some());
        assert!(reader.next().await.unwrap().is_none());
        assert!(reader.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_dropped_writer_breaks_the_stream() {
        let (writer, mut reader) = pipe(StreamType::Text);
        writer.send(text("a")).await.unwrap();
        drop(writer);
        assert!(reader.next().await.unwrap().is_some());
        assert_eq!(reader.next().await.unwrap_err(), StreamBroken);
    }

    #[tokio::test]
    async fn a_writer_whose_reader_has_gone_is_told() {
        let (writer, reader) = pipe(StreamType::Text);
        drop(reader);
        assert_eq!(writer.send(text("a")).await, Err(ReaderGone));
        writer.closed().await;
    }

    #[tokio::test]
    async fn a_full_pipe_makes_its_writer_wait() {
        let (writer, mut reader) = pipe(StreamType::Text);
        for _ in 0..PIPE_BLOCKS {
            writer.send(text("a")).await.unwrap();
        }
        let mut next = Box::pin(writer.send(text("b")));
        assert!(futures_util::poll!(&mut next).is_pending());
        reader.next().await.unwrap();
        next.await.unwrap();
    }

    #[tokio::test]
    async fn who_does_not_wait_gets_the_block_back() {
        let (writer, mut reader) = pipe(StreamType::Text);
        for _ in 0..PIPE_BLOCKS {
            writer.try_send(text("a")).unwrap();
        }
        assert!(matches!(writer.try_send(text("b")), Err(NotSent::Full(Block::Text(text))) if text == "b"));
        let writer = writer.try_finish().unwrap_err();
        reader.next().await.unwrap();
        writer.try_finish().unwrap();
        while reader.next().await.unwrap().is_some() {}

        let (writer, reader) = pipe(StreamType::Text);
        let watch = writer.watch();
        assert!(!watch.reader_gone());
        drop(reader);
        assert!(watch.reader_gone());
        assert!(matches!(writer.try_send(text("b")), Err(NotSent::ReaderGone)));
    }
}
