use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use crate::document::Status;
use crate::session::{Clock, SessionInfo};

/// What a request is answered with: a response document, or the raw bytes of one end-point.
#[derive(Debug)]
pub struct Answer {
    /// The session that the request was joined to.
    pub session: SessionInfo,
    /// Whether the request was only begun: it goes on, and its session tells how far it has got.
    pub accepted: bool,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The bytes.
    pub body: AnswerBody,
}

/// The bytes of an answer.
#[derive(Debug)]
pub enum AnswerBody {
    /// All of them: the request has completed.
    Whole(Bytes),
    /// The answer outgrew what is held back, and goes out while the request runs.
    Stream(AnswerStream),
}

/// An answer on its way. Dropping it cancels the request.
#[derive(Debug)]
pub struct AnswerStream {
    pieces: mpsc::Receiver<Frame>,
}

/// A piece of an answer.
#[derive(Debug)]
pub enum Frame {
    /// Bytes.
    Data(Bytes),
    /// The end, with the status of the request.
    End(Status),
}

/// The answer broke off: what came so far is not all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request failed midway")]
pub struct BrokenAnswer;

/// How many pieces wait for a slow client before the pipeline waits as well.
const PIECES: usize = 4;

/// How long a client that does not read is waited for when its request has been stopped: long enough to take the last words,
/// if it reads at all.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long a client that takes nothing of an answer is waited for, if its request goes on without it: until here it may be
/// slow, from here on it is gone. It asks again for what it has missed.
const SILENCE: Duration = Duration::from_secs(30);

/// Makes an answer that streams, and the sink that feeds it. `stopped` says that the request was stopped.
/// With a `copy` it goes on, and is copied there, whether anybody takes it or not: a client that takes nothing for half a minute
/// is sent nothing more.
pub(super) fn answer_pipe(stopped: CancellationToken, copy: Option<AnswerCopy>) -> (AnswerSink, AnswerStream) {
    let (sender, pieces) = mpsc::channel(PIECES);
    let sender = Mutex::new(Some(sender));
    (AnswerSink { sender, stopped, copy: copy.map(Mutex::new) }, AnswerStream { pieces })
}

impl AnswerStream {
    /// The next piece; [`Frame::End`] is the last.
    ///
    /// # Errors
    ///
    /// [`BrokenAnswer`] when the request failed and the client must not take this for a whole answer.
    pub async fn next(&mut self) -> Result<Frame, BrokenAnswer> {
        self.pieces.recv().await.ok_or(BrokenAnswer)
    }

    /// [`AnswerStream::next`] for the body of an HTTP response.
    ///
    /// # Errors
    ///
    /// [`BrokenAnswer`], as there.
    pub fn poll_next(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<Frame, BrokenAnswer>> {
        self.pieces.poll_recv(context).map(|piece| piece.ok_or(BrokenAnswer))
    }
}

/// Where the pieces of an answer go. Dropping it without [`AnswerSink::end`] breaks the answer.
pub(super) struct AnswerSink {
    /// `None` once its client is given up.
    sender: Mutex<Option<mpsc::Sender<Frame>>>,
    stopped: CancellationToken,
    copy: Option<Mutex<AnswerCopy>>,
}

/// A copy of an answer on its way, as long as it is not too large.
#[derive(Debug)]
pub(super) struct AnswerCopy {
    pieces: Vec<Bytes>,
    /// How many bytes it still takes; `None` once there were more.
    room: Option<usize>,
    /// By which its client is waited for.
    clock: Arc<dyn Clock>,
}

impl AnswerCopy {
    /// A copy of at most that many bytes. The client is waited for by that clock.
    pub(super) fn new(most: usize, clock: Arc<dyn Clock>) -> Self {
        Self { pieces: Vec::new(), room: Some(most), clock }
    }

    fn add(&mut self, bytes: &Bytes) {
        self.room = self.room.and_then(|room| room.checked_sub(bytes.len()));
        if self.room.is_some() {
            self.pieces.push(bytes.clone());
        } else {
            self.pieces = Vec::new();
        }
    }

    /// All of it and `rest`; `None` if that is too much.
    fn with(&self, rest: &Bytes) -> Option<Bytes> {
        self.room?.checked_sub(rest.len())?;
        let mut whole = BytesMut::with_capacity(self.pieces.iter().map(Bytes::len).sum::<usize>() + rest.len());
        self.pieces.iter().chain([rest]).for_each(|piece| whole.extend_from_slice(piece));
        Some(whole.freeze())
    }
}

/// The client has gone.
#[derive(Debug)]
pub(super) struct ClientGone;

impl AnswerSink {
    pub(super) async fn send(&self, bytes: Bytes) -> Result<(), ClientGone> {
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(copy) = &self.copy {
            copy.lock().add(&bytes);
        }
        self.send_frame(Frame::Data(bytes)).await
    }

    /// The copy of everything that was sent, with what is about to be; `None` if that is too much.
    pub(super) fn copied_with(&self, rest: &Bytes) -> Option<Bytes> {
        self.copy.as_ref()?.lock().with(rest)
    }

    pub(super) async fn end(self, status: Status) {
        // A client that has gone needs no end.
        let _ = self.send_frame(Frame::End(status)).await;
    }

    /// A client that does not read holds its request only until that is stopped; one whose answer is copied, only for a while.
    async fn send_frame(&self, frame: Frame) -> Result<(), ClientGone> {
        let Some(sender) = self.sender() else { return self.without_client() };
        let frame = match sender.try_send(frame) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return self.without_client(),
            Err(TrySendError::Full(frame)) => frame,
        };
        let sent = tokio::select! {
            sent = sender.send(frame) => sent.is_ok(),
            () = self.silence() => {
                tracing::info!("a client takes nothing of its answer: the request goes on without it");
                self.sender.lock().take();
                false
            }
            () = self.given_up() => return Err(ClientGone),
        };
        if sent { Ok(()) } else { self.without_client() }
    }

    fn sender(&self) -> Option<mpsc::Sender<Frame>> {
        self.sender.lock().clone()
    }

    /// What is copied goes on without its client.
    fn without_client(&self) -> Result<(), ClientGone> {
        if self.copy.is_some() { Ok(()) } else { Err(ClientGone) }
    }

    /// Returns when a client that takes nothing from now on is waited for no longer.
    async fn silence(&self) {
        let clock = self.copy.as_ref().map(|copy| Arc::clone(&copy.lock().clock));
        match clock {
            Some(clock) => clock.sleep_until(clock.now().after(SILENCE)).await,
            None => std::future::pending().await,
        }
    }

    async fn given_up(&self) {
        self.stopped.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    }

    /// Returns once the client has gone, if that makes a difference.
    pub(super) async fn closed(&self) {
        match self.sender().filter(|_| self.copy.is_none()) {
            Some(sender) => sender.closed().await,
            None => std::future::pending().await,
        }
    }
}
