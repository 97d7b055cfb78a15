//! Results to a response document, as they come.

use bytes::{BufMut, Bytes, BytesMut};

use super::data::{Base64, Sections};
use super::{GrantedTimeout, ResponseError, ResponseSession, Status};
use crate::document::escape::{Place, escape};
use crate::document::writer::XmlWriter;
use crate::document::{TYPES_NAMESPACE, Unwritable, duration, time};

/// Writes a response document into memory that the caller drains with [`ResponseWriter::take`] whenever it likes.
///
/// Text goes in as CDATA, bytes as base64; a block is copied once. XML hands `\r\n` and `\r` on as `\n`, so text with such
/// line ends arrives with `\n`, as with OGSA-DAI; who needs every byte asks for the raw end-point.
///
/// ```
/// use rejoin::document::{ResponseSession, ResponseWriter, Status};
///
/// let mut writer = ResponseWriter::new("0193");
/// writer.session(&ResponseSession {
///     id: Some("q0Zk".into()),
///     created: false,
///     timeout: None,
///     idle_expires: None,
///     lifetime_expires: None,
/// });
/// writer.begin_text("table", Status::Completed, "text/csv");
/// writer.text("id,name\n")?;
/// writer.end_result();
/// writer.request(Status::Completed, None);
/// assert!(writer.take().ends_with(b"]]></result>\n  <request status=\"COMPLETED\"/>\n</response>\n"));
/// # Ok::<(), rejoin::document::Unwritable>(())
/// ```
#[derive(Debug, Clone)]
pub struct ResponseWriter {
    out: BytesMut,
    data: Data,
}

/// The result that is open.
#[derive(Debug, Clone)]
enum Data {
    None,
    Text(Sections),
    Bytes(Base64),
}

impl ResponseWriter {
    /// Begins the document.
    #[must_use]
    pub fn new(request_id: &str) -> Self {
        let mut writer = Self { out: BytesMut::with_capacity(1024), data: Data::None };
        writer.out.put_slice(b"<response");
        writer.attribute("xmlns", TYPES_NAMESPACE);
        writer.attribute("requestId", request_id);
        writer.out.put_slice(b">\n");
        writer
    }

    /// The session that the request was joined to. It comes first.
    pub fn session(&mut self, session: &ResponseSession) {
        self.out.put_slice(b"  <session");
        if let Some(id) = &session.id {
            self.attribute("id", id);
        }
        self.attribute("created", if session.created { "true" } else { "false" });
        match session.timeout {
            Some(GrantedTimeout::After(timeout)) => self.attribute("timeout", &duration::write(timeout)),
            Some(GrantedTimeout::Unbounded) => self.attribute("timeout", "unbounded"),
            None => {}
        }
        for (name, moment) in [("idleExpires", &session.idle_expires), ("lifetimeExpires", &session.lifetime_expires)] {
            if let Some(moment) = moment {
                self.attribute(name, &time::write(moment));
            }
        }
        self.out.put_slice(b"/>\n");
    }

    /// The result of an activity, or of an end-point that has no data.
    pub fn result(&mut self, name: &str, status: Status) {
        self.begin(name, status);
        self.out.put_slice(b"/>\n");
    }

    /// The result of an activity that failed.
    pub fn failed_result(&mut self, name: &str, status: Status, error: &ResponseError) {
        self.begin(name, status);
        self.out.put_slice(b">");
        self.error(error);
        self.out.put_slice(b"</result>\n");
    }

    /// Begins the result of an end-point of text. While it isn't known whether it comes to its end, its status is
    /// [`Status::Processing`].
    pub fn begin_text(&mut self, name: &str, status: Status, content_type: &str) {
        self.begin(name, status);
        self.attribute("contentType", content_type);
        self.out.put_slice(b">");
        self.data = Data::Text(Sections::default());
    }

    /// Begins the result of an end-point of bytes, likewise.
    pub fn begin_bytes(&mut self, name: &str, status: Status, content_type: &str) {
        self.begin(name, status);
        self.attribute("contentType", content_type);
        self.attribute("encoding", "base64");
        self.out.put_slice(b">");
        self.data = Data::Bytes(Base64::default());
    }

    /// Data of the result that was begun with [`ResponseWriter::begin_text`].
    ///
    /// # Errors
    ///
    /// [`Unwritable::Character`] when XML has no way to write it; [`Unwritable::OutOfPlace`] when no result of text is open.
    /// Nothing of the block is written then.
    pub fn text(&mut self, text: &str) -> Result<(), Unwritable> {
        match &mut self.data {
            Data::Text(sections) => sections.text(text, &mut self.out),
            Data::None | Data::Bytes(_) => Err(Unwritable::OutOfPlace),
        }
    }

    /// Data of the result that was begun with [`ResponseWriter::begin_bytes`].
    ///
    /// # Errors
    ///
    /// [`Unwritable::OutOfPlace`] when no result of bytes is open.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        match &mut self.data {
            Data::Bytes(base64) => {
                base64.bytes(bytes, &mut self.out);
                Ok(())
            }
            Data::None | Data::Text(_) => Err(Unwritable::OutOfPlace),
        }
    }

    /// Ends the result that is open, if one is.
    pub fn end_result(&mut self) {
        if self.end_data() {
            self.out.put_slice(b"</result>\n");
        }
    }

    /// Ends the result that is open because its stream broke: the error stands behind what came through.
    pub fn break_result(&mut self, error: &ResponseError) {
        if self.end_data() {
            self.error(error);
            self.out.put_slice(b"</result>\n");
        }
    }

    /// The status of the request, and why it failed. It ends the document.
    pub fn request(&mut self, status: Status, error: Option<&ResponseError>) {
        self.end(status, error, true);
    }

    /// The same in an answer that is told again without its results, because they were too large to be kept.
    pub fn request_without_results(&mut self, status: Status, error: Option<&ResponseError>) {
        self.end(status, error, false);
    }

    fn end(&mut self, status: Status, error: Option<&ResponseError>, results_kept: bool) {
        self.end_result();
        self.out.put_slice(b"  <request");
        self.attribute("status", status.as_str());
        if !results_kept {
            self.attribute("resultsKept", "false");
        }
        match error {
            None => self.out.put_slice(b"/>\n"),
            Some(error) => {
                self.out.put_slice(b">");
                self.error(error);
                self.out.put_slice(b"</request>\n");
            }
        }
        self.out.put_slice(b"</response>\n");
    }

    /// How many bytes wait to be taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether no bytes wait to be taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Takes what was written so far. It is not copied.
    #[must_use]
    pub fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    fn begin(&mut self, name: &str, status: Status) {
        self.end_result();
        self.out.put_slice(b"  <result");
        self.attribute("name", name);
        self.attribute("status", status.as_str());
    }

    /// Ends the data of the result that is open; answers whether one was.
    fn end_data(&mut self) -> bool {
        match std::mem::replace(&mut self.data, Data::None) {
            Data::None => return false,
            Data::Text(mut sections) => sections.end(&mut self.out),
            Data::Bytes(mut base64) => base64.end(&mut self.out),
        }
        true
    }

    /// An attribute. What XML can't hold becomes U+FFFD, because an answer is due in any case.
    fn attribute(&mut self, name: &str, value: &str) {
        self.out.put_slice(b" ");
        self.out.put_slice(name.as_bytes());
        self.out.put_slice(b"=\"");
        escape(value, Place::Attribute, |piece| self.out.put_slice(piece.as_bytes()));
        self.out.put_slice(b"\"");
    }

    fn error(&mut self, error: &ResponseError) {
        let mut writer = XmlWriter::inside(TYPES_NAMESPACE);
        writer.element(&error.to_element());
        self.out.put_slice(writer.finish_lossy().trim_end().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{ErrorKind, Position};

    #[test]
    fn the_document_is_the_one_of_the_documentation() {
        let mut writer = ResponseWriter::new("0193");
        writer.session(&ResponseSession {
            id: Some("q\"0".into()),
            created: true,
            timeout: Some(GrantedTimeout::After(std::time::Duration::from_mins(10))),
            idle_expires: time::parse("2026-11-21T21:40:00Z"),
            lifetime_expires: None,
        });
        writer.result("find", Status::Completed);
        let error = ResponseError {
            code: "SqlError".into(),
            kind: ErrorKind::Client,
            message: "no such table: <x>\0".into(),
            location: Some(Position { line: 4, column: 3 }),
        };
        writer.failed_result("format", Status::Error, &error);
        writer.begin_text("table", Status::Processing, "application/xml");
        writer.text("<a>").unwrap();
        assert_eq!(writer.text("\u{8}"), Err(Unwritable::Character('\u{8}')));
        assert_eq!(writer.bytes(b"x"), Err(Unwritable::OutOfPlace));
        let first = writer.take();
        assert!(writer.is_empty());
        writer.break_result(&error);
        writer.begin_bytes("raw", Status::Completed, "image/png");
        writer.bytes(b"\x89P").unwrap();
        writer.request(Status::Error, None);
        let document = [first, writer.take()].concat();
        let error = "<error code=\"SqlError\" kind=\"client\"><message>no such table: &lt;x&gt;\u{FFFD}</message>\
                     <location line=\"4\" column=\"3\"/></error>";
        assert_eq!(
            String::from_utf8(document).unwrap(),
            format!(
                "<response xmlns=\"{TYPES_NAMESPACE}\" requestId=\"0193\">\n  <session id=\"q&quot;0\" created=\"true\" \
                 timeout=\"600000\" idleExpires=\"2026-11-21T21:40:00.000Z\"/>\n  <result name=\"find\" status=\"COMPLETED\"/>\n  \
                 <result name=\"format\" status=\"ERROR\">{error}</result>\n  \
                 <result name=\"table\" status=\"PROCESSING\" contentType=\"application/xml\"><![CDATA[<a>]]>{error}</result>\n  \
                 <result name=\"raw\" status=\"COMPLETED\" contentType=\"image/png\" encoding=\"base64\"><![CDATA[iVA=]]></result>\n  \
                 <request status=\"ERROR\"/>\n</response>\n"
            )
        );
    }
}
