//! The results of a request: what its end-points hold and what became of its activities.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::oneshot;

use super::collect::{Collection, State};
use super::control::Control;
use super::document_answer::DocumentAnswer;
use super::run::ActivityRun;
use super::{Answer, AnswerBody, PerformError};
use crate::activity::ActivityError;
use crate::block::Block;
use crate::document::Status;
use crate::session::SessionInfo;

/// In which form a request is answered.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// A response document, with the id of the session or without.
    Document { conceal_id: bool },
    /// The bytes of one end-point.
    Raw(Box<str>),
}

impl Form {
    /// The end-point whose data are wanted alone.
    pub(super) fn only(&self) -> Option<&str> {
        match self {
            Self::Document { .. } => None,
            Self::Raw(name) => Some(name),
        }
    }

    /// Whether the answer leaves out the id of the session.
    pub(super) fn conceals_id(&self) -> bool {
        matches!(self, Self::Document { conceal_id: true })
    }
}

/// A request at work, seen from the side of its answer.
pub(super) struct Results<'a> {
    pub(super) form: Form,
    pub(super) control: &'a Control,
    pub(super) collection: Collection,
    /// Comes when every activity has stopped.
    pub(super) run: oneshot::Receiver<Vec<ActivityRun>>,
}

/// The results of a request that completed, ready to be answered with.
pub(super) enum Whole {
    Document(DocumentAnswer),
    Raw(&'static str, Bytes),
}

impl Results<'_> {
    /// Waits until every activity has stopped.
    pub(super) async fn stopped(&mut self) -> Result<Vec<ActivityRun>, PerformError> {
        (&mut self.run).await.map_err(|_| PerformError::Internal("the activities broke off".into()))
    }

    /// Why the request failed, if it did.
    pub(super) fn failure(&self, activities: &[ActivityRun]) -> Option<PerformError> {
        if let Some(failure) = self.control.failure() {
            return Some(failure);
        }
        for result in &self.collection.results {
            if let Some(problem) = result.problem() {
                return Some(failed(&activities[result.end_point.writer], Arc::clone(problem)));
            }
        }
        if let Some((activity, error)) = activities.iter().find_map(ActivityRun::failure) {
            return Some(failed(activity, Arc::clone(error)));
        }
        let bad = self.collection.results.iter().find(|result| result.state != State::Ended)?;
        Some(failed(&activities[bad.end_point.writer], Arc::new(broke_off(&bad.end_point.name))))
    }

    /// All that was gathered, of a request that completed.
    pub(super) fn whole(&mut self, activities: &[ActivityRun], request_id: &str) -> Result<Whole, PerformError> {
        if let Form::Raw(_) = self.form {
            return Ok(self.whole_raw());
        }
        let mut document = DocumentAnswer::results(request_id, self.form.conceals_id());
        for (index, activity) in activities.iter().enumerate() {
            document.activity(activity);
            for result in self.collection.results.iter_mut().filter(|result| result.end_point.writer == index) {
                document.begin_end_point(&result.end_point, Status::Completed, result.blocks.front());
                for block in &result.blocks {
                    document.block(block).map_err(|error| failed(activity, Arc::new(error)))?;
                }
                document.end_end_point(None);
            }
        }
        Ok(Whole::Document(document))
    }

    fn whole_raw(&mut self) -> Whole {
        let Some(result) = self.collection.results.iter_mut().find(|result| result.wanted) else {
            return Whole::Raw("", Bytes::new());
        };
        let content_type = result.end_point.content_type(result.blocks.front());
        let mut blocks = result.blocks.drain(..).map(into_bytes);
        let first = blocks.next().unwrap_or_default();
        let bytes = match blocks.next() {
            None => first,
            Some(second) => {
                let mut all = BytesMut::from(&first[..]);
                all.extend_from_slice(&second);
                blocks.for_each(|block| all.extend_from_slice(&block));
                all.freeze()
            }
        };
        Whole::Raw(content_type, bytes)
    }
}

impl Whole {
    /// The answer, once the session has been released.
    pub(super) fn into_answer(self, session: SessionInfo) -> Answer {
        let (content_type, bytes) = match self {
            Self::Document(results) => (DocumentAnswer::CONTENT_TYPE, results.with_session(&session)),
            Self::Raw(content_type, bytes) => (content_type, bytes),
        };
        Answer { session, accepted: false, content_type, body: AnswerBody::Whole(bytes) }
    }
}

/// The bytes of a block in a raw answer.
pub(super) fn into_bytes(block: Block) -> Bytes {
    match block {
        Block::Text(text) => text.into_bytes(),
        Block::Bytes(bytes) => bytes,
        // The collection has refused rows.
        Block::Rows(_) => Bytes::new(),
    }
}

fn failed(activity: &ActivityRun, error: Arc<ActivityError>) -> PerformError {
    PerformError::Activity { name: activity.name.clone(), position: activity.position, error }
}

/// A stream broke off.
fn broke_off(name: &str) -> ActivityError {
    ActivityError::server("StreamBroken", format!("`{name}` broke off before its end"))
}
