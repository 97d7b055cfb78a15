use std::time::Duration;

use super::outputs::{DECISIONS, IngestOutputs, JSON, RECORDS, RESPONSES};
use super::phase::{HttpPhase, PROPERTY, VARIABLE};
use crate::document::activities::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::statement::{RESOURCE, read_resource, write_resource};
use crate::document::activities::stream::Rows;
use crate::document::activities::{ActivityElement, ElementWriter, ToStream};
use crate::document::{DocumentError, Element, Fields, Located, duration};

/// `httpJob`: creates a job of somebody else's HTTP service, waits for it, fetches its results and cleans up.
///
/// ```
/// use rejoin::document::activities::{HttpJob, HttpPhase};
///
/// let create = HttpPhase::new("jobs").property("ms.http.request.method", "POST").variable("id", "id");
/// let poll = HttpPhase::new("jobs/{{id}}")
///     .property("ms.session.key.field", r#"{"name": "state", "condition": {"regexp": "done"}}"#);
/// let export = HttpJob::new(create, poll).fetch(HttpPhase::new("jobs/{{id}}/results")).records("rows");
/// assert!(export.clean_up.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpJob {
    /// The name of the data resource; without it the first that is an HTTP service.
    pub resource: Option<Located<String>>,
    /// How long everything may take; ten minutes if nothing is said.
    pub timeout: Duration,
    /// Creates the job; it is sent once.
    pub create: Located<HttpPhase>,
    /// Asks until the job is done, or has failed.
    pub poll: Located<HttpPhase>,
    /// Fetches the results.
    pub fetch: Option<Located<HttpPhase>>,
    /// Is sent when nobody wants the job any more.
    pub cancel: Option<Located<JobCancel>>,
    /// Is sent at last, however the job has ended.
    pub clean_up: Option<Located<HttpPhase>>,
    /// The session attribute that keeps the job.
    pub session_state: Option<String>,
    /// What it gives.
    pub outputs: IngestOutputs,
}

/// What a service is sent when nobody wants a job any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCancel {
    /// The request.
    pub request: HttpPhase,
    /// Whether it is sent to a job that the poll finds failed, too; not if nothing is said.
    pub after_failure: bool,
}

/// How long a job may take where nothing is said.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How long a job may take at the most: as long as its deadline is kept.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(24 * 7);

impl HttpJob {
    /// A job that is created by one request and polled by another.
    #[must_use]
    pub fn new(create: HttpPhase, poll: HttpPhase) -> Self {
        Self {
            resource: None,
            timeout: TIMEOUT,
            create: create.into(),
            poll: poll.into(),
            fetch: None,
            cancel: None,
            clean_up: None,
            session_state: None,
            outputs: IngestOutputs::default(),
        }
    }

    /// The job, with its results fetched by that request.
    #[must_use]
    pub fn fetch(mut self, request: HttpPhase) -> Self {
        self.fetch = Some(request.into());
        self
    }

    /// The job, cancelled by that request when nobody wants it any more.
    #[must_use]
    pub fn cancel(mut self, request: HttpPhase) -> Self {
        self.cancel = Some(JobCancel { request, after_failure: false }.into());
        self
    }

    /// The job, cleaned up by that request.
    #[must_use]
    pub fn clean_up(mut self, request: HttpPhase) -> Self {
        self.clean_up = Some(request.into());
        self
    }

    /// The job, kept in that session attribute.
    #[must_use]
    pub fn session_state(mut self, attribute: impl Into<String>) -> Self {
        self.session_state = Some(attribute.into());
        self
    }

    /// The job with its records in the stream of that name.
    #[must_use]
    pub fn records(mut self, output: impl Into<ToStream<Rows>>) -> Self {
        self.outputs.records = output.into();
        self
    }
}

/// A phase that tells others something.
fn telling(element: &Element) -> Result<Located<HttpPhase>, DocumentError> {
    Ok(Located::new(HttpPhase::read(element.fields(), true)?, element.position()))
}

/// A phase that tells nobody anything.
fn last(element: &Element) -> Result<Located<HttpPhase>, DocumentError> {
    Ok(Located::new(HttpPhase::read(element.fields(), false)?, element.position()))
}

fn cancel(element: &Element) -> Result<Located<JobCancel>, DocumentError> {
    let mut fields = element.fields();
    let after_failure = fields.attribute("afterFailure").map_or(Ok(false), |value| value.boolean())?;
    let request = HttpPhase::read(fields, false)?;
    Ok(Located::new(JobCancel { request, after_failure }, element.position()))
}

fn session_state(element: &Element) -> Result<String, DocumentError> {
    let mut fields = element.fields();
    let attribute = fields.required_attribute("attribute")?.name()?.to_owned();
    fields.finish()?;
    Ok(attribute)
}

fn timeout(fields: &mut Fields<'_>) -> Result<Duration, DocumentError> {
    let Some(written) = fields.attribute("timeout") else { return Ok(TIMEOUT) };
    let timeout = written.duration()?;
    if timeout > LONGEST_TIMEOUT {
        return Err(written.error("contradictory `timeout`: a job may take seven days at the most, `P7D`"));
    }
    Ok(timeout)
}

impl ActivityElement for HttpJob {
    const SHAPE: Shape = Shape::new(
        "httpJob",
        Family::Web,
        "Has somebody else's HTTP service do a job, as one unit: creates it, polls until it is done, fetches the results.",
    )
    .requires(Requirement::Web)
    .attributes(&[
        AttributeShape {
            meaning: "the name of the data resource; without it the first that is an HTTP service",
            ..RESOURCE
        },
        AttributeShape::new(
            "timeout",
            ValueShape::PositiveDuration,
            "how long everything may take, from the create request; seven days at the most",
        )
        .default("PT10M"),
    ])
    .children(&[
        ChildShape::new("create", "the request that creates the job: it is sent once").children(&[PROPERTY, VARIABLE]),
        ChildShape::new(
            "poll",
            "asks until a condition says that the job is done, or has failed: `ms.session.key.field` with a `condition`, \
             or `rejoin.stop.when`",
        )
        .children(&[PROPERTY, VARIABLE]),
        ChildShape::new(
            "fetch",
            "fetches the results, page after page if its properties say so; what it brings goes to the outputs. It writes no \
             files (`rejoin.download`)",
        )
        .optional()
        .children(&[PROPERTY]),
        ChildShape::new("cancel", "the request that is sent when the job is not wanted any more")
            .optional()
            .attributes(&[AttributeShape::new(
                "afterFailure",
                ValueShape::Boolean,
                "whether it is sent, too, when the poll says that the job has failed",
            )
            .default("false")])
            .children(&[PROPERTY]),
        ChildShape::new("cleanUp", "the request that is sent at last, however the job has ended")
            .optional()
            .children(&[PROPERTY]),
        ChildShape::new(
            "sessionState",
            "the session attribute that keeps the job, at once whenever something has happened",
        )
        .optional()
        .attributes(&[AttributeShape::new("attribute", ValueShape::Name, "").required()]),
        RECORDS,
        JSON,
        RESPONSES,
        ChildShape {
            meaning: "one for each request, with the columns of `httpIngest` behind `phase`: `create`, `poll`, `fetch`, \
                      `cancel`, `cleanUp`",
            ..DECISIONS
        },
    ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            resource: read_resource(fields)?,
            timeout: timeout(fields)?,
            create: telling(fields.required_child("create")?)?,
            poll: telling(fields.required_child("poll")?)?,
            fetch: fields.child("fetch").map(last).transpose()?,
            cancel: fields.child("cancel").map(cancel).transpose()?,
            clean_up: fields.child("cleanUp").map(last).transpose()?,
            session_state: fields.child("sessionState").map(session_state).transpose()?,
            outputs: IngestOutputs::read(fields)?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        into.optional("timeout", (self.timeout != TIMEOUT).then(|| duration::write(self.timeout)));
        into.child("create", |element| self.create.value.write(element));
        into.child("poll", |element| self.poll.value.write(element));
        if let Some(fetch) = &self.fetch {
            into.child("fetch", |element| fetch.value.write(element));
        }
        if let Some(Located { value: cancel, .. }) = &self.cancel {
            into.child("cancel", |element| {
                element.unless_default("afterFailure", cancel.after_failure, false);
                cancel.request.write(element);
            });
        }
        if let Some(clean_up) = &self.clean_up {
            into.child("cleanUp", |element| clean_up.value.write(element));
        }
        if let Some(attribute) = &self.session_state {
            into.child("sessionState", |state| state.attribute("attribute", attribute));
        }
        self.outputs.write(into);
    }

    fn name_output(&mut self, _step: &str) {}
}
