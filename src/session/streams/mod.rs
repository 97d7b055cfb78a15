//! Session streams: data that flow into a running request and out of it while its client does other things.
//!
//! A request that is answered at once puts the outer ends of its pipes into the table of its session ([`SessionStreams`]): of an
//! output the end to read from, of an input the end to write to. Whoever knows the session takes an end out
//! ([`SessionStreams::take_output`], [`SessionStreams::take_input`]), uses it alone, and gives it back; the pipe itself slows down
//! whoever is too fast. The table takes no part in transactions: what has been read is gone.
//!
//! ```text
//!  activity ──▶ pipe ──▶ BlockReader ─┐                     ┌─▶ OutputEnd ──▶ GET  …/session/streams/tap
//!                                     ├── SessionStreams ───┤
//!  activity ◀── pipe ◀── BlockWriter ─┘                     └─▶ InputEnd  ◀── PUT  …/session/streams/feed
//! ```
//!
//! The model is that of OGSA-DAI 2.2 (external inputs and outputs of a session, one consumer). Where that let streams belong to
//! the current request alone, the rest of an output outlives it here: it stays until it is read, deleted or the session ends.

mod error;
mod group;
mod input;
mod output;
#[cfg(test)]
mod tests;
mod utf8;

pub use error::StreamError;
pub use group::OpenedStreams;
pub use input::{InputEnd, InputForm};
pub use output::OutputEnd;

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::block::{BlockReader, BlockWriter, StreamType};
use crate::document::nearest;
pub use crate::document::{StreamDirection, StreamState};
use group::{Fate, Group};
use utf8::Utf8;

/// How many streams a session has at the most. What earlier requests left counts: each may hold as much as a pipe does.
const MOST_STREAMS: usize = 64;

/// The streams of one session, by name.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
///
/// use rejoin::block::{Block, StreamType, pipe};
/// use rejoin::session::{NewStream, SessionStreams};
///
/// let streams = Arc::new(SessionStreams::default());
/// let (writer, reader) = pipe(StreamType::Text);
/// let opened = streams.open([NewStream::output("tap", StreamType::Text, None, reader)])?;
/// writer.send(Block::Text("hello".into())).await.unwrap();
///
/// let mut tap = streams.take_output("tap")?;
/// assert!(streams.take_output("tap").is_err(), "one reader at a time");
/// assert!(tap.next().await?.is_some());
/// tap.handed_over();
/// drop(tap);
/// assert!(streams.take_output("tap").is_ok());
/// opened.complete();
/// # Ok::<(), rejoin::session::StreamError>(())
/// # }).unwrap();
/// ```
#[derive(Default)]
pub struct SessionStreams {
    table: Mutex<Table>,
    /// Told to those who have taken an end out.
    ended: CancellationToken,
    /// Called when the last stream has gone.
    emptied: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Table {
    /// In boxes: a leaf of the tree has room for eleven, and mostly there is one.
    entries: BTreeMap<Box<str>, Box<Entry>>,
    /// Tells streams apart that have the same name one after the other.
    last_key: u64,
    ended: bool,
}

struct Entry {
    key: u64,
    group: Arc<Group>,
    stream_type: StreamType,
    content_type: Option<&'static str>,
    end: End,
}

/// The end of a pipe that stands in the table; `None` while somebody has taken it out.
enum End {
    Output(Option<BlockReader>),
    Input(Option<Feed>),
}

/// The writing end of a pipe, with what the last block of text left over.
struct Feed {
    writer: BlockWriter,
    text: Utf8,
}

/// A session stream as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// Its name.
    pub name: Box<str>,
    /// Which way it goes.
    pub direction: StreamDirection,
    /// How it stands.
    pub state: StreamState,
    /// The media type of an output, as far as it is known before its first block.
    pub content_type: Option<&'static str>,
}

/// A stream that a request opens.
pub struct NewStream {
    name: Box<str>,
    stream_type: StreamType,
    content_type: Option<&'static str>,
    end: End,
}

impl NewStream {
    /// An output: the end to read from, of a pipe that an activity writes. Of a stream of text or bytes the media type may be
    /// given.
    #[must_use]
    pub fn output(
        name: impl Into<Box<str>>,
        stream_type: StreamType,
        content_type: Option<&'static str>,
        reader: BlockReader,
    ) -> Self {
        Self { name: name.into(), stream_type, content_type, end: End::Output(Some(reader)) }
    }

    /// An input: the end to write to, of a pipe that an activity reads.
    #[must_use]
    pub fn input(name: impl Into<Box<str>>, writer: BlockWriter) -> Self {
        let feed = Feed { writer, text: Utf8::default() };
        Self { name: name.into(), stream_type: StreamType::Any, content_type: None, end: End::Input(Some(feed)) }
    }
}

impl SessionStreams {
    /// The table of a session that has ended: nothing can be opened in it.
    #[must_use]
    pub fn of_ended_session() -> Self {
        let streams = Self::default();
        streams.end();
        streams
    }

    /// Enters the streams of a request, all or none. They belong together: what becomes of the request decides what becomes of
    /// them ([`OpenedStreams::complete`], [`OpenedStreams::fail`]).
    ///
    /// # Errors
    ///
    /// [`StreamError::NameTaken`] when there is a stream of one of the names already, [`StreamError::TooMany`],
    /// [`StreamError::SessionEnded`].
    pub fn open(self: &Arc<Self>, streams: impl IntoIterator<Item = NewStream>) -> Result<OpenedStreams, StreamError> {
        // What is refused is dropped when the mutex is free.
        let streams: Vec<NewStream> = streams.into_iter().collect();
        let mut table = self.table.lock();
        if table.ended {
            return Err(StreamError::SessionEnded);
        }
        if let Some(taken) = streams.iter().find(|stream| table.entries.contains_key(&stream.name)) {
            return Err(StreamError::NameTaken { name: taken.name.clone() });
        }
        if table.entries.len() + streams.len() > MOST_STREAMS {
            return Err(StreamError::TooMany { limit: MOST_STREAMS });
        }
        let group = Arc::new(Group::default());
        for NewStream { name, stream_type, content_type, end } in streams {
            table.last_key += 1;
            let entry = Entry { key: table.last_key, group: Arc::clone(&group), stream_type, content_type, end };
            table.entries.insert(name, Box::new(entry));
        }
        Ok(OpenedStreams::new(Arc::clone(self), group))
    }

    /// Takes out an output, to read it alone.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotFound`], [`StreamError::InUse`], [`StreamError::WrongDirection`], [`StreamError::SessionEnded`].
    pub fn take_output(self: &Arc<Self>, name: &str) -> Result<OutputEnd, StreamError> {
        let mut table = self.table.lock();
        let (name, entry) = table.find(name)?;
        let End::Output(reader) = &mut entry.end else {
            return Err(StreamError::WrongDirection { name, direction: StreamDirection::Input });
        };
        let Some(reader) = reader.take() else { return Err(StreamError::InUse { name }) };
        let place = Place { streams: Arc::clone(self), name, key: entry.key, group: Arc::clone(&entry.group) };
        Ok(OutputEnd::new(place, reader, entry.content_type))
    }

    /// Takes out an input, to write it alone.
    ///
    /// # Errors
    ///
    /// As [`SessionStreams::take_output`].
    pub fn take_input(self: &Arc<Self>, name: &str) -> Result<InputEnd, StreamError> {
        let mut table = self.table.lock();
        let (name, entry) = table.find(name)?;
        let End::Input(feed) = &mut entry.end else {
            return Err(StreamError::WrongDirection { name, direction: StreamDirection::Output });
        };
        let Some(feed) = feed.take() else { return Err(StreamError::InUse { name }) };
        let place = Place { streams: Arc::clone(self), name, key: entry.key, group: Arc::clone(&entry.group) };
        Ok(InputEnd::new(place, feed))
    }

    /// Drops a stream that nobody uses. The request that writes an output goes on without a reader; one that reads an input
    /// finds it broken off.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotFound`], [`StreamError::InUse`], [`StreamError::SessionEnded`].
    pub fn remove(&self, name: &str) -> Result<(), StreamError> {
        let mut table = self.table.lock();
        let (name, entry) = table.find(name)?;
        if entry.end.is_taken() {
            return Err(StreamError::InUse { name });
        }
        let removed = table.entries.remove(&name);
        drop(table);
        if let Some(entry) = removed {
            entry.group.told();
        }
        self.tell_if_empty();
        Ok(())
    }

    /// Lets somebody know whenever the last stream has gone. Only the first one who asks is told.
    pub(super) fn when_empty(&self, told: impl Fn() + Send + Sync + 'static) {
        // Whoever has asked before is the same one.
        let _ = self.emptied.set(Box::new(told));
    }

    fn tell_if_empty(&self) {
        if let Some(told) = self.emptied.get()
            && self.is_empty()
        {
            told();
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.lock().entries.is_empty()
    }

    /// The streams, by name.
    #[must_use]
    pub fn list(&self) -> Vec<StreamStatus> {
        let table = self.table.lock();
        let entries = table.entries.iter();
        entries.map(|(name, entry)| entry.status(name)).collect()
    }

    /// The session has ended: drops what nobody uses, and tells those who have taken an end out.
    pub fn end(&self) {
        let mut table = self.table.lock();
        table.ended = true;
        let entries = std::mem::take(&mut table.entries);
        drop(table);
        self.ended.cancel();
        for entry in entries.into_values() {
            entry.group.told();
        }
    }
}

impl fmt::Debug for SessionStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

impl Table {
    fn find(&mut self, name: &str) -> Result<(Box<str>, &mut Entry), StreamError> {
        if self.ended {
            return Err(StreamError::SessionEnded);
        }
        if !self.entries.contains_key(name) {
            let nearest = nearest(name, self.entries.keys().map(AsRef::as_ref)).map(Into::into);
            return Err(StreamError::NotFound { name: name.to_owned(), nearest });
        }
        match self.entries.entry(name.into()) {
            btree_map::Entry::Occupied(found) => Ok((found.key().clone(), found.into_mut())),
            btree_map::Entry::Vacant(missing) => {
                Err(StreamError::NotFound { name: missing.key().to_string(), nearest: None })
            }
        }
    }
}

impl Entry {
    fn status(&self, name: &str) -> StreamStatus {
        let direction = match self.end {
            End::Output(_) => StreamDirection::Output,
            End::Input(_) => StreamDirection::Input,
        };
        let by_type = match self.stream_type {
            StreamType::Text => Some(TEXT),
            StreamType::Bytes => Some(BYTES),
            StreamType::Rows | StreamType::Any => None,
        };
        StreamStatus {
            name: name.into(),
            direction,
            state: match (self.end.is_taken(), self.group.fate()) {
                (true, _) => StreamState::Busy,
                (false, Fate::Failed) => StreamState::Broken,
                (false, Fate::Running | Fate::Completed) => StreamState::Available,
            },
            content_type: self.content_type.or(by_type),
        }
    }
}

/// The media types of streams that have none of their own.
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

impl End {
    fn is_taken(&self) -> bool {
        matches!(self, Self::Output(None) | Self::Input(None))
    }
}

/// The place in the table that an end was taken from.
struct Place {
    streams: Arc<SessionStreams>,
    name: Box<str>,
    key: u64,
    group: Arc<Group>,
}

impl Place {
    /// Puts the end back, for the next one. It is dropped when the stream has been taken out of the table meanwhile.
    fn give_back(&self, end: End) {
        let mut table = self.streams.table.lock();
        match table.entries.get_mut(&self.name) {
            Some(entry) if entry.key == self.key => entry.end = end,
            _ => {
                drop(table);
                drop(end);
            }
        }
    }

    /// Takes the stream out of the table.
    fn clear(&self) {
        let mut table = self.streams.table.lock();
        let is_ours = table.entries.get(&self.name).is_some_and(|entry| entry.key == self.key);
        let removed = if is_ours { table.entries.remove(&self.name) } else { None };
        drop(table);
        drop(removed);
        self.group.told();
        self.streams.tell_if_empty();
    }

    fn broken(&self) -> StreamError {
        StreamError::Broken { name: self.name.clone() }
    }

    /// Returns when the session has ended.
    async fn session_ended(&self) -> StreamError {
        self.streams.ended.cancelled().await;
        StreamError::SessionEnded
    }
}
