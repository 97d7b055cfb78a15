//! HTTP services.

use super::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use super::statement::{RESOURCE, read_resource, write_resource};
use super::stream::{Bytes, Rows, Text};
use super::words::{self, IngestSave};
use super::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::block::StreamType;
use crate::document::{DocumentError, Element, Fields, Located};

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
    /// Where it is kept how far the ingestion has come; nowhere if nothing is said.
    pub session_state: Option<IngestState>,
    /// Rows, each of which is a unit: an ingestion of its own.
    pub secondary: Option<FromStream<Rows>>,
    /// The records as rows.
    pub records: ToStream<Rows>,
    /// The records as they were written, each a block.
    pub json: ToStream<Text>,
    /// The bodies of the answers that hold records.
    pub responses: ToStream<Bytes>,
    /// What was asked, and which rule decided what came next.
    pub decisions: ToStream<Rows>,
}

/// A property of an ingestion, such as `ms.source.uri`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestProperty {
    /// Its name.
    pub key: String,
    /// Its value, in the form that the name wants.
    pub value: String,
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
        self.records = output.into();
        self
    }

    /// The ingestion with its decisions in the stream of that name.
    #[must_use]
    pub fn decisions(mut self, output: impl Into<ToStream<Rows>>) -> Self {
        self.decisions = output.into();
        self
    }
}

/// Reads a `property`.
fn property(element: &Element) -> Result<Located<IngestProperty>, DocumentError> {
    let mut fields = element.fields();
    let key = fields.required_attribute("key")?.one_word()?.value;
    fields.finish_attributes()?;
    let value = element.text()?.trim().to_owned();
    Ok(Located::new(IngestProperty { key, value }, element.position()))
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
        ChildShape::text(
            "property",
            ValueShape::Text,
            "a property and its value; it stands over the one of the resource with the same name",
        )
        .any_number()
        .attributes(&[AttributeShape::new("key", ValueShape::Word, "").required()]),
        ChildShape::new("sessionState", "").optional().attributes(&[
            AttributeShape::new("attribute", ValueShape::Name, "the session attribute that keeps how far it has come")
                .required(),
            AttributeShape::new(
                "save",
                ValueShape::Choice(&words::words(&IngestSave::NAMES)),
                "when that counts: after every page, whatever becomes of the request, or with its other changes",
            )
            .default("page"),
        ]),
        ChildShape::input(
            "secondary",
            StreamType::Rows,
            "each of which is a *unit*: an ingestion of its own, with the columns of its row as variables",
        )
        .optional(),
        ChildShape::output("records", StreamType::Rows, "typed by `ms.output.schema`, or by the first page").optional(),
        ChildShape::output("json", StreamType::Text, "one record to a block, as it was written").optional(),
        ChildShape::output(
            "responses",
            StreamType::Bytes,
            "the bodies of the answers that hold records; not of a download",
        )
        .optional(),
        ChildShape::output("decisions", StreamType::Rows, "one for each request").optional(),
    ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            resource: read_resource(fields)?,
            properties: fields.children("property").into_iter().map(property).collect::<Result<_, _>>()?,
            session_state: fields.child("sessionState").map(session_state).transpose()?,
            secondary: fields.optional_input("secondary")?,
            records: fields.optional_output("records")?,
            json: fields.optional_output("json")?,
            responses: fields.optional_output("responses")?,
            decisions: fields.optional_output("decisions")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        for Located { value: property, .. } in &self.properties {
            into.child("property", |element| {
                element.attribute("key", &property.key);
                element.text(&property.value);
            });
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
        into.optional_output("records", &self.records);
        into.optional_output("json", &self.json);
        into.optional_output("responses", &self.responses);
        into.optional_output("decisions", &self.decisions);
    }

    fn name_output(&mut self, _step: &str) {}
}
