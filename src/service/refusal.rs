//! What the service answers instead of an answer: every failure of every room, mapped to one status and one fault.
//!
//! This is the only place that knows the table of `docs/wire.md`.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use uuid::Uuid;

use super::authentication::AuthenticationError;
use super::media_type::FaultFormat;
use super::request_body::BodyError;
use crate::activity::ActivityError;
use crate::document::{self, DocumentError, ErrorKind, Fault, Position, Problem};
use crate::engine::{AdmissionError, PerformError, PlanError, PlanProblem, RecordedFault};
use crate::resource::ResourceError;
use crate::session::{AttributeError, EndReason, SessionError, StreamDirection, StreamError};

/// A request that is refused, or that failed before the first byte of its answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    location: Option<Position>,
    /// After which time the same request may succeed.
    retry_after: Option<Duration>,
    /// Whether a new session would help.
    recreate_session: bool,
    ended: Option<(EndReason, DateTime<Utc>)>,
    way_out: Option<WayOut>,
}

/// What a client may do instead, told in a header.
#[derive(Debug, Clone, PartialEq)]
enum WayOut {
    /// How it may say who it is (RFC 9110, section 11.6.1).
    Challenge(Box<str>),
    /// With which methods it may ask (RFC 9110, section 15.5.6).
    Methods(&'static str),
}

impl WayOut {
    fn header(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Challenge(challenge) => Some((WWW_AUTHENTICATE, HeaderValue::try_from(&*challenge).ok()?)),
            Self::Methods(methods) => Some((ALLOW, HeaderValue::from_static(methods))),
        }
    }
}

/// The code of a fault, for those who see its response.
#[derive(Debug, Clone, Copy)]
pub(super) struct FaultCode(pub(super) &'static str);

impl FaultCode {
    /// Whether the session that the request named is not there, or not any more.
    pub(super) fn is_of_no_session(&self) -> bool {
        matches!(self.0, "SessionNotFound" | "SessionEnded")
    }
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            location: None,
            retry_after: None,
            recreate_session: false,
            ended: None,
            way_out: None,
        }
    }

    pub(super) fn at(mut self, position: Position) -> Self {
        self.location = Some(position);
        self
    }

    /// 405, with the methods that are served.
    pub(super) fn method_not_allowed(message: impl Into<String>, allow: &'static str) -> Self {
        Self { way_out: Some(WayOut::Methods(allow)), ..Self::new(405, "MethodNotAllowed", message) }
    }

    pub(super) fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    fn recreate_session(mut self) -> Self {
        self.recreate_session = true;
        self
    }

    /// Nobody's fault but ours: the client sees a reference, the log the detail.
    pub(super) fn internal(detail: &dyn std::fmt::Display, request_id: Uuid) -> Self {
        tracing::error!(%request_id, detail = %detail, "a request failed inside the service");
        Self::new(500, "Internal", format!("the service failed; its log says more under the request id {request_id}"))
    }

    /// The value of `Retry-After`, in whole seconds.
    fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after.map(|time| time.as_millis().div_ceil(1000).try_into().unwrap_or(u32::MAX))
    }

    /// The HTTP response: a fault document, or the same as JSON where the client would rather have that.
    pub(super) fn into_response(mut self, request_id: Uuid, format: FaultFormat) -> Response {
        let way_out = self.way_out.take().and_then(WayOut::header);
        let code = FaultCode(self.code);
        let fault = self.into_fault(request_id);
        let (content_type, body) = written(&fault, format);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(code);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some((name, value)) = way_out {
            headers.insert(name, value);
        }
        if let Some(seconds) = fault.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// What is remembered of a request that failed so. Under its name it is not run again, so that it may be tried again is not
    /// said; under another it may be.
    pub(super) fn into_recorded(mut self, request_id: Uuid, format: FaultFormat) -> RecordedFault {
        if self.retry_after.take().is_some() {
            self.message.push_str(
                "; this is the answer that is remembered: to run the request again, give it another key or number",
            );
        }
        let (status, code) = (self.status, self.code);
        let (content_type, body) = written(&self.into_fault(request_id), format);
        RecordedFault { status, code, content_type, body: body.into() }
    }

    fn into_fault(self, request_id: Uuid) -> Fault {
        Fault {
            code: self.code.into(),
            status: self.status,
            request_id: request_id.to_string(),
            retryable: self.retry_after.is_some(),
            retry_after: self.retry_after_seconds(),
            recreate_session: self.recreate_session,
            reason: self.ended.map(|(reason, _)| reason_in_documents(reason)),
            time: self.ended.map(|(_, time)| time),
            message: self.message,
            location: self.location,
        }
    }

    pub(super) fn of_authentication(error: &AuthenticationError) -> Self {
        match error {
            AuthenticationError::Unauthenticated { challenge } => {
                let mut refusal = Self::new(401, "Unauthenticated", error.to_string());
                refusal.way_out = Some(WayOut::Challenge(challenge.as_str().into()));
                refusal
            }
            AuthenticationError::Unavailable => {
                Self::new(503, "ServerBusy", error.to_string()).retry_after(Duration::from_secs(1))
            }
        }
    }

    pub(super) fn of_body(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::new(413, "DocumentTooLarge", error.to_string()),
            BodyError::TooSlow { .. } => Self::new(408, "RequestTimedOut", error.to_string()),
            BodyError::BrokeOff => Self::new(400, "DocumentMalformed", error.to_string()),
        }
    }

    pub(super) fn of_document(error: &DocumentError) -> Self {
        let (status, code) = of_problem(error.problem());
        Self::new(status, code, error.message()).at(error.position())
    }

    fn of_plan(error: &PlanError) -> Self {
        let (status, code) = match error.problem() {
            PlanProblem::UnknownActivity => (400, "UnknownActivity"),
            PlanProblem::Document(problem) => of_problem(problem),
            PlanProblem::Stream => (400, "StreamInvalid"),
            PlanProblem::TooLarge => (413, "DocumentTooLarge"),
        };
        Self::new(status, code, error.message()).at(error.position())
    }

    pub(super) fn of_perform(error: &PerformError, request_id: Uuid) -> Self {
        match error {
            PerformError::Plan(error) => Self::of_plan(error),
            PerformError::NoSuchEndPoint(message) => Self::new(400, "StreamInvalid", message),
            PerformError::Admission(error) => Self::of_admission(*error),
            PerformError::Session(error) => Self::of_session(error, request_id),
            PerformError::Activity { name, position, error } => {
                Self::of_activity(name, error, request_id).at(*position)
            }
            PerformError::Initialisation { name, error } => match error.kind() {
                ErrorKind::Client | ErrorKind::Authorization => Self::new(403, "SessionRefused", error.to_string()),
                ErrorKind::Server => Self::of_activity(name, error, request_id),
            },
            PerformError::SessionEnded { reason, at } => Self::of_end(*reason, *at, error.to_string()),
            PerformError::Terminated => Self::new(409, "RequestTerminated", error.to_string()),
            PerformError::Stream(error) => Self::of_stream(error),
            PerformError::ReaderLeft(_) => Self::new(409, "StreamBroken", error.to_string()),
            PerformError::Recorded(fault) => Self::new(fault.status, fault.code, error.to_string()),
            PerformError::ResultsNotKept => Self::new(409, "ResultsNotKept", error.to_string()),
            PerformError::NothingToReturn => Self::new(400, "RequestInvalid", error.to_string()),
            PerformError::TimedOut => Self::new(504, "RequestTimedOut", error.to_string()),
            PerformError::AfterTransaction { failure, .. } => {
                let refusal = Self::of_perform(failure, request_id);
                // To do all of it again would do again what holds.
                let message = format!("{}; {}", refusal.message, error.what_holds().unwrap_or_default());
                Self { message, retry_after: None, ..refusal }
            }
            PerformError::ClientGone | PerformError::Internal(_) => Self::internal(error, request_id),
        }
    }

    pub(super) fn of_admission(error: AdmissionError) -> Self {
        Self::new(503, "ServerBusy", error.to_string()).retry_after(Duration::from_secs(1))
    }

    fn of_activity(name: &str, error: &ActivityError, request_id: Uuid) -> Self {
        let message = format!("the activity `{name}` failed: {error} ({})", error.code());
        match error {
            ActivityError::Attribute(error) if !error.is_of_configuration() => Self::of_attribute(error, message),
            ActivityError::Session(error) => Self::of_session(error, request_id),
            ActivityError::Resource(ResourceError::Busy { .. }) => {
                Self::new(503, "ServerBusy", message).retry_after(Duration::from_secs(1))
            }
            ActivityError::Resource(ResourceError::Conflict { .. }) => {
                Self::new(409, "TransactionConflict", message).retry_after(Duration::from_secs(1))
            }
            ActivityError::Transaction(error) if error.is_unavailable() => {
                tracing::error!(%request_id, activity = name, %error, "a data resource does not work");
                Self::data_resource_unavailable(name, request_id)
            }
            ActivityError::Transaction(error) if error.is_retryable() => {
                Self::new(409, "TransactionConflict", message).retry_after(Duration::from_secs(1))
            }
            ActivityError::Resource(ResourceError::TimedOut { .. }) => Self::new(504, "RequestTimedOut", message),
            ActivityError::Resource(ResourceError::Lost { .. }) => {
                tracing::error!(%request_id, activity = name, %error, "a data resource was lost in the middle of a statement");
                let message = format!(
                    "the data resource of `{name}` was lost while a statement ran: whether it was carried out is not known; the \
                     log says more under {request_id}"
                );
                Self::new(502, "DataResourceUnavailable", message)
            }
            ActivityError::Resource(ResourceError::Unavailable { .. }) => {
                tracing::error!(%request_id, activity = name, %error, "a data resource does not work");
                Self::data_resource_unavailable(name, request_id)
            }
            _ => match error.kind() {
                ErrorKind::Client => Self::new(422, "ActivityFailed", message),
                ErrorKind::Authorization => Self::new(403, "Forbidden", message),
                ErrorKind::Server => Self::internal(&message, request_id),
            },
        }
    }

    fn data_resource_unavailable(name: &str, request_id: Uuid) -> Self {
        let message = format!("the data resource of `{name}` does not answer; the log says more under {request_id}");
        Self::new(502, "DataResourceUnavailable", message).retry_after(Duration::from_secs(5))
    }

    pub(super) fn of_stream(error: &StreamError) -> Self {
        let message = error.to_string();
        match error {
            StreamError::NotFound { .. } => Self::new(404, "StreamNotFound", message),
            StreamError::InUse { .. } => Self::new(423, "StreamInUse", message).retry_after(Duration::from_secs(1)),
            StreamError::WrongDirection { direction: StreamDirection::Input, .. } => {
                Self::method_not_allowed(message, "PUT,POST,DELETE")
            }
            StreamError::WrongDirection { direction: StreamDirection::Output, .. } => {
                Self::method_not_allowed(message, "GET,DELETE")
            }
            StreamError::NameTaken { .. } => Self::new(409, "StreamNameTaken", message),
            StreamError::TooMany { .. } => Self::new(409, "TooManyStreams", message),
            StreamError::NotText { .. } => Self::new(400, "RequestInvalid", message),
            StreamError::SessionEnded => Self::new(410, "SessionEnded", message).recreate_session(),
            _ => Self::new(409, "StreamBroken", message),
        }
    }

    fn of_attribute(error: &AttributeError, message: String) -> Self {
        match error {
            AttributeError::ReadAccess { .. } | AttributeError::Static { .. } | AttributeError::Held { .. } => {
                Self::new(409, "AttributeReadOnly", message)
            }
            AttributeError::TooLarge { .. } | AttributeError::SessionTooLarge { .. } => {
                Self::new(413, "AttributeTooLarge", message)
            }
            _ => Self::new(422, "ActivityFailed", message),
        }
    }

    fn of_end(reason: EndReason, at: DateTime<Utc>, message: String) -> Self {
        let mut refusal = Self::new(410, "SessionEnded", message).recreate_session();
        refusal.ended = Some((reason, at));
        refusal
    }

    pub(super) fn of_session(error: &SessionError, request_id: Uuid) -> Self {
        let message = error.to_string();
        match error {
            SessionError::Disabled => Self::new(400, "SessionsDisabled", message),
            SessionError::NotFound => Self::new(404, "SessionNotFound", message).recreate_session(),
            SessionError::Ended { reason, at } => Self::of_end(*reason, *at, message),
            SessionError::InUse { retry_after, .. } => {
                Self::new(423, "SessionInUse", message).retry_after(*retry_after)
            }
            SessionError::QueueFull { retry_after, .. } => {
                Self::new(503, "SessionQueueFull", message).retry_after(*retry_after)
            }
            SessionError::QuotaExceeded { .. } => {
                Self::new(429, "SessionQuotaExceeded", message).retry_after(Duration::from_mins(1))
            }
            SessionError::ServerFull { .. } => {
                Self::new(503, "ServerBusy", message).retry_after(Duration::from_mins(1))
            }
            SessionError::Draining => Self::new(503, "Draining", message).retry_after(Duration::from_secs(5)),
            SessionError::Unrepeatable => Self::new(400, "RequestInvalid", message),
            SessionError::Terminated => Self::new(409, "RequestTerminated", message),
            SessionError::Conflict => Self::new(409, "SessionConflict", message),
            SessionError::Attribute(error) => Self::of_attribute(error, message),
            SessionError::Store(detail) => {
                // What the disk has is for those who keep it, not for clients.
                tracing::error!(%request_id, detail = %detail, "the session store failed");
                Self::new(503, "StoreUnavailable", message).retry_after(Duration::from_secs(1))
            }
            _ => Self::internal(error, request_id),
        }
    }
}

/// A fault in the form that a client wants it in, with its media type.
fn written(fault: &Fault, format: FaultFormat) -> (&'static str, String) {
    match format {
        FaultFormat::ProblemJson => ("application/problem+json", fault.to_json()),
        FaultFormat::Xml => ("application/xml", fault.to_xml()),
    }
}

fn of_problem(problem: Problem) -> (u16, &'static str) {
    match problem {
        Problem::Malformed => (400, "DocumentMalformed"),
        Problem::Invalid => (400, "DocumentInvalid"),
        Problem::TooLarge => (413, "DocumentTooLarge"),
        Problem::SessionRequirement => (400, "SessionRequirementInvalid"),
    }
}

/// Documents know six reasons: an implicit session that is complete was terminated to them.
fn reason_in_documents(reason: EndReason) -> document::EndReason {
    match reason {
        EndReason::Completed | EndReason::Terminated => document::EndReason::Terminated,
        EndReason::Idle => document::EndReason::Idle,
        EndReason::Lifetime => document::EndReason::Lifetime,
        EndReason::Killed => document::EndReason::Killed,
        EndReason::OwnerLost => document::EndReason::OwnerLost,
        EndReason::Drained => document::EndReason::Drained,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{StoreError, TransactionReport};

    #[test]
    fn the_fault_of_a_session_error_has_its_code() {
        let (at, second) = (DateTime::UNIX_EPOCH, Duration::from_secs(1));
        let errors = [
            SessionError::Disabled,
            SessionError::NotFound,
            SessionError::Ended { reason: EndReason::Idle, at },
            SessionError::InUse { held_since: at, waiters: 0, retry_after: second },
            SessionError::QueueFull { waiters: 1, retry_after: second },
            SessionError::QuotaExceeded { limit: 1 },
            SessionError::ServerFull { limit: 1 },
            SessionError::Draining,
            SessionError::Conflict,
            SessionError::Store(StoreError::Full),
        ];
        for error in errors {
            assert_eq!(Refusal::of_session(&error, Uuid::nil()).code, error.code());
        }
    }

    #[test]
    fn what_holds_already_is_not_to_be_tried_again() {
        let failure = || PerformError::Session(SessionError::Draining);
        assert!(Refusal::of_perform(&failure(), Uuid::nil()).retry_after.is_some());
        let report =
            TransactionReport::parse("<transaction state=\"committed\" id=\"01936f3e-7c1b-7d44-9d9c-0f1d8e0a5b11\"/>");
        let transactions = vec![report.unwrap()];
        let after = PerformError::AfterTransaction { failure: Box::new(failure()), transactions };
        let refusal = Refusal::of_perform(&after, Uuid::nil());
        assert_eq!((refusal.code, refusal.retry_after), ("Draining", None));
        assert!(refusal.message.contains("the commit holds"), "{}", refusal.message);
    }
}
