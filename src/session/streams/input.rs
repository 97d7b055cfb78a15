//! The end of a session stream that a client writes.

use bytes::Bytes;

use super::{End, Feed, Place, StreamError};
use crate::block::Block;

/// An input that was taken out of the table.
///
/// Dropping it puts it back, unless something was [`begun`](InputEnd::begin) and not finished: then the stream is broken, so that
/// nobody takes half of the data for all of it.
pub struct InputEnd {
    place: Place,
    /// `None` once it is of no use any more.
    feed: Option<Feed>,
    /// Dropping it breaks the stream.
    begun: bool,
}

/// What a piece of an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputForm {
    /// UTF-8. A character may be cut between one piece and the next.
    Text,
    /// Bytes.
    Bytes,
}

impl InputEnd {
    pub(super) fn new(place: Place, feed: Feed) -> Self {
        Self { place, feed: Some(feed), begun: false }
    }

    /// From now on all is to come: dropping the end without [`InputEnd::finish`] breaks the stream.
    pub fn begin(&mut self) {
        self.begun = true;
    }

    /// Sends one block, after waiting for room in the pipe. Dropping the future sends nothing.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotText`], [`StreamError::Broken`] when nobody reads the stream any more, [`StreamError::SessionEnded`].
    /// Nothing is sent then.
    pub async fn send(&mut self, piece: Bytes, form: InputForm) -> Result<(), StreamError> {
        let Some(feed) = &mut self.feed else { return Err(self.place.broken()) };
        let room = tokio::select! {
            biased;
            ended = self.place.session_ended() => return Err(ended),
            room = feed.writer.reserve() => room.map_err(|_| self.place.broken())?,
        };
        let not_text = |_| StreamError::NotText { name: self.place.name.clone() };
        match form {
            InputForm::Text => {
                if let Some(text) = feed.text.push(piece).map_err(not_text)? {
                    room.send(Block::Text(text));
                }
            }
            InputForm::Bytes => {
                feed.text.finish().map_err(not_text)?;
                room.send(Block::Bytes(piece));
            }
        }
        Ok(())
    }

    /// Returns when writing is of no use any more, with the reason.
    pub async fn closed(&self) -> StreamError {
        let Some(feed) = &self.feed else { return self.place.broken() };
        tokio::select! {
            biased;
            ended = self.place.session_ended() => ended,
            () = feed.writer.closed() => self.place.broken(),
        }
    }

    /// Ends the stream, after waiting for room to say so.
    ///
    /// # Errors
    ///
    /// As [`InputEnd::send`]; half a character at the end is not text.
    pub async fn finish(mut self) -> Result<(), StreamError> {
        let Some(feed) = &self.feed else { return Err(self.place.broken()) };
        feed.text.finish().map_err(|_| StreamError::NotText { name: self.place.name.clone() })?;
        // Nobody reads any more: what was written was not wanted.
        tokio::select! {
            biased;
            ended = self.place.session_ended() => return Err(ended),
            room = feed.writer.reserve() => drop(room.map_err(|_| self.place.broken())?),
        }
        if let Some(feed) = self.feed.take() {
            feed.writer.finish().await;
        }
        self.place.clear();
        Ok(())
    }
}

impl Drop for InputEnd {
    fn drop(&mut self) {
        let Some(feed) = self.feed.take() else { return };
        if self.begun {
            self.place.clear();
        } else {
            self.place.give_back(End::Input(Some(feed)));
        }
    }
}
