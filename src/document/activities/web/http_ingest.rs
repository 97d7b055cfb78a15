use std::time::Duration;

use super::outputs::{DECISIONS, IngestOutputs, JSON, RECORDS, RESPONSES};
use super::phase::{HttpPhase, IngestProperty, PROPERTY, VARIABLE};
use crate::block::StreamType;
use crate::document::activities::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::statement::{RESOURCE, read_resource, write_resource};
use crate::document::activities::stream::Rows;
use crate::document::activities::words::{self, IngestSave};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Element, Fields, Located, duration};

/// `httpIngest`: goes on with a session of somebody else's HTTP service until it is complete.
///
/// ```
/// use rejoin::document::activities::HttpIngest;
///
/// let pull = HttpIngest::default()
///     .property("ms.source.uri", "/v1/records")
///     .property("ms.session.key.field", r#"{"name": "records.cursor"}"#)
///     .session_state("pull")
///     .records("rows");
/// assert_eq!(pull.properties.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpIngest {
    /// The name of the data resource; without it the first that is an HTTP service.
    pub resource: Option<Located<String>>,
    /// What is asked for and what answers mean; each stands over the one of the resource with its name.
    pub properties: Vec<Located<IngestProperty>>,
    /// How credentials are asked for, if they are.
    pub authenticate: Option<Located<Authenticate>>,
    /// Where it is kept how far the ingestion has come; nowhere if nothing is said.
    pub session_state: Option<IngestState>,
    /// Rows, each of which is a unit: an ingestion of its own.
    pub secondary: Option<FromStream<Rows>>,
    /// What it gives.
    pub outputs: IngestOutputs,
}

/// The request for credentials: sent before the first request, and again when they are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// The request; its variables are the credentials, which templates name.
    pub request: HttpPhase,
    /// How long before credentials that were refused are asked for again; at once if nothing is said.
    pub delay: Duration,
    /// How often a request is sent in all when its credentials are refused; 3 times if nothing is said.
    pub attempts: u32,
}

/// Where it is kept how far an ingestion has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestState {
    /// The name of the session attribute.
    pub attribute: String,
    /// When that counts; after every page if nothing is said.
    pub save: IngestSave,
}

impl HttpIngest {
    /// The ingestion with a property more.
    #[must_use]
    pub fn property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push(IngestProperty { key: key.into(), value: value.into() }.into());
        self
    }

    /// The ingestion on the data resource of that name.
    #[must_use]
    pub fn resource(mut self, name: &str) -> Self {
        self.resource = Some(name.to_owned().into());
        self
    }

    /// The ingestion, with how far it has come kept in that session attribute after every page.
    #[must_use]
    pub fn session_state(mut self, attribute: impl Into<String>) -> Self {
        self.session_state = Some(IngestState { attribute: attribute.into(), save: IngestSave::Page });
        self
    }

    /// The ingestion of each of these rows.
    #[must_use]
    pub fn secondary(mut self, rows: impl Into<FromStream<Rows>>) -> Self {
        self.secondary = Some(rows.into());
        self
    }

    /// The ingestion with its records in the stream of that name.
    #[must_use]
    pub fn records(mut self, output: impl Into<ToStream<Rows>>) -> Self {
        self.outputs.records = output.into();
        self
    }

    /// The ingestion with its decisions in the stream of that name.
    #[must_use]
    pub fn decisions(mut self, output: impl Into<ToStream<Rows>>) -> Self {
        self.outputs.decisions = output.into();
        self
    }
}

/// How often a request is sent in all when its credentials are refused, if nothing is said.
const ATTEMPTS: u32 = 3;

impl Authenticate {
    /// Asks for credentials by that request, the variables of which they are.
    #[must_use]
    pub fn new(request: HttpPhase) -> Self {
        Self { request, delay: Duration::ZERO, attempts: ATTEMPTS }
    }

    fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let delay = fields.attribute("delay").map_or(Ok(Duration::ZERO), |delay| delay.duration_or_zero())?;
        let attempts = fields.attribute("attempts").map_or(Ok(ATTEMPTS), |attempts| attempts.integer(1..=1000))?;
        let request = HttpPhase::read(fields, true)?;
        Ok(Located::new(Self { request, delay, attempts }, element.position()))
    }

    fn write(&self, into: &mut ElementWriter) {
        into.unless_default("delay", &*duration::write(self.delay), "0");
        into.unless_default("attempts", self.attempts, ATTEMPTS);
        self.request.write(into);
    }
}

fn session_state(element: &Element) -> Result<IngestState, DocumentError> {
    let mut fields = element.fields();
    let attribute = fields.required_attribute("attribute")?.name()?.to_owned();
    let save = fields.attribute("save").map_or(Ok(IngestSave::Page), |save| save.choice(&IngestSave::NAMES))?;
    fields.finish()?;
    Ok(IngestState { attribute, save })
}

impl ActivityElement for HttpIngest {
    const SHAPE: Shape = Shape::new(
        "httpIngest",
        Family::Web,
        "Goes on with a session that somebody else's HTTP service keeps, until it is complete.",
    )
    .requires(Requirement::Web)
    .attributes(&[AttributeShape {
        meaning: "the name of the data resource; without it the first that is an HTTP service",
        ..RESOURCE
    }])
    .children(&[
        PROPERTY,
        ChildShape::new(
            "authenticate",
            "the request for credentials, sent before the first request, and again when they are refused; its variables are \
             secrets, which are where templates name them",
        )
        .optional()
        .attributes(&[
            AttributeShape::new(
                "delay",
                ValueShape::Duration,
                "how long before credentials that were refused are asked for again",
            )
            .default("0"),
            AttributeShape::new(
                "attempts",
                ValueShape::Integer(1, 1000),
                "how often a request is sent in all when its credentials are refused",
            )
            .default("3"),
        ])
        .children(&[PROPERTY, VARIABLE]),
        ChildShape::new("sessionState", "").optional().attributes(&[
            AttributeShape::new("attribute", ValueShape::Name, "the session attribute that keeps how far it has come")
                .required(),
            AttributeShape::new(
                "save",
                ValueShape::Choice(&words::words(&IngestSave::NAMES)),
                "when that counts: after every page, whatever becomes of the request, or with its other changes, but for what \
                 may have been created, which is noted at once",
            )
            .default("page"),
        ]),
        ChildShape::input(
            "secondary",
            StreamType::Rows,
            "each of which is a *unit*: an ingestion of its own, with the columns of its row as variables",
        )
        .optional(),
        RECORDS,
        JSON,
        RESPONSES,
        DECISIONS,
    ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            resource: read_resource(fields)?,
            properties: IngestProperty::read_all(fields)?,
            authenticate: fields.child("authenticate").map(Authenticate::read).transpose()?,
            session_state: fields.child("sessionState").map(session_state).transpose()?,
            secondary: fields.optional_input("secondary")?,
            outputs: IngestOutputs::read(fields)?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        IngestProperty::write_all(&self.properties, into);
        if let Some(Located { value: authenticate, .. }) = &self.authenticate {
            into.child("authenticate", |element| authenticate.write(element));
        }
        if let Some(state) = &self.session_state {
            into.child("sessionState", |element| {
                element.attribute("attribute", &state.attribute);
                element.unless_default("save", words::word(&IngestSave::NAMES, state.save), "page");
            });
        }
        if let Some(secondary) = &self.secondary {
            into.input("secondary", secondary);
        }
        self.outputs.write(into);
    }

    fn name_output(&mut self, _step: &str) {}
}
