//! A request: a pipeline of activities.

use std::fmt;

use bytes::Bytes;

use super::{Error, SessionRequirement};
use crate::document::activities::ActivityElement;
use crate::document::{PerformDocument, Step, WrittenActivity};

/// What is to be performed: activities, built here, or a perform document that was written by hand.
///
/// ```
/// use rejoin::client::Request;
/// use rejoin::document::activities::{SqlQueryStatement, SqlResultsToCsv};
///
/// let mut request = Request::new();
/// let rows = request.add(SqlQueryStatement::new("SELECT name FROM customer WHERE town = ?").parameter("Oban"));
/// let csv = request.add(SqlResultsToCsv::of(rows).header(true));
/// # async fn example(service: rejoin::client::DataService, request: Request, csv: rejoin::document::activities::ToStream<rejoin::document::activities::stream::Text>) -> Result<(), rejoin::client::Error> {
/// println!("{}", service.perform(&request).await?.text(&csv)?);
/// # Ok(())
/// # }
///
/// let by_hand = Request::document(
///     r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
///          <echo name="say"><text>hello</text><output name="said"/></echo>
///        </perform>"#,
/// )?;
/// # Ok::<(), rejoin::client::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing before it is performed"]
pub struct Request {
    content: Content,
    session: Option<SessionRequirement>,
    key: Option<String>,
    /// How many steps were named here.
    added: usize,
}

/// What a request consists of.
#[derive(Clone)]
pub(super) enum Content {
    /// Steps that are written when it is sent.
    Steps(Vec<Step>),
    /// A document that is sent as it is, so that places in errors are those of the text.
    Text { text: Bytes, document: Box<PerformDocument> },
}

/// Neither the key nor the id of a session is shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match &self.content {
            Content::Steps(steps) => steps,
            Content::Text { document, .. } => &document.steps,
        };
        f.debug_struct("Request")
            .field("steps", steps)
            .field("session", &self.session)
            .field("key", &self.key.as_ref().map(|_| "…"))
            .finish_non_exhaustive()
    }
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}

impl Request {
    /// A request without activities: it creates a session, keeps one alive or ends one.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// let response = service.perform(&Request::new().session(SessionRequirement::create())).await?;
    /// println!("{:?}", response.session());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        Self { content: Content::Steps(Vec::new()), session: None, key: None, added: 0 }
    }

    /// A perform document that was written by hand. It is sent as it is: lines and columns in errors are those of the text.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] with the place, when it is none.
    ///
    /// ```
    /// use rejoin::client::Request;
    ///
    /// let request = Request::document(
    ///     r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
    ///          <echo name="say"><text>hello</text><output name="said"/></echo>
    ///        </perform>"#,
    /// )?;
    /// assert!(Request::document("<perform/>").is_err());
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn document(text: impl Into<String>) -> Result<Self, Error> {
        let text: Bytes = text.into().into();
        let document = Box::new(PerformDocument::parse(&text)?);
        Ok(Self { content: Content::Text { text, document }, session: None, key: None, added: 0 })
    }

    /// Adds a step, and gives its output: other steps are made of it, and without those it is an end-point. The step is called
    /// after its activity. Without a [`sequence`](Self::sequence) steps run side by side.
    ///
    /// A document that was written by hand becomes one that is built here.
    ///
    /// ```
    /// use rejoin::client::Request;
    /// use rejoin::document::activities::Echo;
    ///
    /// let mut request = Request::new();
    /// let said = request.add(Echo::new("hello"));
    /// ```
    pub fn add<A: ActivityElement>(&mut self, activity: A) -> A::Output {
        self.added += 1;
        let name = format!("{}{}", A::ELEMENT, self.added);
        self.add_named(&name, activity)
    }

    /// Adds a step of that name, which errors and the results of the response tell.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Request;
    /// use rejoin::document::activities::SqlUpdateStatement;
    ///
    /// let mut request = Request::new();
    /// let count = request.add_named("move", SqlUpdateStatement::new("UPDATE customer SET town = 'Ayr'"));
    /// println!("{} have moved", service.perform(&request).await?.update_count(&count)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_named<A: ActivityElement>(&mut self, name: &str, mut activity: A) -> A::Output {
        let output = activity.name_output(name);
        self.add_written(activity.step(name));
        output
    }

    /// Adds a step that was written node by node: an activity of one's own.
    ///
    /// ```
    /// use rejoin::client::Request;
    /// use rejoin::document::{Element, TYPES_NAMESPACE, WrittenActivity};
    ///
    /// let quiet = Element::new("text", Some(TYPES_NAMESPACE)).with_text("hello");
    /// let mut request = Request::new();
    /// request.add_written(WrittenActivity::new("upperCase", "loud").with_child(quiet));
    /// ```
    pub fn add_written(&mut self, activity: WrittenActivity) {
        self.steps().push(Step::Activity(activity));
    }

    /// Adds steps that run one after the other.
    ///
    /// ```
    /// use rejoin::client::Request;
    /// use rejoin::document::activities::SqlUpdateStatement;
    ///
    /// let mut request = Request::new();
    /// request.sequence(|steps| {
    ///     steps.add(SqlUpdateStatement::new("CREATE TABLE town (name TEXT)"));
    ///     steps.add(SqlUpdateStatement::new("INSERT INTO town VALUES ('Oban')"));
    /// });
    /// ```
    pub fn sequence<R>(&mut self, add: impl FnOnce(&mut Self) -> R) -> R {
        let (steps, result) = self.group(add);
        self.steps().push(Step::Sequence(steps));
        result
    }

    /// Adds steps that run side by side, within a [`sequence`](Self::sequence).
    ///
    /// ```
    /// use rejoin::client::Request;
    /// use rejoin::document::activities::SqlUpdateStatement;
    ///
    /// let mut request = Request::new();
    /// request.sequence(|steps| {
    ///     steps.add(SqlUpdateStatement::new("CREATE TABLE town (name TEXT)"));
    ///     steps.flow(|steps| {
    ///         steps.add(SqlUpdateStatement::new("INSERT INTO town VALUES ('Oban')"));
    ///         steps.add(SqlUpdateStatement::new("INSERT INTO town VALUES ('Ayr')"));
    ///     });
    /// });
    /// ```
    pub fn flow<R>(&mut self, add: impl FnOnce(&mut Self) -> R) -> R {
        let (steps, result) = self.group(add);
        self.steps().push(Step::Flow(steps));
        result
    }

    fn group<R>(&mut self, add: impl FnOnce(&mut Self) -> R) -> (Vec<Step>, R) {
        let mut inner = Self { added: self.added, ..Self::new() };
        let result = add(&mut inner);
        self.added = inner.added;
        (std::mem::take(inner.steps()), result)
    }

    /// Says which session the request joins. A document that was written by hand says that itself, but for a plain
    /// [`join`](SessionRequirement::join).
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// let request = Request::new().session(SessionRequirement::create());
    /// let id = service.perform(&request).await?.session().id.clone();
    /// # Ok(())
    /// # }
    /// ```
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

    /// Whether it says by itself which session it joins.
    pub(super) fn names_session(&self) -> bool {
        let in_text = match &self.content {
            Content::Steps(_) => false,
            Content::Text { document, .. } => document.session.is_some(),
        };
        self.session.is_some() || in_text
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
}
