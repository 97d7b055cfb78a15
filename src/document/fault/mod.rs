//! The fault document: why a request was refused as a whole, as XML and as the JSON of RFC 9457.

mod json;
mod xml;

use chrono::{DateTime, Utc};

use super::{DocumentError, Limits, Position};

/// A problem that was found before the first byte of a result: it has an HTTP status of its own.
///
/// ```
/// use rejoin::document::{Fault, Limits};
///
/// let fault = Fault {
///     retryable: true,
///     retry_after: Some(2),
///     ..Fault::new("SessionInUse", 423, "0193", "the session is still held by another request")
/// };
/// assert_eq!(Fault::parse(fault.to_xml().as_bytes(), &Limits::default()), Ok(fault.clone()));
/// assert_eq!(Fault::parse_json(fault.to_json().as_bytes()), Ok(fault));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What happened, for programs: a name such as `SessionInUse`.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// The id of the request: what to name when asking the operator about it.
    pub request_id: String,
    /// Whether the same request can succeed later.
    pub retryable: bool,
    /// When to try again, in seconds, as in the HTTP header `Retry-After`.
    pub retry_after: Option<u32>,
    /// Whether a new session has to be created first.
    pub recreate_session: bool,
    /// Why the session ended.
    pub reason: Option<EndReason>,
    /// When the session ended.
    pub time: Option<DateTime<Utc>>,
    /// What happened, for people.
    pub message: String,
    /// The place in the perform document, if it is there that something is wrong.
    pub location: Option<Position>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// Nobody was joined to it for as long as its idle time-out.
    Idle,
    /// It reached the end of its lifetime.
    Lifetime,
    /// A client ended it.
    Terminated,
    /// An operator ended it.
    Killed,
    /// The server that held it is gone.
    OwnerLost,
    /// The server was shut down.
    Drained,
}

const REASONS: [(&str, EndReason); 6] = [
    ("idle", EndReason::Idle),
    ("lifetime", EndReason::Lifetime),
    ("terminated", EndReason::Terminated),
    ("killed", EndReason::Killed),
    ("ownerLost", EndReason::OwnerLost),
    ("drained", EndReason::Drained),
];

impl EndReason {
    /// The word that stands for it in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Lifetime => "lifetime",
            Self::Terminated => "terminated",
            Self::Killed => "killed",
            Self::OwnerLost => "ownerLost",
            Self::Drained => "drained",
        }
    }
}

impl Fault {
    /// A fault that can't be helped by trying again, with nothing but what every fault has.
    #[must_use]
    pub fn new(code: &str, status: u16, request_id: &str, message: &str) -> Self {
        Self {
            code: code.into(),
            status,
            request_id: request_id.into(),
            retryable: false,
            retry_after: None,
            recreate_session: false,
            reason: None,
            time: None,
            message: message.into(),
            location: None,
        }
    }

    /// Reads a fault document.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        xml::read(bytes, limits)
    }

    /// Writes the fault document. A character that XML has no way to write becomes U+FFFD, because an answer is due in any
    /// case.
    #[must_use]
    pub fn to_xml(&self) -> String {
        xml::write(self)
    }

    /// Reads the same from `application/problem+json`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] where the JSON is none, or not a fault.
    pub fn parse_json(bytes: &[u8]) -> Result<Self, DocumentError> {
        json::read(bytes)
    }

    /// Writes the same as `application/problem+json` (RFC 9457), with the members of the fault document as extensions.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::time;

    fn ended() -> Fault {
        Fault {
            recreate_session: true,
            reason: Some(EndReason::OwnerLost),
            time: time::parse("2026-11-21T21:40:00.5Z"),
            location: Some(Position { line: 4, column: 3 }),
            ..Fault::new("SessionEnded", 410, "0193", "gone: <x> & \"y\"\n\0")
        }
    }

    #[test]
    fn a_fault_is_written_as_the_documentation_has_it() {
        assert_eq!(
            ended().to_xml(),
            "<fault xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\" code=\"SessionEnded\" status=\"410\" \
             requestId=\"0193\" retryable=\"false\" recreateSession=\"true\" reason=\"ownerLost\" \
             time=\"2026-11-21T21:40:00.500Z\"><message>gone: &lt;x&gt; &amp; \"y\"\n\u{FFFD}</message>\
             <location line=\"4\" column=\"3\"/></fault>\n"
        );
        let read = Fault::parse(ended().to_xml().as_bytes(), &Limits::default()).unwrap();
        assert_eq!(read, Fault { message: "gone: <x> & \"y\"\n\u{FFFD}".into(), ..ended() });
    }

    #[test]
    fn as_json_it_is_a_problem_of_rfc_9457() {
        let json: serde_json::Value = serde_json::from_str(&ended().to_json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "http://ogsadai.org.uk/namespaces/2005/10/types#SessionEnded",
                "title": "Session ended",
                "status": 410,
                "detail": "gone: <x> & \"y\"\n\0",
                "code": "SessionEnded",
                "requestId": "0193",
                "retryable": false,
                "recreateSession": true,
                "reason": "ownerLost",
                "time": "2026-11-21T21:40:00.500Z",
                "location": {"line": 4, "column": 3},
            })
        );
        assert_eq!(Fault::parse_json(ended().to_json().as_bytes()), Ok(ended()));
    }

    #[test]
    fn json_that_is_no_fault_is_refused_where_it_is_wrong() {
        let error = Fault::parse_json(b"{\n  \"status\": true}").unwrap_err();
        assert_eq!(error.position().line, 2, "{error}");
        assert!(Fault::parse_json(ended().to_json().replace("ownerLost", "bored").as_bytes()).is_err());
        assert!(Fault::parse_json(ended().to_json().replace(".500Z", "").as_bytes()).is_err());
    }
}
