use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::document::Status;
use crate::session::SessionInfo;

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

/// Makes an answer that streams, and the sink that feeds it. `stopped` says that the request was stopped.
pub(super) fn answer_pipe(stopped: CancellationToken) -> (AnswerSink, AnswerStream) {
    let (sender, pieces) = mpsc::channel(PIECES);
    (AnswerSink { sender, stopped }, AnswerStream { pieces })
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
    sender: mpsc::Sender<Frame>,
    stopped: CancellationToken,
}

/// The client has gone.
#[derive(Debug)]
pub(super) struct ClientGone;

impl AnswerSink {
    pub(super) async fn send(&self, bytes: Bytes) -> Result<(), ClientGone> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.send_frame(Frame::Data(bytes)).await
    }

    pub(super) async fn end(self, status: Status) {
        // A client that has gone needs no end.
        let _ = self.send_frame(Frame::End(status)).await;
    }

    /// A client that does not read holds its request only until that is stopped.
    async fn send_frame(&self, frame: Frame) -> Result<(), ClientGone> {
        tokio::select! {
            sent = self.sender.send(frame) => sent.map_err(|_| ClientGone),
            () = self.given_up() => Err(ClientGone),
        }
    }

    async fn given_up(&self) {
        self.stopped.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    }

    /// Returns once the client has gone.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }
}
