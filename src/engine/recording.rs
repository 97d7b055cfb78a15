//! Requests that may be sent again: what they are answered with is remembered with what they changed.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use uuid::Uuid;

use super::answer::{AnswerCopy, AnswerSink};
use super::document_answer::DocumentAnswer;
use super::participation::Participation;
use super::results::Form;
use super::run::ActivityRun;
use super::streaming::{close, closing};
use super::{Answer, AnswerBody, PerformError};
use crate::session::{KeptAnswer, KeptSession, Remember, Repetition, SessionError, SessionInfo};

/// A request that may be sent again: where its answer is remembered, and how its failures are worded.
///
/// It goes on when its client leaves, because that will ask again. What it is answered with once it has begun to run is
/// remembered, good or bad; what it is refused with before is not.
pub struct Recording {
    repetition: Box<Repetition>,
    wording: Arc<Wording>,
}

/// How the answers of a recorded request are worded.
struct Wording {
    /// The id of the request.
    request_id: String,
    /// How many bytes are kept at the most.
    most: usize,
    faults: Faults,
}

/// Words failures as the service answers them.
type Faults = Box<dyn Fn(&PerformError) -> RecordedFault + Send + Sync>;

/// What a request that failed is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFault {
    /// The HTTP status.
    pub status: u16,
    /// The code of the fault.
    pub code: &'static str,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The fault.
    pub body: Bytes,
}

/// An answer that went out while its request ran.
pub(super) struct Streamed<'a> {
    pub(super) form: &'a Form,
    pub(super) content_type: &'static str,
    /// As it was told at the beginning.
    pub(super) session: &'a SessionInfo,
    pub(super) activities: &'a [ActivityRun],
    /// What is not sent yet.
    pub(super) document: DocumentAnswer,
    pub(super) sink: AnswerSink,
}

impl Recording {
    /// Records the answer of a request of that id. `faults` words its failures as the service answers them.
    pub fn new(
        repetition: Box<Repetition>,
        request_id: impl Into<String>,
        faults: impl Fn(&PerformError) -> RecordedFault + Send + Sync + 'static,
    ) -> Self {
        let wording =
            Wording { request_id: request_id.into(), most: repetition.answer_bytes(), faults: Box::new(faults) };
        Self { repetition, wording: Arc::new(wording) }
    }

    /// The request is about to run, and may change more than its session: that is noted before, with the transaction that it is
    /// to commit.
    pub(super) async fn begins(&self, transaction: Option<Uuid>) -> Result<(), SessionError> {
        self.repetition.begins(transaction).await
    }

    /// The request is answered before it is complete: its answer is remembered before it runs, and whoever asks again gets it
    /// from then on. Answers with what its release remembers, which is the same: of the answers of a session the latest are
    /// kept.
    pub(super) async fn accepts(self, session: &SessionInfo, document: Bytes) -> Result<Remember, SessionError> {
        let kept = kept(session, DocumentAnswer::CONTENT_TYPE, document);
        let kept = KeptAnswer { status: 202, accepted: true, ..kept };
        self.repetition.keep(kept.clone()).await?;
        Ok(self.told(kept))
    }

    /// Gives the session back with the changes of the request, and remembers the answer that `make` makes of how it stands then.
    pub(super) async fn commit(
        self,
        participation: Participation,
        form: &Form,
        make: impl FnOnce(SessionInfo) -> Answer + Send + 'static,
    ) -> Result<Answer, PerformError> {
        let making = Arc::new(Mutex::new(Making { make: Some(make), made: None }));
        let before = participation.joined.info().clone();
        let (shared, wording, form) = (Arc::clone(&making), Arc::clone(&self.wording), form.clone());
        let remember = self.repetition.remember(move |departure| {
            let mut making = shared.lock();
            let session = before.clone().after(departure);
            match making.make(before.after(departure)) {
                Some(Answer { content_type, body: AnswerBody::Whole(body), .. }) => {
                    wording.answer(&form, &session, content_type, Some(body.clone()), None)
                }
                _ => wording.answer(&form, &session, "", None, None),
            }
        });
        let released = match participation.commit_with(Some(remember)).await {
            Ok(released) => released,
            Err(failure) => return Err(self.keep_fault(failure).await),
        };
        let mut making = making.lock();
        // A manager that remembers nothing of it has not made it.
        making.make(released.info);
        making.made.take().ok_or_else(|| PerformError::Internal("an answer was lost".into()))
    }

    /// Gives the session back unchanged, and remembers why. A session that was made for the request ends.
    pub(super) async fn abandon(self, participation: Participation, failure: PerformError) -> PerformError {
        if !is_final(&failure) {
            participation.abandon().await;
            return failure;
        }
        let fault = self.wording.fault(&failure);
        match participation.abandon_with(Some(self.told(fault.kept()))).await {
            Ok(()) => PerformError::Recorded(Box::new(fault)),
            Err(_) => self.keep_fault(failure).await,
        }
    }

    /// Where a streamed answer is copied.
    pub(super) fn copy(&self) -> AnswerCopy {
        AnswerCopy::new(self.wording.most, Arc::clone(self.repetition.clock()))
    }

    /// Ends a streamed answer: what is remembered is what was sent, to the last byte.
    pub(super) async fn close(
        self,
        participation: Participation,
        streamed: Streamed<'_>,
        failure: Option<PerformError>,
    ) {
        let Streamed { form, activities, document, .. } = &streamed;
        let mut last = closing(form, activities, document.clone(), failure.as_ref());
        let kept = self.streamed(&streamed, last.as_ref(), failure.as_ref());
        let failure = if let Some(failure) = failure {
            let remember = is_final(&failure).then(|| self.told(kept.clone()));
            if participation.discard_with(remember).await.is_err() && is_final(&failure) {
                self.keep(kept).await;
            }
            Some(failure)
        } else {
            match participation.commit_with(Some(self.told(kept))).await {
                Ok(_) => None,
                Err(failure) => {
                    last = closing(form, activities, document.clone(), Some(&failure));
                    if is_final(&failure) {
                        self.keep(self.streamed(&streamed, last.as_ref(), Some(&failure))).await;
                    }
                    Some(failure)
                }
            }
        };
        if let Some(error) = &failure {
            tracing::info!(%error, "a request failed midway");
        }
        // It is remembered, and told to whoever asks again: also while a client that does not read holds up the last words.
        drop(self);
        close(streamed.sink, last, failure.as_ref()).await;
    }

    /// What is remembered of a streamed answer with those last words.
    fn streamed(&self, streamed: &Streamed<'_>, last: Option<&Bytes>, failure: Option<&PerformError>) -> KeptAnswer {
        let Streamed { form, content_type, session, sink, .. } = streamed;
        let body = last.and_then(|last| sink.copied_with(last));
        self.wording.answer(form, session, content_type, body, failure)
    }

    /// Remembers an answer that does not depend on how the session stands.
    fn told(&self, kept: KeptAnswer) -> Remember {
        self.repetition.remember(move |_| kept)
    }

    /// Remembers a failure for which the session was no longer there.
    pub(super) async fn keep_fault(&self, failure: PerformError) -> PerformError {
        if !is_final(&failure) {
            return failure;
        }
        let fault = self.wording.fault(&failure);
        if self.keep(fault.kept()).await { PerformError::Recorded(Box::new(fault)) } else { failure }
    }

    async fn keep(&self, kept: KeptAnswer) -> bool {
        let outcome = self.repetition.keep(kept).await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the answer of a request could not be remembered");
        }
        outcome.is_ok()
    }
}

/// Whether a request that failed so is not run again under its name. What only the end of the service stopped may be.
fn is_final(failure: &PerformError) -> bool {
    !matches!(
        failure.cause(),
        PerformError::ClientGone
            | PerformError::Session(SessionError::Draining | SessionError::Random(_) | SessionError::Store(_))
    )
}

impl Wording {
    /// What is kept of an answer; `None` in place of a body that was too large, or that ended too soon.
    fn answer(
        &self,
        form: &Form,
        session: &SessionInfo,
        content_type: &'static str,
        body: Option<Bytes>,
        failure: Option<&PerformError>,
    ) -> KeptAnswer {
        match (body.filter(|body| body.len() <= self.most), form) {
            (Some(body), _) => kept(session, content_type, body),
            (None, Form::Document { conceal_id }) => {
                let body = DocumentAnswer::without_results(&self.request_id, session, *conceal_id, failure);
                kept(session, DocumentAnswer::CONTENT_TYPE, body)
            }
            (None, Form::Raw(_)) => self.fault(failure.unwrap_or(&PerformError::ResultsNotKept)).kept(),
        }
    }

    fn fault(&self, failure: &PerformError) -> RecordedFault {
        (self.faults)(failure)
    }
}

fn kept(session: &SessionInfo, content_type: &'static str, body: Bytes) -> KeptAnswer {
    let session = Some(KeptSession::of(session));
    KeptAnswer { status: 200, content_type: content_type.into(), body, accepted: false, session }
}

impl RecordedFault {
    fn kept(&self) -> KeptAnswer {
        KeptAnswer {
            status: self.status,
            content_type: self.content_type.into(),
            body: self.body.clone(),
            accepted: false,
            session: None,
        }
    }
}

/// An answer that is made once, by whoever first knows how the session stands.
struct Making<F> {
    make: Option<F>,
    made: Option<Answer>,
}

impl<F: FnOnce(SessionInfo) -> Answer> Making<F> {
    fn make(&mut self, session: SessionInfo) -> Option<&Answer> {
        if let Some(make) = self.make.take() {
            self.made = Some(make(session));
        }
        self.made.as_ref()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("repetition", &self.repetition).finish_non_exhaustive()
    }
}
