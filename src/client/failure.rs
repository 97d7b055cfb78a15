//! Why the service refused a request, or what failed in it.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Code;
use crate::document::{EndReason, Fault, PerformDocument, Position, ResponseError, Status, Step};

/// What the service says about a request that it refused, or that failed: the fault, or the error of the response.
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService) {
/// use rejoin::client::{Code, Error};
///
/// match service.update("INSERT INTO orders VALUES (7)").run().await {
///     Err(Error::Refused(failure)) if failure.code == Code::Forbidden => println!("ask the operator: {failure}"),
///     Err(Error::Refused(failure)) => println!("{:?} at {:?}", failure.activity, failure.position),
///     _ => {}
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What happened, for programs.
    pub code: Code,
    /// What happened to the activity that failed, in its own words, such as [`Code::SqlError`] and [`Code::AttributeNotFound`]
    /// behind [`Code::ActivityFailed`].
    pub activity_code: Option<Code>,
    /// What happened, for people.
    pub message: String,
    /// The HTTP status; `None` where the answer had begun well.
    pub status: Option<u16>,
    /// The step of the perform document that failed, if it was one.
    pub activity: Option<Box<str>>,
    /// The place in the perform document as it was sent.
    pub position: Option<Position>,
    /// The id of the request: what to name when asking the operator about it.
    pub request_id: Box<str>,
    /// Whether the same request can succeed later. The toolkit has tried as long as its patience lasted.
    pub retryable: bool,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// Whether a new session would help.
    pub recreate_session: bool,
    /// Why and when the session ended.
    pub ended: Option<(EndReason, DateTime<Utc>)>,
}

impl Failure {
    pub(super) fn of_fault(fault: Fault) -> Self {
        Self {
            code: Code::from(&*fault.code),
            activity_code: code_in(&fault.message),
            message: fault.message,
            status: Some(fault.status),
            activity: None,
            position: fault.location,
            request_id: fault.request_id.into(),
            retryable: fault.retryable,
            retry_after: fault.retry_after.map(|seconds| Duration::from_secs(seconds.into())),
            recreate_session: fault.recreate_session,
            ended: fault.reason.zip(fault.time),
        }
    }

    pub(super) fn of_response(error: ResponseError, request_id: &str) -> Self {
        Self {
            code: Code::from(&*error.code),
            activity_code: code_in(&error.message),
            message: error.message,
            status: None,
            activity: None,
            position: error.location,
            request_id: request_id.into(),
            // It ran: whether it may run again is for whoever knows what it does.
            retryable: false,
            retry_after: None,
            recreate_session: false,
            ended: None,
        }
    }

    /// A request that did not come to its end, without a word why: its owner stopped it.
    pub(super) fn stopped(status: Status, request_id: &str) -> Self {
        Self {
            code: Code::RequestTerminated,
            activity_code: None,
            message: format!("the request did not complete: {}", status.as_str()),
            status: None,
            activity: None,
            position: None,
            request_id: request_id.into(),
            retryable: false,
            retry_after: None,
            recreate_session: false,
            ended: None,
        }
    }

    /// Names the step that stands at the place, of the document that was sent.
    pub(super) fn locate(&mut self, document: &[u8]) {
        let (Some(position), None) = (self.position, &self.activity) else { return };
        // What the service could not read, nobody can.
        let Ok(document) = PerformDocument::parse(document) else { return };
        self.activity = step_at(&document.steps, position);
    }
}

/// The code of the activity: the message of one that failed ends with it, in brackets.
fn code_in(message: &str) -> Option<Code> {
    let (_, code) = message.strip_suffix(')')?.rsplit_once(" (")?;
    let is_word = code.starts_with(|first: char| first.is_ascii_uppercase())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_word && message.starts_with("the activity `")).then(|| Code::from(code))
}

/// The name of the last step that begins at the place or before it.
fn step_at(steps: &[Step], position: Position) -> Option<Box<str>> {
    let mut found = None;
    for step in steps {
        let candidate = match step {
            Step::Activity(activity) if activity.element.position() <= position => Some(activity.name.clone()),
            Step::Activity(_) => None,
            Step::Sequence(steps) | Step::Flow(steps) => step_at(steps, position),
        };
        found = candidate.or(found);
    }
    found
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(activity) = &self.activity {
            write!(f, "step `{activity}`: ")?;
        }
        write!(f, "{} ({}", self.message, self.code)?;
        if let Some(position) = self.position {
            write!(f, ", line {}, column {} of the document", position.line, position.column)?;
        }
        write!(f, ", request {})", self.request_id)
    }
}
