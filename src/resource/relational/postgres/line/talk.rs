use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::Header;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::{Line, Stream};

/// How much is read from the line at a time: twice what the server sends at a time.
const READ: usize = 16 * 1024;

/// The most room that a line keeps for the next talk, in bytes: large rows leave none behind.
const KEPT: usize = 4 * READ;

/// How many bytes of a message stand before its body.
const HEADER: usize = 5;

/// A turn on the line. One that is dropped before [`Talk::end`] takes the line with it: nobody knows what is still to come.
pub(in super::super) struct Talk<'a> {
    line: &'a Line,
    stream: Box<dyn Stream>,
    sent: BytesMut,
    received: BytesMut,
    /// The length of the message that was given last, at the beginning of what was received.
    given: usize,
}

impl<'a> Talk<'a> {
    /// Takes the line; none while the driver waits for an answer.
    pub(in super::super) fn begin(line: &'a Line) -> io::Result<Option<Self>> {
        let talk = |(stream, received)| Self { line, stream, sent: BytesMut::new(), received, given: 0 };
        Ok(line.take()?.map(talk))
    }

    /// What is to be sent; messages are appended.
    pub(in super::super) fn message(&mut self) -> &mut BytesMut {
        &mut self.sent
    }

    /// Sends what was appended.
    pub(in super::super) async fn send(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_send(context)).await
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.sent.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.sent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent.advance(written);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Waits for the next message; gives its tag. Its body is there until the next.
    pub(in super::super) fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<io::Result<u8>> {
        self.received.advance(std::mem::take(&mut self.given));
        loop {
            if let Some(header) = Header::parse(&self.received)? {
                let length = usize::try_from(header.len()).unwrap_or(0) + 1;
                if self.received.len() >= length {
                    self.given = length;
                    return Poll::Ready(Ok(header.tag()));
                }
            }
            self.received.reserve(READ);
            if ready!(pin!(self.stream.read_buf(&mut self.received)).poll(context))? == 0 {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server has closed the line",
                )));
            }
        }
    }

    /// The body of the message that was given last.
    pub(in super::super) fn body(&self) -> &[u8] {
        &self.received[HEADER.min(self.given)..self.given]
    }

    /// Gives the line back, with no answer left to come.
    pub(in super::super) fn end(self) {
        let mut room = self.received;
        room.clear();
        // Also what lies before what was received last.
        let is_large = room.try_reclaim(KEPT + 1);
        let room = if is_large { BytesMut::new() } else { room };
        self.line.put_back(self.stream, room);
    }
}
