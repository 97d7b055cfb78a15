//! The session documents: how a session stands, a list of them, and the answer to ending some.
//!
//! None of them has the id of a session: that gives access. A session goes by its handle here.

mod ended;
mod list;
mod reader;
mod writer;

use chrono::{DateTime, Utc};

use super::writer::XmlWriter;
use super::{DocumentError, Element, GrantedTimeout, Limits, ResponseError, Status, TYPES_NAMESPACE, root};

pub use ended::EndedSessions;
pub use list::SessionList;

/// The name of the root.
const ROOT: &str = "sessionStatus";

/// How a session stands, as its owner and operators see it: `<sessionStatus handle state …>`.
///
/// ```
/// use rejoin::document::{Limits, SessionState, SessionStatusDocument};
///
/// let document = r#"<sessionStatus xmlns="http://ogsadai.org.uk/namespaces/2005/10/types" handle="0193" state="BUSY"
///     implicit="false" created="2026-11-21T21:30:00.000Z" fence="7" waiters="2" readers="0">
///   <attributes count="1" bytes="13"><attribute name="visits" type="integer" bytes="14"/></attributes>
///   <request id="0194" since="2026-11-21T21:31:00.000Z"/>
/// </sessionStatus>"#;
/// let status = SessionStatusDocument::parse(document.as_bytes(), &Limits::default())?;
/// assert_eq!((status.state, status.waiters, &*status.attributes.list[0].name), (SessionState::Busy, 2, "visits"));
/// assert_eq!(SessionStatusDocument::parse(status.to_xml().as_bytes(), &Limits::default())?, status);
/// # Ok::<(), rejoin::document::DocumentError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionStatusDocument {
    /// The name for logs, lists and URLs.
    pub handle: String,
    /// What the session is doing.
    pub state: SessionState,
    /// Whether it ends with the request that created it.
    pub implicit: bool,
    /// The stable id of the principal that it belongs to; `None` is whoever did not say who he is.
    pub owner: Option<String>,
    /// What its owner calls it: the session attribute `label`.
    pub label: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When a request last released it; `None` while one is joined.
    pub released: Option<DateTime<Utc>>,
    /// The idle time-out that was granted; an implicit session has none.
    pub timeout: Option<GrantedTimeout>,
    /// When it will end if nobody joins it again; `None` while somebody is joined, and if it won't.
    pub idle_expires: Option<DateTime<Utc>>,
    /// When it will end however busy it is; `None` if it won't.
    pub lifetime_expires: Option<DateTime<Utc>>,
    /// Rises with every exclusive join.
    pub fence: u64,
    /// How many requests wait for it.
    pub waiters: u64,
    /// How many requests have joined it with read access.
    pub readers: u64,
    /// What it remembers, as last released.
    pub attributes: AttributesStatus,
    /// Its streams; empty in a list of sessions.
    pub streams: Vec<StreamDescription>,
    /// The request that holds it, and the last that was answered before it was complete; once, if that is the same.
    pub requests: Vec<RequestStatus>,
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// No request holds it.
    Available,
    /// A request holds it.
    Busy,
    /// It was ended while a request held it, and waits for that to stop.
    Closing,
}

impl SessionState {
    /// All states, with the words that stand for them in a document.
    pub const NAMES: [(&'static str, Self); 3] =
        [("AVAILABLE", Self::Available), ("BUSY", Self::Busy), ("CLOSING", Self::Closing)];

    /// The word that stands for it in a document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Busy => "BUSY",
            Self::Closing => "CLOSING",
        }
    }
}

/// The attributes of a session: `<attributes count bytes>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributesStatus {
    /// How many there are, static ones included.
    pub count: u64,
    /// The bytes of all names and values, static ones not included.
    pub bytes: u64,
    /// Each of them; empty in a list of sessions.
    pub list: Vec<AttributeStatus>,
}

/// An attribute of a session, without its value: `<attribute name type bytes static>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeStatus {
    /// Its name.
    pub name: String,
    /// The name of its type, such as `text` or `rows`.
    pub type_name: String,
    /// The bytes of its name and value; a static one takes none of the session's.
    pub bytes: Option<u64>,
    /// Whether it comes from the configuration.
    pub is_static: bool,
}

/// A stream of a session: `<stream name direction state contentType>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamDescription {
    /// Its name.
    pub name: String,
    /// Which way it goes.
    pub direction: StreamDirection,
    /// How it stands.
    pub state: StreamState,
    /// The media type of an output, as far as it is known before its first block.
    pub content_type: Option<String>,
}

/// Which way a session stream goes, seen from the request that opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamDirection {
    /// Into the request: a client writes it.
    Input,
    /// Out of the request: a client reads it.
    Output,
}

impl StreamDirection {
    /// All directions, with the words that stand for them in a document.
    pub const NAMES: [(&'static str, Self); 2] = [("input", Self::Input), ("output", Self::Output)];

    /// The word that stands for it in a document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// How a session stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamState {
    /// Nobody uses it.
    Available,
    /// A client reads or writes it.
    Busy,
    /// The request that wrote it has failed: what is there can be read, then it breaks off.
    Broken,
}

impl StreamState {
    /// All states, with the words that stand for them in a document.
    pub const NAMES: [(&'static str, Self); 3] =
        [("AVAILABLE", Self::Available), ("BUSY", Self::Busy), ("BROKEN", Self::Broken)];

    /// The word that stands for it in a document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Busy => "BUSY",
            Self::Broken => "BROKEN",
        }
    }
}

/// A request in a session: `<request id since status started ended>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStatus {
    /// Its id, as in its response and in the log.
    pub id: String,
    /// Since when it has held the session; `None` when it does not, or not any more.
    pub since: Option<DateTime<Utc>>,
    /// How far it has got; `None` of one whose client waits for the answer.
    pub progress: Option<ProgressStatus>,
}

/// How far a request has got that was answered before it was complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressStatus {
    /// [`Status::Processing`] until it is over.
    pub status: Status,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it was over.
    pub ended: Option<DateTime<Utc>>,
    /// Its activities in the order of the perform document, each with how far it has got.
    pub results: Vec<(String, Status)>,
    /// Why it failed.
    pub error: Option<ResponseError>,
}

impl SessionStatusDocument {
    /// Reads a session status document.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let element = Element::parse(bytes, limits)?;
        root::check(&element, ROOT, TYPES_NAMESPACE)?;
        reader::read(&element)
    }

    /// Writes the document. A character that XML has no way to write becomes U+FFFD, because an answer is due in any case.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new();
        writer.root(ROOT, TYPES_NAMESPACE);
        writer::content(&mut writer, self);
        writer.end();
        writer.finish_lossy()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::document::{ErrorKind, time};

    pub(super) fn busy() -> SessionStatusDocument {
        let attribute = |name: &str, type_name: &str, bytes: Option<u64>| AttributeStatus {
            name: name.into(),
            type_name: type_name.into(),
            bytes,
            is_static: bytes.is_none(),
        };
        SessionStatusDocument {
            handle: "0193".into(),
            state: SessionState::Busy,
            implicit: false,
            owner: Some("u-17".into()),
            label: Some("a \"<label>\"\n".into()),
            created: time::parse("2026-11-21T21:30:00Z").unwrap(),
            released: None,
            timeout: Some(GrantedTimeout::After(Duration::from_mins(10))),
            idle_expires: None,
            lifetime_expires: time::parse("2026-11-22T09:30:00Z"),
            fence: 7,
            waiters: 2,
            readers: 1,
            attributes: AttributesStatus {
                count: 2,
                bytes: 100,
                list: vec![attribute("cart", "rows", Some(100)), attribute("greeting", "text", None)],
            },
            streams: vec![StreamDescription {
                name: "tap".into(),
                direction: StreamDirection::Output,
                state: StreamState::Busy,
                content_type: Some("text/csv".into()),
            }],
            requests: vec![
                RequestStatus { id: "0194".into(), since: time::parse("2026-11-21T21:31:00Z"), progress: None },
                RequestStatus { id: "0192".into(), since: None, progress: Some(failed()) },
            ],
        }
    }

    fn failed() -> ProgressStatus {
        ProgressStatus {
            status: Status::Error,
            started: time::parse("2026-11-21T21:29:00Z").unwrap(),
            ended: time::parse("2026-11-21T21:29:01Z"),
            results: vec![("find".into(), Status::Error), ("format".into(), Status::Unstarted)],
            error: Some(ResponseError {
                code: "SqlError".into(),
                kind: ErrorKind::Client,
                message: "no such table".into(),
                location: None,
            }),
        }
    }

    pub(super) fn idle() -> SessionStatusDocument {
        SessionStatusDocument {
            state: SessionState::Available,
            owner: None,
            label: None,
            released: time::parse("2026-11-21T21:32:00Z"),
            timeout: Some(GrantedTimeout::Unbounded),
            lifetime_expires: None,
            attributes: AttributesStatus { count: 2, bytes: 100, list: Vec::new() },
            streams: Vec::new(),
            requests: Vec::new(),
            ..busy()
        }
    }

    #[test]
    fn a_status_is_written_as_the_documentation_has_it() {
        assert_eq!(
            busy().to_xml(),
            "<sessionStatus xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\" handle=\"0193\" state=\"BUSY\" \
             implicit=\"false\" owner=\"u-17\" label=\"a &quot;&lt;label&gt;&quot;&#10;\" \
             created=\"2026-11-21T21:30:00.000Z\" timeout=\"600000\" lifetimeExpires=\"2026-11-22T09:30:00.000Z\" \
             fence=\"7\" waiters=\"2\" readers=\"1\">\n  \
             <attributes count=\"2\" bytes=\"100\">\n    \
             <attribute name=\"cart\" type=\"rows\" bytes=\"100\"/>\n    \
             <attribute name=\"greeting\" type=\"text\" static=\"true\"/>\n  \
             </attributes>\n  \
             <stream name=\"tap\" direction=\"output\" state=\"BUSY\" contentType=\"text/csv\"/>\n  \
             <request id=\"0194\" since=\"2026-11-21T21:31:00.000Z\"/>\n  \
             <request id=\"0192\" status=\"ERROR\" started=\"2026-11-21T21:29:00.000Z\" \
             ended=\"2026-11-21T21:29:01.000Z\">\n    \
             <result name=\"find\" status=\"ERROR\"/>\n    \
             <result name=\"format\" status=\"UNSTARTED\"/>\n    \
             <error code=\"SqlError\" kind=\"client\"><message>no such table</message></error>\n  \
             </request>\n\
             </sessionStatus>\n"
        );
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        for status in [busy(), idle()] {
            assert_eq!(SessionStatusDocument::parse(status.to_xml().as_bytes(), &Limits::default()), Ok(status));
        }
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_stands() {
        let written = idle().to_xml();
        let refused = |from: &str, to: &str| {
            let document = written.replacen(from, to, 1);
            SessionStatusDocument::parse(document.as_bytes(), &Limits::default()).unwrap_err().to_string()
        };
        assert!(refused("AVAILABLE", "AVAILABL").contains("did you mean `AVAILABLE`?"));
        assert!(refused(" waiters=\"2\"", "").contains("needs the attribute `waiters`"));
        assert!(refused("timeout=\"unbounded\"", "timeout=\"0\"").starts_with("1:"));
        assert!(refused("<attributes", "<id/><attributes").contains("unexpected element `id`"));
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let status = SessionStatusDocument { label: Some("a\u{1b}[31m".into()), ..idle() };
        let read = SessionStatusDocument::parse(status.to_xml().as_bytes(), &Limits::default()).unwrap();
        assert_eq!(read.label.as_deref(), Some("a\u{FFFD}[31m"));
    }
}
