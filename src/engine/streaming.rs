//! An answer that outgrew what is held back: it goes out while the request runs.

use super::PerformError;
use super::answer::{AnswerSink, ClientGone};
use super::collect::State;
use super::control::Stop;
use super::document_answer::DocumentAnswer;
use super::results::{Form, Results, broke_off, into_bytes};
use super::run::ActivityRun;
use crate::block::BLOCK_BYTES;
use crate::document::Status;
use crate::session::SessionInfo;

impl Results<'_> {
    /// Writes every end-point into the sink and waits until all activities have stopped. What is not written yet of a
    /// response document comes back.
    pub(super) async fn stream(
        &mut self,
        sink: &AnswerSink,
        request_id: &str,
        session: &SessionInfo,
    ) -> Result<(Vec<ActivityRun>, DocumentAnswer), PerformError> {
        let mut document = DocumentAnswer::begin(request_id, session);
        let written = tokio::select! {
            written = self.write(sink, &mut document) => written,
            () = sink.closed() => Err(ClientGone),
        };
        if let Err(ClientGone) = written {
            self.control.stop(Stop::ClientGone);
            self.collection.drain().await;
        }
        // A session is free again when nothing works in it any more.
        let run = self.stopped().await?;
        Ok((run, document))
    }

    async fn write(&mut self, sink: &AnswerSink, document: &mut DocumentAnswer) -> Result<(), ClientGone> {
        self.collection.spool_kin();
        let mut written: Vec<bool> = self.collection.results.iter().map(|result| !result.wanted).collect();
        while let Some(index) = self.collection.next_result(&written).await {
            written[index] = true;
            match self.form {
                Form::Document => self.write_end_point(index, sink, document).await?,
                Form::Raw(_) => {
                    while let Some(block) = self.collection.next_block(index).await {
                        sink.send(into_bytes(block)).await?;
                    }
                }
            }
        }
        self.collection.drain().await;
        Ok(())
    }

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
                break;
            }
            if document.len() >= BLOCK_BYTES {
                sink.send(document.take()).await?;
            }
            next = self.collection.next_block(index).await;
        }
        let result = &self.collection.results[index];
        match result.problem() {
            Some(problem) => document.end_end_point(Some(problem)),
            None if result.state == State::Ended => document.end_end_point(None),
            None => document.end_end_point(Some(&broke_off(&result.end_point.name))),
        }
        Ok(())
    }
}

/// Says how a streamed request ended. A raw answer that failed is broken off: half of the bytes must not look like all.
pub(super) async fn close(
    form: &Form,
    sink: AnswerSink,
    activities: &[ActivityRun],
    mut document: DocumentAnswer,
    failure: Option<&PerformError>,
) {
    let status = if failure.is_none() { Status::Completed } else { Status::Error };
    match form {
        Form::Raw(_) if failure.is_some() => return,
        Form::Raw(_) => {}
        Form::Document => {
            for activity in activities {
                document.activity(activity);
            }
            document.end(status, failure);
            if sink.send(document.take()).await.is_err() {
                return;
            }
        }
    }
    sink.end(status).await;
}
