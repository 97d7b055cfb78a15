//! Requests that are answered before they are complete: their ends are streams of the session, their progress stands there.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::admission::Admitted;
use super::control::{Control, Stop};
use super::document_answer::DocumentAnswer;
use super::participation::{Participation, failure_of};
use super::recording::Recording;
use super::run::{ActivityRun, Run};
use super::{Answer, AnswerBody, PerformError, Plan, PlanError, PlanProblem};
use crate::document::Status;
use crate::session::{OpenedStreams, Remember, RequestProgress, SessionError, SessionInfo, StreamError};

/// A request on its way without its client: holds its session and its place until the end.
struct Errand {
    run: Run,
    participation: Participation,
    account: Account,
    /// Its answer, if it may be sent again.
    remember: Option<Remember>,
    control: Control,
    /// The service ends before the request does.
    cut_off: CancellationToken,
    _place: (Admitted, OwnedSemaphorePermit),
}

/// What is told about the request while it runs, and what became of it in the end. Dropped without an end, the request broke off.
struct Account {
    request_id: String,
    progress: Arc<RequestProgress>,
    streams: OpenedStreams,
}

/// What it takes to begin.
pub(super) struct Departing {
    pub(super) plan: Plan,
    pub(super) participation: Participation,
    pub(super) request_id: Uuid,
    pub(super) conceal_id: bool,
    pub(super) recording: Option<Recording>,
    pub(super) cut_off: CancellationToken,
    pub(super) place: (Admitted, OwnedSemaphorePermit),
}

impl Plan {
    /// Whether somebody outside has to reach a stream while the request runs, so that it has to be answered at once.
    #[must_use]
    pub fn is_asynchronous(&self) -> bool {
        self.streams.iter().any(|stream| stream.in_session)
            || self.activities.iter().any(|activity| activity.session_input)
    }

    /// A client reaches a stream by its name alone, so there can't be two of one name, whichever way they go.
    pub(super) fn check_session_streams(&self) -> Result<(), PlanError> {
        for activity in self.activities.iter().filter(|activity| activity.session_input) {
            if self.end_points().any(|end_point| *end_point == *activity.name) {
                return Err(PlanError::new(
                    PlanProblem::Stream,
                    activity.position,
                    format!(
                        "`{0}` is an input of the session, and a stream that nobody reads is called `{0}` as well: \
                         give it another name",
                        activity.name
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Opens the streams of a request, sets it to work and answers.
pub(super) async fn set_off(departing: Departing) -> Result<Answer, PerformError> {
    let Departing { plan, mut participation, request_id, conceal_id, recording, cut_off, place } = departing;
    let control = Control::default();
    let (mut run, streams) = Run::lay_with_session(plan, participation.joined.attributes(), control.cancel.clone());
    let streams = match participation.joined.streams().open(streams) {
        Ok(streams) => streams,
        Err(StreamError::SessionEnded) => {
            let failure = failure_of(participation.joined.ended().await);
            participation.abandon().await;
            return Err(failure);
        }
        Err(error) => {
            participation.withdraw().await;
            return Err(PerformError::Stream(error));
        }
    };
    // Whoever is told that it runs is told later, too, if it is lost with the process.
    if let Err(error) = participation.joined.anchor().await {
        drop(streams);
        participation.withdraw().await;
        return Err(PerformError::Session(error));
    }
    let names = run.activities().iter().map(|activity| activity.name.clone()).collect();
    let Some(progress) = participation.joined.report(request_id, names) else {
        return Err(PerformError::Internal("a request had left its session before it began".into()));
    };
    run.report_to(Arc::clone(&progress));
    let request_id = request_id.to_string();
    let session = participation.joined.info().clone();
    let body = accepted(&request_id, &session, conceal_id, &run);
    let answer = Answer {
        session,
        content_type: DocumentAnswer::CONTENT_TYPE,
        accepted: true,
        body: AnswerBody::Whole(body.clone()),
    };
    let account = Account { request_id, progress, streams };
    let mut remember = None;
    if let Some(recording) = recording {
        remember = match recording.accepts(&answer.session, body).await {
            Ok(remember) => Some(remember),
            Err(error) => {
                let failure = error.into();
                participation.withdraw().await;
                account.end(Some(&failure));
                return Err(failure);
            }
        };
    }
    run.begin();
    participation.is_told = true;
    // In a box: it may wait for hours, and what a task is told is held twice.
    let errand = Box::new(Errand { run, participation, account, remember, control, cut_off, _place: place });
    tokio::spawn(errand.perform().in_current_span());
    Ok(answer)
}

/// The document that says that the request begins. How far its activities have got by the time that it is read, the session
/// tells.
fn accepted(request_id: &str, session: &SessionInfo, conceal_id: bool, run: &Run) -> bytes::Bytes {
    // No carrier brings the id of an implicit session, and its streams are reached by it.
    let mut document = DocumentAnswer::begin(request_id, session, conceal_id && !session.implicit);
    for (index, activity) in run.activities().iter().enumerate() {
        let status = if run.has_to_wait(index) { Status::Unstarted } else { Status::Processing };
        document.begun_activity(&activity.name, status);
    }
    document.end(Status::Processing, None);
    document.take()
}

impl Errand {
    /// Drives the activities beside the watch over the session, and gives that back.
    async fn perform(mut self: Box<Self>) {
        let Some(activities) = self.work().await else { return };
        Box::pin(self.close(&activities)).await;
    }

    /// Drives the activities. `None` when the watch over the session has come to its end before.
    async fn work(&mut self) -> Option<Vec<ActivityRun>> {
        let Self { run, participation, account, control, cut_off, .. } = self;
        let interrupted = participation.joined.ended();
        let watching = async {
            control.stop(tokio::select! {
                interruption = interrupted => Stop::Session(interruption),
                stream = account.streams.abandoned() => Stop::ReaderLeft(stream),
                () = cut_off.cancelled() => Stop::CutOff,
            });
            // From here on the activities come to their end by themselves.
            std::future::pending::<()>().await;
        };
        let info = participation.joined.info();
        let ends_session = info.implicit || info.ended_by_this;
        let working = async {
            let activities = run.complete().await;
            if ends_session {
                // The streams end with the session, so it waits for those who read them.
                tokio::select! {
                    () = account.streams.read_out() => {}
                    () = control.cancel.cancelled() => {}
                }
            }
            activities
        };
        tokio::select! {
            activities = working => Some(activities),
            () = watching => None,
        }
    }

    /// Gives the session back, and tells what became of the request.
    async fn close(self: Box<Self>, activities: &[ActivityRun]) {
        let Self { run, participation, account, remember, control, _place, .. } = *self;
        drop(run);
        if let Some(failure) = account.failure(&control, activities) {
            let failure = participation.explain(failure);
            account.streams.fail();
            // Nothing of the session changes.
            let _ = participation.discard_with(remember).await;
            account.end(Some(&failure));
            return;
        }
        // Before the next request comes, which may have inputs of the same names.
        account.streams.close_inputs();
        let failure = participation.commit_with(remember).await.err();
        account.end(failure.as_ref());
    }
}

impl Account {
    /// Why the request failed, if it did.
    fn failure(&self, control: &Control, activities: &[ActivityRun]) -> Option<PerformError> {
        if let Some(failure) = control.failure() {
            return Some(failure);
        }
        if let Some(stream) = self.streams.abandoned_yet() {
            return Some(PerformError::ReaderLeft(stream.into()));
        }
        let (activity, error) = activities.iter().find_map(ActivityRun::failure)?;
        Some(PerformError::Activity {
            name: activity.name.clone(),
            position: activity.position,
            error: Arc::clone(error),
        })
    }

    fn end(&self, failure: Option<&PerformError>) {
        let Some(failure) = failure else {
            self.streams.complete();
            return self.progress.end(Status::Completed, None);
        };
        tracing::info!(error = %failure, "an asynchronous request failed");
        self.streams.fail();
        let status = match failure.cause() {
            PerformError::Terminated | PerformError::Session(SessionError::Terminated) => Status::Terminated,
            _ => Status::Error,
        };
        self.progress.end(status, Some(DocumentAnswer::failure(&self.request_id, failure)));
    }
}

impl Drop for Account {
    /// A request that broke off without an end. After an end this changes nothing.
    fn drop(&mut self) {
        let failure = PerformError::Internal("the request broke off".into());
        self.progress.end(Status::Error, Some(DocumentAnswer::failure(&self.request_id, &failure)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{StreamType, pipe};
    use crate::session::{NewStream, SessionStreams, StreamState, SystemClock};

    #[test]
    fn a_request_that_breaks_off_is_told_as_failed_and_breaks_its_streams() {
        let table = Arc::new(SessionStreams::default());
        let (_writer, reader) = pipe(StreamType::Text);
        let streams = table.open([NewStream::output("tap", StreamType::Text, None, reader)]).unwrap();
        let progress = Arc::new(RequestProgress::new(Uuid::nil(), ["a".into()], Arc::new(SystemClock)));
        drop(Account { request_id: "0193".into(), progress: Arc::clone(&progress), streams });
        let told = progress.summary();
        assert_eq!((told.status, told.error.unwrap().code.as_str()), (Status::Error, "Internal"));
        assert_eq!(table.list()[0].state, StreamState::Broken);
    }
}
