//! The response document of a request, in the words of the engine.

use bytes::{Bytes, BytesMut};

use super::PerformError;
use super::end_point::EndPoint;
use super::run::ActivityRun;
use crate::activity::ActivityError;
use crate::block::{Block, StreamType};
use crate::document::{
    ErrorKind, GrantedTimeout, Position, ResponseError, ResponseSession, ResponseWriter, Status, Unwritable,
};
use crate::session::{SessionError, SessionInfo};

/// A response document in the making.
#[derive(Clone)]
pub(super) struct DocumentAnswer {
    writer: ResponseWriter,
    request_id: String,
    /// Whether the id of the session is left out.
    conceal_id: bool,
}

impl DocumentAnswer {
    pub(super) const CONTENT_TYPE: &'static str = "application/xml";

    /// Begins the document.
    pub(super) fn begin(request_id: &str, session: &SessionInfo, conceal_id: bool) -> Self {
        let mut answer = Self::new(request_id, conceal_id);
        answer.writer.session(&response_session(session, conceal_id));
        answer
    }

    /// Begins with the results, while it isn't known yet how the session stands: [`DocumentAnswer::with_session`] puts it in
    /// front.
    pub(super) fn results(request_id: &str, conceal_id: bool) -> Self {
        let mut answer = Self::new(request_id, conceal_id);
        // The beginning is written again, with the session.
        drop(answer.take());
        answer
    }

    fn new(request_id: &str, conceal_id: bool) -> Self {
        Self { writer: ResponseWriter::new(request_id), request_id: request_id.into(), conceal_id }
    }

    /// What stands in place of the detail of a failure inside the service.
    fn reference(&self) -> String {
        format!("the service failed; its log says more under the request id {}", self.request_id)
    }

    /// The whole document of a request that completed, with the session in front.
    pub(super) fn with_session(mut self, session: &SessionInfo) -> Bytes {
        self.end(Status::Completed, None);
        let results = self.take();
        let head = Self::begin(&self.request_id, session, self.conceal_id).take();
        let mut whole = BytesMut::with_capacity(head.len() + results.len());
        whole.extend_from_slice(&head);
        whole.extend_from_slice(&results);
        whole.freeze()
    }

    /// The result of an activity.
    pub(super) fn activity(&mut self, activity: &ActivityRun) {
        match (&activity.error, activity.status) {
            (Some(error), Status::Error) => {
                let error = self.error(error, Some(activity.position));
                self.writer.failed_result(&activity.name, Status::Error, &error);
            }
            (_, status) => self.writer.result(&activity.name, status),
        }
    }

    /// The result of an activity of a request that has just begun.
    pub(super) fn begun_activity(&mut self, name: &str, status: Status) {
        self.writer.result(name, status);
    }

    /// Begins the result of an end-point; its first block tells whether it is text or bytes.
    pub(super) fn begin_end_point(&mut self, end_point: &EndPoint, status: Status, first: Option<&Block>) {
        let content_type = end_point.content_type(first);
        if end_point.stream_type(first) == StreamType::Bytes {
            self.writer.begin_bytes(&end_point.name, status, content_type);
        } else {
            self.writer.begin_text(&end_point.name, status, content_type);
        }
    }

    /// Data of the end-point that was begun.
    ///
    /// # Errors
    ///
    /// When XML has no way to write it.
    pub(super) fn block(&mut self, block: &Block) -> Result<(), ActivityError> {
        let written = match block {
            Block::Text(text) => self.writer.text(text),
            Block::Bytes(bytes) => self.writer.bytes(bytes),
            Block::Rows(_) => return Err(ActivityError::client("WrongStreamType", "rows can't stand in an answer")),
        };
        written.map_err(|error| {
            let Unwritable::Character(character) = error else {
                return ActivityError::server("AnswerOutOfPlace", error.to_string());
            };
            ActivityError::client(
                "NotXmlText",
                format!(
                    "the character U+{:04X} can't stand in XML: ask for the raw end-point with ?return=NAME",
                    u32::from(character)
                ),
            )
        })
    }

    /// Ends the result of the end-point, or breaks it off.
    pub(super) fn end_end_point(&mut self, problem: Option<&ActivityError>) {
        match problem {
            None => self.writer.end_result(),
            Some(error) => {
                let error = self.error(error, None);
                self.writer.break_result(&error);
            }
        }
    }

    /// The whole result of an end-point that is text.
    pub(super) fn text_end_point(&mut self, name: &str, content_type: &str, text: &str) {
        self.writer.begin_text(name, Status::Completed, content_type);
        // What is written here is XML of ours.
        let _ = self.writer.text(text);
        self.writer.end_result();
    }

    /// The result of an end-point that was stopped before it got its turn.
    pub(super) fn terminated_end_point(&mut self, end_point: &EndPoint) {
        self.writer.result(&end_point.name, Status::Terminated);
    }

    /// The status of the request, which ends the document.
    pub(super) fn end(&mut self, status: Status, failure: Option<&PerformError>) {
        let error = failure.map(|failure| self.request_error(failure));
        self.writer.request(status, error.as_ref());
    }

    /// The whole document of a request whose results were too large to be kept.
    pub(super) fn without_results(
        request_id: &str,
        session: &SessionInfo,
        conceal_id: bool,
        failure: Option<&PerformError>,
    ) -> Bytes {
        let mut answer = Self::begin(request_id, session, conceal_id);
        let error = failure.map(|failure| answer.request_error(failure));
        let status = if failure.is_none() { Status::Completed } else { Status::Error };
        answer.writer.request_without_results(status, error.as_ref());
        answer.take()
    }

    /// How many bytes wait to be taken.
    pub(super) fn len(&self) -> usize {
        self.writer.len()
    }

    pub(super) fn take(&mut self) -> Bytes {
        self.writer.take()
    }

    /// What a client may see of the failure of a request.
    pub(super) fn failure(request_id: &str, failure: &PerformError) -> ResponseError {
        Self::new(request_id, false).request_error(failure)
    }

    fn request_error(&self, failure: &PerformError) -> ResponseError {
        let (code, kind) = match failure {
            PerformError::Activity { error, position, .. } => return self.error(error, Some(*position)),
            PerformError::AfterTransaction { failure: cause, .. } => {
                let mut error = self.request_error(cause);
                if let Some(holds) = failure.what_holds() {
                    error.message = format!("{}; {holds}", error.message);
                }
                return error;
            }
            PerformError::Terminated | PerformError::Session(SessionError::Terminated) => {
                ("RequestTerminated", ErrorKind::Client)
            }
            PerformError::ReaderLeft(_) => ("StreamBroken", ErrorKind::Client),
            PerformError::Session(SessionError::Draining) => ("Draining", ErrorKind::Client),
            PerformError::TimedOut => ("RequestTimedOut", ErrorKind::Client),
            PerformError::SessionEnded { .. } | PerformError::Session(SessionError::Ended { .. }) => {
                ("SessionEnded", ErrorKind::Client)
            }
            PerformError::Session(SessionError::Conflict) => ("SessionConflict", ErrorKind::Client),
            PerformError::Session(SessionError::Attribute(error)) => (error.code(), ErrorKind::Client),
            _ => ("Internal", ErrorKind::Server),
        };
        let message = if kind == ErrorKind::Server { self.reference() } else { failure.to_string() };
        ResponseError { code: code.into(), kind, message, location: None }
    }

    /// What a client may see of an error: of its own mistakes everything, of the service's a reference.
    fn error(&self, error: &ActivityError, location: Option<Position>) -> ResponseError {
        if let ActivityError::Cancelled = error {
            let message = "the request was stopped: see the results of its activities".into();
            return ResponseError { code: "Stopped".into(), kind: ErrorKind::Client, message, location };
        }
        let kind = error.kind();
        let message = if kind == ErrorKind::Server { self.reference() } else { error.to_string() };
        ResponseError { code: error.code().into(), kind, message, location }
    }
}

fn response_session(session: &SessionInfo, conceal_id: bool) -> ResponseSession {
    let timeout = session.timeout.map_or(GrantedTimeout::Unbounded, GrantedTimeout::After);
    let has_ended = session.implicit || session.ended_by_this;
    ResponseSession {
        id: (!conceal_id).then(|| session.id.expose().as_str().into()),
        created: session.created,
        timeout: (!has_ended).then_some(timeout),
        // Whichever comes first ends it.
        idle_expires: session
            .idle_expires
            .map(|idle| session.lifetime_expires.map_or(idle, |lifetime| lifetime.min(idle))),
        lifetime_expires: session.lifetime_expires,
    }
}
