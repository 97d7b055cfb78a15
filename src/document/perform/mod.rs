//! The perform document: the session that a request joins and the pipeline that it runs.

mod reader;
mod session;
mod writer;

use super::reader::read_bytes;
use super::{DocumentError, Element, Limits, Unwritable};

pub(super) use session::read_session_id;
pub use session::{SessionElement, SessionMode, TimeoutWish};

/// The namespace of perform, response and fault documents.
pub const TYPES_NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/types";

/// A request: what a client posts.
///
/// What an activity's element means is known to the activity alone, so its content is kept as it was written, every node
/// with its position. Checked here: the structure of the document, the session element, and that activity names are
/// there and unique.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PerformDocument {
    /// The text of the `documentation` elements.
    pub documentation: Vec<String>,
    /// The session requirement, if the document states one.
    pub session: Option<SessionElement>,
    /// The activities and the groups that order them.
    pub steps: Vec<Step>,
}

/// A child of a perform document, of a `sequence` or of a `flow`.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// One activity.
    Activity(WrittenActivity),
    /// `sequence`: one after the other.
    Sequence(Vec<Step>),
    /// `flow`: side by side.
    Flow(Vec<Step>),
}

/// An activity as it was written: the element's name says which, the attribute `name` names the instance.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenActivity {
    /// The name of this instance, unique in the document.
    pub name: Box<str>,
    /// The whole element.
    pub element: Element,
}

impl WrittenActivity {
    /// Makes an activity of that kind with that name and nothing else: what a client fills in.
    ///
    /// ```
    /// use rejoin::document::{WrittenActivity, Element, PerformDocument, Step, TYPES_NAMESPACE};
    ///
    /// let text = Element::new("text", Some(TYPES_NAMESPACE)).with_text("hello");
    /// let echo = WrittenActivity::new("echo", "say").with_child(text);
    /// let document = PerformDocument { steps: vec![Step::Activity(echo)], ..PerformDocument::default() };
    /// assert_eq!(PerformDocument::parse(document.to_xml()?.as_bytes())?, document);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(activity: &str, name: &str) -> Self {
        let element = Element::new(activity, Some(TYPES_NAMESPACE)).with_attribute("name", name);
        Self { name: name.into(), element }
    }

    /// The activity with an attribute more.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.element = self.element.with_attribute(name, value);
        self
    }

    /// The activity with a child more, behind those it has.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Self {
        self.element = self.element.with_child(child);
        self
    }
}

impl PerformDocument {
    /// Reads a perform document within the default limits: UTF-8, or UTF-16 that says so.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    ///
    /// ```
    /// use rejoin::document::{PerformDocument, SessionMode};
    ///
    /// let document = PerformDocument::parse(
    ///     br#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types"><session mode="create"/></perform>"#,
    /// )?;
    /// assert_eq!(document.session.and_then(|session| session.mode), Some(SessionMode::Create));
    /// # Ok::<(), rejoin::document::DocumentError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        Self::parse_with(bytes, &Limits::default(), None)
    }

    /// Reads a perform document as it comes over HTTP. `charset` is the parameter of the media type, if there is one.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse_with(bytes: &[u8], limits: &Limits, charset: Option<&str>) -> Result<Self, DocumentError> {
        read_bytes(bytes, limits, charset, |reader| reader::PerformReader::new(reader).read())
    }

    /// Writes the document: what a client posts.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] when a text or an attribute holds a character that XML has no way to write, or a name is none.
    pub fn to_xml(&self) -> Result<String, Unwritable> {
        writer::write(&self.documentation, self.session.as_ref(), &self.steps)
    }

    /// Writes the document of these parts, as [`to_xml`](Self::to_xml).
    #[cfg(feature = "client")]
    pub(crate) fn xml_of(session: Option<&SessionElement>, steps: &[Step]) -> Result<String, Unwritable> {
        writer::write(&[], session, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Problem;

    fn perform(content: &str) -> Result<PerformDocument, DocumentError> {
        PerformDocument::parse(format!("<perform xmlns=\"{TYPES_NAMESPACE}\">{content}</perform>").as_bytes())
    }

    const OPENING: usize = "<perform xmlns=\"\">".len() + TYPES_NAMESPACE.len();

    #[track_caller]
    fn refused(content: &str, offset: usize, problem: Problem) -> DocumentError {
        let error = perform(content).expect_err(content);
        assert_eq!((error.problem(), error.position().column as usize), (problem, OPENING + offset + 1), "{error}");
        error
    }

    #[test]
    fn a_document_is_read_with_its_groups() {
        let document = perform(
            "<documentation>one</documentation><documentation/>\n<session id=' q0Zk ' wait='2000'/>
             <sequence><echo name='a'><text>x</text></echo><flow><echo name='b'/><sequence/></flow></sequence>",
        )
        .unwrap();
        assert_eq!(document.documentation, ["one", ""]);
        assert_eq!(document.session.as_ref().unwrap().id.as_deref(), Some("q0Zk"));
        let [Step::Sequence(steps)] = &document.steps[..] else { panic!("{document:?}") };
        let [Step::Activity(first), Step::Flow(flow)] = &steps[..] else { panic!("{document:?}") };
        assert_eq!((&*first.name, first.element.local_name()), ("a", "echo"));
        assert!(matches!(&flow[..], [Step::Activity(_), Step::Sequence(none)] if none.is_empty()));
    }

    #[test]
    fn a_document_that_was_written_reads_the_same() {
        let document = perform(
            "<documentation>a &lt; b &amp; \r\n c&#13;</documentation><session mode='joinOrCreate' id='x' timeout='unbounded'/>
             <sqlQueryStatement name='q' xmlns:p='urn:p' p:x='1&#10;2'><expression> SELECT '&lt;'<![CDATA[&]]></expression>
             </sqlQueryStatement><flow/><set name='s'><p:v xmlns:p='urn:v' xmlns=''>m<i/></p:v></set>",
        )
        .unwrap();
        let written = document.to_xml().unwrap();
        let again = PerformDocument::parse(written.as_bytes()).unwrap();
        assert_eq!(again, document, "{written}");
        assert_eq!(again.to_xml().unwrap(), written);
    }

    #[test]
    fn what_is_no_perform_document_is_refused() {
        for (document, at) in [
            ("<perform/>", "1:1"),
            ("<perfrom xmlns='http://ogsadai.org.uk/namespaces/2005/10/types'/>", "1:1"),
            ("<p:perform xmlns:p='urn:x'/>", "1:1"),
        ] {
            let error = PerformDocument::parse(document.as_bytes()).unwrap_err();
            assert_eq!((error.problem(), error.position().to_string().as_str()), (Problem::Invalid, at));
        }
    }

    #[test]
    fn order_names_and_text_are_checked() {
        refused("<session/><documentation/>", 10, Problem::Invalid);
        refused("<session/><session/>", 10, Problem::Invalid);
        refused("<echo name='a'/><session/>", 16, Problem::Invalid);
        refused("<flow><session/></flow>", 6, Problem::Invalid);
        refused("<echo/>", 0, Problem::Invalid);
        refused("<echo name='1'/>", 6, Problem::Invalid);
        refused("<echo name='a'/><echo name=' a '/>", 22, Problem::Invalid);
        refused("<flow><echo name='a'/></flow><echo name='a'/>", 35, Problem::Invalid);
        refused(" text", 0, Problem::Invalid);
        refused("<flow>text</flow>", 6, Problem::Invalid);
        refused("<echo xmlns='' name='a'/>", 0, Problem::Invalid);
        refused("<flow name='a'/>", 6, Problem::Invalid);
        refused("<documentation x=''/>", 15, Problem::Invalid);
        refused("<documentation><b/></documentation>", 15, Problem::Invalid);
        let error = refused("<sesion id='x'/>", 0, Problem::Invalid);
        assert!(error.message().contains("did you mean `session`?"), "{error}");
    }

    #[test]
    fn the_deepest_document_is_handled_on_a_small_stack() {
        let levels = Limits::MOST_DEPTH as usize - 1;
        let limits = Limits { depth: Limits::MOST_DEPTH, ..Limits::default() };
        let groups = format!("{}{}", "<flow>".repeat(levels), "</flow>".repeat(levels));
        let elements = format!("<a name='a'>{}{}</a>", "<b>".repeat(levels - 1), "</b>".repeat(levels - 1));
        for content in [groups, elements] {
            let document = format!("<perform xmlns='{TYPES_NAMESPACE}'>{content}</perform>");
            let limits = limits.clone();
            let handle = move || {
                let document = PerformDocument::parse_with(document.as_bytes(), &limits, None).unwrap();
                let written = document.clone().to_xml().unwrap();
                let again = PerformDocument::parse_with(written.as_bytes(), &limits, None).unwrap();
                assert!(again == document);
            };
            // The size that a worker thread has.
            std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(handle).unwrap().join().unwrap();
        }
    }

    #[test]
    fn names_inside_of_an_activity_are_its_own() {
        assert!(perform("<a name='x'><b name='x'/></a><c name='b'/>").is_ok());
    }
}
