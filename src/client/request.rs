//! A request: a pipeline of activities.

use bytes::Bytes;

use super::{Error, SessionRequirement};
use crate::document::{ActivityElement, PerformDocument, Step};

/// What is to be performed: activities, built here, or a perform document that was written by hand.
///
/// ```
/// use rejoin::client::Request;
///
/// let request = Request::document(
///     r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
///          <echo name="say"><text>hello</text><output name="said"/></echo>
///        </perform>"#,
/// )?;
/// # Ok::<(), rejoin::client::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a request does nothing before it is performed"]
pub struct Request {
    content: Content,
    session: Option<SessionRequirement>,
    key: Option<String>,
}

/// What a request consists of.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Steps that are written when it is sent.
    Steps(Vec<Step>),
    /// A document that is sent as it is, so that places in errors are those of the text.
    Text { text: Bytes, document: Box<PerformDocument> },
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}

impl Request {
    /// A request without activities: it creates a session, keeps one alive or ends one.
    pub fn new() -> Self {
        Self { content: Content::Steps(Vec::new()), session: None, key: None }
    }

    /// A perform document that was written by hand. It is sent as it is: lines and columns in errors are those of the text.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] with the place, when it is none.
    pub fn document(text: impl Into<String>) -> Result<Self, Error> {
        let text: Bytes = text.into().into();
        let document = Box::new(PerformDocument::parse(&text)?);
        Ok(Self { content: Content::Text { text, document }, session: None, key: None })
    }

    /// The request with a step more. Without a [`sequence`](Self::sequence) steps run side by side.
    ///
    /// A document that was written by hand has its steps already: it becomes one that is built here.
    ///
    /// ```
    /// use rejoin::client::Request;
    /// use rejoin::document::{ActivityElement, Element, TYPES_NAMESPACE};
    ///
    /// let text = Element::new("text", Some(TYPES_NAMESPACE)).with_text("hello");
    /// let request = Request::new().step(ActivityElement::new("echo", "say").with_child(text));
    /// ```
    pub fn step(mut self, activity: ActivityElement) -> Self {
        self.steps().push(Step::Activity(activity));
        self
    }

    /// The request with steps that run one after the other.
    ///
    /// ```
    /// use rejoin::client::Request;
    /// # use rejoin::document::ActivityElement;
    /// # let (make, fill) = (ActivityElement::new("a", "a"), ActivityElement::new("b", "b"));
    ///
    /// let request = Request::new().sequence(Request::new().step(make).step(fill));
    /// ```
    pub fn sequence(mut self, steps: Self) -> Self {
        let steps = steps.into_steps();
        self.steps().push(Step::Sequence(steps));
        self
    }

    /// The request with steps that run side by side, within a [`sequence`](Self::sequence).
    pub fn flow(mut self, steps: Self) -> Self {
        let steps = steps.into_steps();
        self.steps().push(Step::Flow(steps));
        self
    }

    /// Says which session the request joins. A document that was written by hand says that itself, but for a plain
    /// [`join`](SessionRequirement::join).
    pub fn session(mut self, requirement: SessionRequirement) -> Self {
        self.session = Some(requirement);
        self
    }

    /// Gives the request a key of the caller's. The toolkit makes one for each request that may change something; one's own is
    /// for a program that may be stopped and go on later: it keeps the key before it sends the request, and sends it again with
    /// it. A key is a secret, and has at least 16 characters.
    ///
    /// ```
    /// # use rejoin::client::Request;
    /// let request = Request::new().key("8e03978e-40d5-43e8-bc93-6894a57f9324");
    /// ```
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn requirement(&self) -> Option<&SessionRequirement> {
        self.session.as_ref()
    }

    pub(super) fn chosen_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn steps(&mut self) -> &mut Vec<Step> {
        if let Content::Text { document, .. } = &mut self.content {
            self.content = Content::Steps(std::mem::take(&mut document.steps));
        }
        match &mut self.content {
            Content::Steps(steps) => steps,
            Content::Text { document, .. } => &mut document.steps,
        }
    }

    fn into_steps(mut self) -> Vec<Step> {
        std::mem::take(self.steps())
    }
}
