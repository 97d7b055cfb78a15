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
    /// Whether the driver is told when something comes: a stream tells the one who has listened last.
    is_driver_told: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("is_taken", &self.0.lock().stream.is_none()).finish_non_exhaustive()
    }
}

impl Line {
    /// A line over a stream, and the end of it that the driver gets.
    fn new(stream: impl Stream + 'static, binding: ChannelBinding) -> (Arc<Self>, DriverEnd) {
        let ends = Ends {
            stream: Some(Box::new(stream)),
            room: BytesMut::new(),
            traffic: Traffic::new(),
            driver: None,
            is_driver_told: false,
        };
        let line = Arc::new(Self(Mutex::new(ends)));
        let end = DriverEnd { line: Arc::clone(&line), binding: Mutex::new(Some(binding)) };
        (line, end)
    }

    /// Whether nothing has come that nobody has asked for. When the server parts, it says so, or closes the line.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        let mut context = Context::from_waker(Waker::noop());
        let Ends { stream, traffic, is_driver_told, .. } = &mut *self.0.lock();
        match stream {
            Some(stream) if traffic.is_over() => {
                *is_driver_told = false;
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
        let Ends { stream, room, traffic, is_driver_told, .. } = &mut *self.0.lock();
        *is_driver_told = false;
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
        work: impl FnOnce(Pin<&mut Box<dyn Stream>>, Notes<'_>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Ends { stream, traffic, driver, is_driver_told, .. } = &mut *self.0.lock();
        if let Some(stream) = stream {
            return work(Pin::new(stream), Notes { traffic, is_driver_told }, context);
        }
        *driver = Some(context.waker().clone());
        Poll::Pending
    }
}

/// What is noted of the driver.
struct Notes<'a> {
    traffic: &'a mut Traffic,
    is_driver_told: &'a mut bool,
}

/// The end of a line that the driver has. It waits while somebody else talks.
pub(super) struct DriverEnd {
    line: Arc<Line>,
    /// Asked for once, while the driver logs in.
    binding: Mutex<Option<ChannelBinding>>,
}

impl AsyncRead for DriverEnd {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.line.poll_with(context, |stream, notes, context| {
            let before = buffer.filled().len();
            let polled = stream.poll_read(context, buffer);
            notes.traffic.note_received(&buffer.filled()[before..]);
            *notes.is_driver_told = polled.is_pending();
            polled
        })
    }
}

impl AsyncWrite for DriverEnd {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.poll_with(context, |stream, notes, context| {
            let written = stream.poll_write(context, bytes);
            if let Poll::Ready(Ok(written)) = written {
                notes.traffic.note_sent(&bytes[..written.min(bytes.len())]);
                if !*notes.is_driver_told {
                    // Somebody else has listened since it did. It would never hear of the answer: it has to listen again.
                    context.waker().wake_by_ref();
                }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// Counts how often a task was woken.
    #[derive(Default)]
    struct Alarm(AtomicUsize);

    impl Wake for Alarm {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Alarm {
        fn has_rung(&self) -> bool {
            self.0.swap(0, Ordering::SeqCst) > 0
        }
    }

    const READY: &[u8] = b"Z\0\0\0\x05I";

    /// A line on which the driver has logged in, its end, and that of the server.
    async fn logged_in() -> (Arc<Line>, DriverEnd, DuplexStream) {
        let (near, mut far) = duplex(1024);
        let (line, mut end) = Line::new(near, ChannelBinding::none());
        end.write_all(b"\0\0\0\x09\0\x03\0\0\0").await.unwrap();
        far.write_all(READY).await.unwrap();
        end.read_exact(&mut [0; READY.len()]).await.unwrap();
        (line, end, far)
    }

    #[tokio::test]
    async fn the_driver_hears_the_answer_whoever_has_listened_after_it() {
        let listens = |line: &Line| {
            let mut talk = Talk::begin(line).unwrap().unwrap();
            assert!(talk.poll_message(&mut Context::from_waker(Waker::noop())).is_pending());
            talk.end();
        };
        let looks = |line: &Line| assert!(line.is_quiet());
        for in_between in [&listens as &dyn Fn(&Line), &looks] {
            let (line, mut end, mut far) = logged_in().await;
            let alarm = Arc::new(Alarm::default());
            let waker = Waker::from(Arc::clone(&alarm));
            let mut context = Context::from_waker(&waker);
            let mut byte = [0];
            let mut listen = |end: &mut DriverEnd| {
                Pin::new(end).poll_read(&mut Context::from_waker(&waker), &mut ReadBuf::new(&mut byte))
            };
            // The driver listens first and sends then what it is asked to, and others come in between.
            assert!(listen(&mut end).is_pending());
            in_between(&line);
            assert!(Pin::new(&mut end).poll_write(&mut context, b"S\0\0\0\x04").is_ready());
            if alarm.has_rung() {
                assert!(listen(&mut end).is_pending());
            }
            far.write_all(READY).await.unwrap();
            assert!(alarm.has_rung(), "nobody tells the driver that the server has answered");
        }
    }
}
