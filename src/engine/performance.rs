//! A request while it runs: its activities, its answer, and the watch over its session.

use futures_util::future::join;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio_util::sync::CancellationToken;

use super::admission::Admitted;
use super::answer::answer_pipe;
use super::collect::{Collection, Gathered};
use super::control::{Control, Stop};
use super::document_answer::DocumentAnswer;
use super::participation::Participation;
use super::recording::{Recording, Streamed};
use super::results::{Form, Results};
use super::run::Run;
use super::streaming::{close, closing};
use super::{Answer, AnswerBody, PerformError, Plan};

/// Where the beginning of the answer goes.
pub(super) type Head = oneshot::Sender<Result<Answer, PerformError>>;

/// One request on its way through: holds its session and its place until the end.
pub(super) struct Performance {
    pub(super) plan: Plan,
    pub(super) form: Form,
    pub(super) participation: Participation,
    pub(super) request_id: String,
    /// If the request is recorded, where, and what cuts it off: its client does not.
    pub(super) recorded: Option<(Recording, CancellationToken)>,
    pub(super) place: (Admitted, OwnedSemaphorePermit),
}

impl Performance {
    /// Runs the activities, the answer and the watch over the session side by side.
    pub(super) async fn perform(self, head: Head) {
        let Self { plan, form, participation, request_id, recorded, place: _place } = self;
        let (recording, cut_off) = recorded.unzip();
        let control = Control::default();
        let interrupted = participation.joined.ended();
        let (mut run, end_points) = Run::start(plan, participation.joined.attributes(), control.cancel.clone());
        let collection = Collection::new(end_points, form.only());
        let (completed, run_completed) = oneshot::channel();
        let driving = async move {
            // Whoever waits for it may have been dropped with the whole request.
            let _ = completed.send(run.complete().await);
        };
        let results = Results { form, control: &control, collection, run: run_completed };
        let watching = async {
            control.stop(tokio::select! {
                interruption = interrupted => Stop::Session(interruption),
                () = cut(cut_off.as_ref()) => Stop::CutOff,
            });
            // From here on the two others come to their end by themselves.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = join(driving, answer(results, participation, recording, &request_id, head)) => {}
            () = watching => {}
        }
    }
}

/// Resolves when a request without a client is cut off.
async fn cut(cut_off: Option<&CancellationToken>) {
    match cut_off {
        Some(cut_off) => cut_off.cancelled().await,
        None => std::future::pending().await,
    }
}

/// Answers a running request, and gives back its session exactly once.
async fn answer(
    mut results: Results<'_>,
    participation: Participation,
    recording: Option<Recording>,
    request_id: &str,
    mut head: Head,
) {
    let gathered = tokio::select! {
        gathered = results.collection.gather() => gathered,
        () = head.closed() => {
            results.control.stop(Stop::ClientGone);
            results.collection.drain().await;
            Gathered::All
        }
    };
    if gathered == Gathered::Refused {
        results.control.give_up();
        results.collection.drain().await;
    }
    match gathered {
        Gathered::All | Gathered::Refused => {
            let answer = answer_whole(results, participation, recording, request_id, &mut head).await;
            // A client that went away in this very moment has its changes all the same: the request was complete.
            let _ = head.send(answer);
        }
        // The state of most requests is smaller for it.
        Gathered::TooMuch => Box::pin(answer_stream(results, participation, recording, request_id, head)).await,
    }
}

/// The answer of a request that has ended before it outgrew what is held back, or why it failed.
async fn answer_whole(
    mut results: Results<'_>,
    participation: Participation,
    recording: Option<Recording>,
    request_id: &str,
    head: &mut Head,
) -> Result<Answer, PerformError> {
    let control = results.control;
    let stopped = tokio::select! {
        stopped = results.stopped() => Some(stopped),
        () = head.closed() => None,
    };
    let activities = if let Some(stopped) = stopped {
        stopped?
    } else {
        control.stop(Stop::ClientGone);
        results.stopped().await?
    };
    let made = match results.failure(&activities) {
        Some(failure) => Err(failure),
        None => results.whole(&activities, request_id),
    };
    match (made, recording) {
        (Ok(whole), None) => Ok(whole.into_answer(participation.commit().await?.info)),
        (Ok(whole), Some(recording)) => {
            recording.commit(participation, &results.form, |session| whole.into_answer(session)).await
        }
        (Err(failure), None) => {
            let failure = participation.explain(failure);
            participation.abandon().await;
            Err(failure)
        }
        (Err(failure), Some(recording)) => {
            let failure = participation.explain(failure);
            Err(recording.abandon(participation, failure).await)
        }
    }
}

/// An answer that goes out while the request runs.
async fn answer_stream(
    mut results: Results<'_>,
    mut participation: Participation,
    recording: Option<Recording>,
    request_id: &str,
    head: Head,
) {
    participation.is_told = true;
    let session = participation.joined.info().clone();
    let content_type = match results.form {
        Form::Document { .. } => DocumentAnswer::CONTENT_TYPE,
        Form::Raw(_) => results.collection.raw_content_type(),
    };
    let (sink, stream) = answer_pipe(results.control.cancel.clone(), recording.as_ref().map(Recording::copy));
    let body = AnswerBody::Stream(stream);
    // A client that has gone by now is seen by the sink.
    let _ = head.send(Ok(Answer { session: session.clone(), accepted: false, content_type, body }));
    let (activities, document) = match results.stream(&sink, request_id, &session).await {
        Ok(streamed) => streamed,
        Err(error) => {
            tracing::error!(%error, "a request broke off midway");
            participation.discard().await;
            return;
        }
    };
    let failure = results.failure(&activities).map(|failure| participation.explain(failure));
    if let Some(recording) = recording {
        let (form, session, activities) = (&results.form, &session, &activities[..]);
        let streamed = Streamed { form, content_type, session, activities, document, sink };
        return recording.close(participation, streamed, failure).await;
    }
    let failure = match failure {
        Some(failure) => {
            // Nothing of the session may change.
            participation.discard().await;
            Some(failure)
        }
        None => participation.commit().await.err(),
    };
    if let Some(error) = &failure {
        tracing::info!(%error, "a request failed midway");
    }
    let closing = closing(&results.form, &activities, document, failure.as_ref());
    close(sink, closing, failure.as_ref()).await;
}
