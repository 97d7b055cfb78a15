//! A spool: takes in a stream as fast as it comes and gives it out as fast as it is read.
//!
//! Two end-points that are fed by one activity can't be written into an answer one after the other without it: while the
//! first is read the second would fill its pipe, its writer would wait, and the first would never end. The second is spooled:
//! up to [`MEMORY_BYTES`] in memory, what is beyond in a temporary file that has no name.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use bytes::Bytes;
use bytestring::ByteString;
use tokio::task::spawn_blocking;

use crate::block::{Block, BlockReader, BlockWriter, StreamType, pipe};

/// How much of a stream is kept in memory.
const MEMORY_BYTES: usize = 1024 * 1024;

/// Puts a spool behind a stream of text or bytes and answers with its reading end.
pub(super) fn spool(source: BlockReader, stream_type: StreamType) -> BlockReader {
    let (writer, reader) = pipe(stream_type);
    tokio::spawn(async move {
        if let Err(error) = run(source, writer).await {
            // Dropping the writer has broken the stream: the request fails.
            tracing::error!(%error, "a result could not be spooled to a temporary file");
        }
    });
    reader
}

async fn run(mut source: BlockReader, writer: BlockWriter) -> io::Result<()> {
    let mut spool = Spool::default();
    let mut ended = false;
    let mut front: Option<Block> = None;
    loop {
        if front.is_none() {
            (spool, front) = spool.pop().await?;
        }
        match front.take() {
            None if ended => {
                writer.finish().await;
                return Ok(());
            }
            None => match source.next().await {
                Ok(Some(block)) => spool = spool.push(block).await?,
                Ok(None) => ended = true,
                Err(_) => return Ok(()),
            },
            Some(block) if ended => {
                if writer.send(block).await.is_err() {
                    return Ok(());
                }
            }
            Some(block) => tokio::select! {
                room = writer.reserve() => match room {
                    Ok(room) => room.send(block),
                    Err(_) => return Ok(()),
                },
                next = source.next() => {
                    front = Some(block);
                    match next {
                        Ok(Some(block)) => spool = spool.push(block).await?,
                        Ok(None) => ended = true,
                        Err(_) => return Ok(()),
                    }
                }
            },
        }
    }
}

/// Blocks in the order in which they came: the oldest in memory, the rest in the file.
#[derive(Default)]
struct Spool {
    memory: VecDeque<Block>,
    memory_bytes: usize,
    file: Option<SpoolFile>,
}

impl Spool {
    async fn push(mut self, block: Block) -> io::Result<Self> {
        let fits = self.memory.is_empty() || self.memory_bytes + block.byte_size() <= MEMORY_BYTES;
        if fits && self.file.as_ref().is_none_or(SpoolFile::is_empty) {
            self.memory_bytes += block.byte_size();
            self.memory.push_back(block);
            return Ok(self);
        }
        on_blocking_thread(move || {
            let mut file = match self.file.take() {
                Some(file) => file,
                None => SpoolFile::new()?,
            };
            file.push(&block)?;
            self.file = Some(file);
            Ok(self)
        })
        .await
    }

    async fn pop(mut self) -> io::Result<(Self, Option<Block>)> {
        if let Some(block) = self.memory.pop_front() {
            self.memory_bytes -= block.byte_size();
            return Ok((self, Some(block)));
        }
        match self.file.take() {
            Some(file) if !file.is_empty() => {
                on_blocking_thread(move || {
                    let mut file = file;
                    let block = file.pop()?;
                    self.file = Some(file);
                    Ok((self, Some(block)))
                })
                .await
            }
            file => {
                self.file = file;
                Ok((self, None))
            }
        }
    }
}

/// A queue of blocks in a temporary file: a tag, a length, the bytes.
struct SpoolFile {
    file: File,
    read_at: u64,
    end: u64,
}

const TEXT: u8 = 0;
const BYTES: u8 = 1;
const HEADER: usize = 9;

impl SpoolFile {
    fn new() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, read_at: 0, end: 0 })
    }

    fn is_empty(&self) -> bool {
        self.read_at == self.end
    }

    fn push(&mut self, block: &Block) -> io::Result<()> {
        let (tag, bytes): (u8, &[u8]) = match block {
            Block::Text(text) => (TEXT, text.as_bytes()),
            Block::Bytes(bytes) => (BYTES, bytes),
            Block::Rows(_) => return Err(io::Error::other("rows can't be spooled")),
        };
        if self.is_empty() {
            // Everything has been read: begin anew, so that the file does not grow without end.
            (self.read_at, self.end) = (0, 0);
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        let mut header = [tag; HEADER];
        header[1..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.file.write_all(&header)?;
        self.file.write_all(bytes)?;
        self.end += (HEADER + bytes.len()) as u64;
        Ok(())
    }

    fn pop(&mut self) -> io::Result<Block> {
        self.file.seek(SeekFrom::Start(self.read_at))?;
        let mut header = [0; HEADER];
        self.file.read_exact(&mut header)?;
        let [tag, length @ ..] = header;
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes)?;
        self.read_at += (HEADER + length) as u64;
        let bytes = Bytes::from(bytes);
        if tag == BYTES {
            return Ok(Block::Bytes(bytes));
        }
        ByteString::try_from(bytes).map(Block::Text).map_err(io::Error::other)
    }
}

async fn on_blocking_thread<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_spool_takes_far_more_than_its_memory_and_gives_it_back_in_order() {
        let (writer, source) = pipe(StreamType::Text);
        let mut spooled = spool(source, StreamType::Text);
        let blocks = 3 * MEMORY_BYTES / 10_000;
        // Nobody reads yet: without the spool the writer would wait for ever.
        for index in 0..blocks {
            writer.send(Block::Text(format!("{index:010000}").into())).await.unwrap();
        }
        writer.finish().await;
        for index in 0..blocks {
            match spooled.next().await.unwrap() {
                Some(Block::Text(text)) => assert_eq!(text.parse::<usize>().unwrap(), index),
                other => panic!("{other:?}"),
            }
        }
        assert!(spooled.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_stream_that_breaks_is_broken_behind_the_spool_too() {
        let (writer, source) = pipe(StreamType::Bytes);
        let mut spooled = spool(source, StreamType::Bytes);
        writer.send(Block::Bytes(Bytes::from_static(b"a"))).await.unwrap();
        drop(writer);
        while let Ok(block) = spooled.next().await {
            assert!(block.is_some(), "a broken stream has no end");
        }
    }
}
