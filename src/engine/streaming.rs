//! An answer that outgrew what is held back: it goes out while the request runs.

use bytes::Bytes;

use super::PerformError;
use super::answer::{AnswerSink, ClientGone};
use super::collect::State;
use super::control::Stop;
use super::document_answer::DocumentAnswer;
use super::results::{Form, Results, into_bytes};
use super::run::ActivityRun;
use crate::activity::ActivityError;
use crate::block::BLOCK_BYTES;
use crate::document::Status;
use crate::session::SessionInfo;

/// How far the end-points have been written.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Which have been begun, or are not wanted.
    begun: Vec<bool>,
    /// One broke off: its result is still open in the document.
    broken: bool,
}

impl Results<'_> {
    /// Writes every end-point into the sink and waits until all activities have stopped. What is not written yet of a
    /// response document comes back.
    pub(super) async fn stream(
        &mut self,
        sink: &AnswerSink,
        request_id: &str,
        session: &SessionInfo,
    ) -> Result<(Vec<ActivityRun>, DocumentAnswer), PerformError> {
        let mut document = DocumentAnswer::begin(request_id, session, self.form.conceals_id());
        let mut progress = Progress::default();
        let written = tokio::select! {
            written = self.write(sink, &mut document, &mut progress) => written,
            () = sink.closed() => Err(ClientGone),
        };
        if let Err(ClientGone) = written {
            self.control.stop(Stop::ClientGone);
        }
        if written.is_err() || self.collection.has_refused() {
            self.control.give_up();
        }
        if written.is_err() || progress.broken {
            // Whoever broke a stream is about to say why, and is not stopped before that.
            tokio::select! {
                () = self.collection.drain() => {}
                () = sink.closed() => self.control.stop(Stop::ClientGone),
            }
            self.collection.drain().await;
        }
        // A session is free again when nothing works in it any more.
        let control = self.control;
        let activities = tokio::select! {
            activities = self.stopped() => Some(activities),
            () = sink.closed() => None,
        };
        let activities = if let Some(activities) = activities {
            activities?
        } else {
            control.stop(Stop::ClientGone);
            self.stopped().await?
        };
        self.write_what_is_left(&mut document, &progress, &activities);
        Ok((activities, document))
    }

    async fn write(
        &mut self,
        sink: &AnswerSink,
        document: &mut DocumentAnswer,
        progress: &mut Progress,
    ) -> Result<(), ClientGone> {
        self.collection.spool_kin();
        progress.begun = self.collection.results.iter().map(|result| !result.wanted).collect();
        while let Some(index) = self.collection.next_result(&progress.begun).await {
            progress.begun[index] = true;
            match self.form {
                Form::Document { .. } => self.write_end_point(index, sink, document).await?,
                Form::Raw(_) => {
                    while let Some(block) = self.collection.next_block(index).await {
                        sink.send(into_bytes(block)).await?;
                    }
                }
            }
            if self.collection.results[index].state != State::Ended {
                progress.broken = true;
                return Ok(());
            }
        }
        self.collection.drain().await;
        Ok(())
    }

    /// Writes one end-point. If it breaks off its result stays open, until it is known why.
    async fn write_end_point(
        &mut self,
        index: usize,
        sink: &AnswerSink,
        document: &mut DocumentAnswer,
    ) -> Result<(), ClientGone> {
        let mut next = self.collection.next_block(index).await;
        let result = &self.collection.results[index];
        let status = match result.state {
            State::Ended => Status::Completed,
            State::Open => Status::Processing,
            State::Broken => Status::Terminated,
        };
        document.begin_end_point(&result.end_point, status, next.as_ref());
        while let Some(block) = next {
            if let Err(problem) = document.block(&block) {
                self.collection.results[index].refuse(problem);
                return Ok(());
            }
            if document.len() >= BLOCK_BYTES {
                sink.send(document.take()).await?;
            }
            next = self.collection.next_block(index).await;
        }
        if self.collection.results[index].state == State::Ended {
            document.end_end_point(None);
        }
        Ok(())
    }

    /// Closes the result that broke off with what broke it, and names the end-points that never got their turn.
    fn write_what_is_left(&self, document: &mut DocumentAnswer, progress: &Progress, activities: &[ActivityRun]) {
        if let Form::Raw(_) = self.form {
            return;
        }
        if progress.broken {
            match self.failure(activities) {
                Some(PerformError::Activity { error, .. }) => document.end_end_point(Some(&error)),
                _ => document.end_end_point(Some(&ActivityError::Cancelled)),
            }
        }
        for (result, begun) in self.collection.results.iter().zip(&progress.begun) {
            if !begun {
                document.terminated_end_point(&result.end_point);
            }
        }
    }
}

/// The last words of a streamed answer; `None` of a raw one that failed: that is broken off, because half of the bytes must not
/// look like all.
pub(super) fn closing(
    form: &Form,
    activities: &[ActivityRun],
    mut document: DocumentAnswer,
    failure: Option<&PerformError>,
) -> Option<Bytes> {
    match form {
        Form::Raw(_) => failure.is_none().then(Bytes::new),
        Form::Document { .. } => {
            for activity in activities {
                document.activity(activity);
            }
            document.end(status_of(failure), failure);
            Some(document.take())
        }
    }
}

/// Says how a streamed request ended.
pub(super) async fn close(sink: AnswerSink, closing: Option<Bytes>, failure: Option<&PerformError>) {
    let Some(closing) = closing else { return };
    if sink.send(closing).await.is_ok() {
        sink.end(status_of(failure)).await;
    }
}

fn status_of(failure: Option<&PerformError>) -> Status {
    if failure.is_none() { Status::Completed } else { Status::Error }
}
