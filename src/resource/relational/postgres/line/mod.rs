//! The line to the server: the driver and those who read rows share it by turns.
//!
//! The driver (`tokio-postgres`) connects, encrypts and logs in, and does all that is not done very often. It sends every
//! statement by itself, with a word to the server to answer at once, and has a task for each connection. Whoever wants rows
//! speaks to the server himself: he says in one what belongs together, such as the beginning of a transaction, a query and a
//! roll-back, has one answer, and reads rows where they were received. `docs/decisions/one-row.md` has the figures.
//!
//! A [`Talk`] takes the line away from the driver until it is over. That is possible while nothing that the driver has sent waits
//! for an answer, which the [`Traffic`] of the driver tells.

mod connector;
mod row;
mod talk;
mod traffic;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

pub(super) use connector::LineConnector;
pub(super) use row::RawRow;
pub(super) use talk::Talk;
use traffic::Traffic;

/// What bytes flow through.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A line to the server.
pub(super) struct Line(Mutex<Ends>);

struct Ends {
    /// None while somebody talks; for ever if he has not come to an end.
    stream: Option<Box<dyn Stream>>,
    /// Empty; what the next talk receives into.
    room: BytesMut,
    traffic: Traffic,
    /// The driver, if it waits for the line.
    driver: Option<Waker>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("is_taken", &self.0.lock().stream.is_none()).finish_non_exhaustive()
    }
}

impl Line {
    /// A line over a stream, and the end of it that the driver gets.
    fn new(stream: impl Stream + 'static, binding: ChannelBinding) -> (Arc<Self>, DriverEnd) {
        let ends =
            Ends { stream: Some(Box::new(stream)), room: BytesMut::new(), traffic: Traffic::new(), driver: None };
        let line = Arc::new(Self(Mutex::new(ends)));
        let end = DriverEnd { line: Arc::clone(&line), binding: Mutex::new(Some(binding)) };
        (line, end)
    }

    /// Whether nothing has come that nobody has asked for. When the server parts, it says so, or closes the line.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        let mut context = Context::from_waker(Waker::noop());
        let Ends { stream, traffic, .. } = &mut *self.0.lock();
        match stream {
            Some(stream) if traffic.is_over() => {
                Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
            }
            // Whatever comes is the driver's.
            Some(_) => true,
            None => false,
        }
    }

    /// Closes the line, if nobody talks: whoever does closes it by not giving it back.
    pub(super) fn cut(&self) {
        self.0.lock().stream = None;
    }

    /// Takes the line, and room to receive into; none while the driver waits for an answer.
    fn take(&self) -> io::Result<Option<(Box<dyn Stream>, BytesMut)>> {
        let Ends { stream, room, traffic, .. } = &mut *self.0.lock();
        match stream {
            Some(_) => Ok(stream.take_if(|_| traffic.is_over()).map(|stream| (stream, std::mem::take(room)))),
            None => Err(io::Error::other("the line is in use")),
        }
    }

    fn put_back(&self, stream: Box<dyn Stream>, room: BytesMut) {
        let mut ends = self.0.lock();
        (ends.stream, ends.room) = (Some(stream), room);
        let driver = ends.driver.take();
        drop(ends);
        driver.into_iter().for_each(Waker::wake);
    }

    /// Does something with the stream, once nobody talks.
    fn poll_with<T>(
        &self,
        context: &mut Context<'_>,
        work: impl FnOnce(Pin<&mut Box<dyn Stream>>, &mut Traffic, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Ends { stream, traffic, driver, .. } = &mut *self.0.lock();
        if let Some(stream) = stream {
            return work(Pin::new(stream), traffic, context);
        }
        *driver = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The end of a line that the driver has. It waits while somebody else talks.
pub(super) struct DriverEnd {
    line: Arc<Line>,
    /// Asked for once, while the driver logs in.
    binding: Mutex<Option<ChannelBinding>>,
}

impl AsyncRead for DriverEnd {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.line.poll_with(context, |stream, traffic, context| {
            let before = buffer.filled().len();
            let polled = stream.poll_read(context, buffer);
            traffic.note_received(&buffer.filled()[before..]);
            polled
        })
    }
}

impl AsyncWrite for DriverEnd {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.poll_with(context, |stream, traffic, context| {
            let written = stream.poll_write(context, bytes);
            if let Poll::Ready(Ok(written)) = written {
                traffic.note_sent(&bytes[..written.min(bytes.len())]);
            }
            written
        })
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.poll_with(context, |stream, _, context| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.poll_with(context, |stream, _, context| stream.poll_shutdown(context))
    }
}

impl TlsStream for DriverEnd {
    fn channel_binding(&self) -> ChannelBinding {
        self.binding.lock().take().unwrap_or_else(ChannelBinding::none)
    }
}
