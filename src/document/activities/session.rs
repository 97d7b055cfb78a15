//! What the session keeps.

use bytestring::ByteString;

use super::shape::{AttributeShape, ChildShape, Family, Shape, ValueShape};
use super::stream::{Any, Text};
use super::words::{self, DeliveryMode};
use super::{ActivityElement, ElementWriter, FromStream, TextOrStream, ToStream, expect_no_content_beside_from};
use crate::block::{Scalar, ScalarType, StreamType};
use crate::document::{DocumentError, Element, Fields, Limits, Node};

/// `deliverToSession`: keeps a stream as a session attribute.
///
/// ```
/// use rejoin::document::activities::{DeliverToSession, DeliveryMode};
///
/// let keep = DeliverToSession::new("rows", "cart").append();
/// assert_eq!(keep.mode, DeliveryMode::Append);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverToSession {
    /// What is kept.
    pub from_local: FromStream<Any>,
    /// The name of the attribute.
    pub attribute: String,
    /// What becomes of what is there; it is replaced if nothing is said.
    pub mode: DeliveryMode,
}

impl DeliverToSession {
    /// Keeps a stream, in place of what is there.
    #[must_use]
    pub fn new(stream: impl Into<FromStream<Any>>, attribute: impl Into<String>) -> Self {
        Self { from_local: stream.into(), attribute: attribute.into(), mode: DeliveryMode::Replace }
    }

    /// Keeps it behind what is there.
    #[must_use]
    pub fn append(mut self) -> Self {
        self.mode = DeliveryMode::Append;
        self
    }
}

/// The attribute `attribute`, which names a session attribute.
const ATTRIBUTE: AttributeShape =
    AttributeShape::new("attribute", ValueShape::Name, "the name of the attribute").required();

impl ActivityElement for DeliverToSession {
    const SHAPE: Shape =
        Shape::new("deliverToSession", Family::Session, "Keeps a stream as a session attribute.").children(&[
            ChildShape::input("fromLocal", StreamType::Any, ""),
            ChildShape::new("toSession", "").attributes(&[
                ATTRIBUTE,
                AttributeShape::new(
                    "mode",
                    ValueShape::Choice(&words::words(&DeliveryMode::NAMES)),
                    "whether the stream takes the place of what is there, or goes behind it, where that is of the same type",
                )
                .default("replace"),
            ]),
        ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let from_local = fields.input("fromLocal")?;
        let mut target = fields.required_child("toSession")?.fields();
        let attribute = target.required_attribute("attribute")?.name()?.to_owned();
        let mode = target.attribute("mode");
        let mode = mode.map_or(Ok(DeliveryMode::Replace), |mode| mode.choice(&DeliveryMode::NAMES))?;
        target.finish()?;
        Ok(Self { from_local, attribute, mode })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("fromLocal", &self.from_local);
        into.child("toSession", |target| {
            target.attribute("attribute", &self.attribute);
            target.unless_default("mode", words::word(&DeliveryMode::NAMES, self.mode), "replace");
        });
    }

    fn name_output(&mut self, _step: &str) {}
}

/// `deliverFromSession`: makes a stream of what a session attribute keeps. The attribute stays.
///
/// ```
/// use rejoin::document::activities::{DeliverFromSession, FromStream, stream::Rows};
///
/// let mut take = DeliverFromSession::new("cart");
/// # use rejoin::document::activities::ActivityElement;
/// // It may carry anything, so it goes where rows are wanted; what it is, is looked at when it flows.
/// let rows = FromStream::<Rows>::from(take.name_output("take"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverFromSession {
    /// The name of the attribute.
    pub attribute: String,
    /// What was kept.
    pub to_local: ToStream<Any>,
}

impl DeliverFromSession {
    /// Gives what an attribute keeps.
    #[must_use]
    pub fn new(attribute: impl Into<String>) -> Self {
        Self { attribute: attribute.into(), to_local: ToStream::default() }
    }
}

impl ActivityElement for DeliverFromSession {
    const SHAPE: Shape = Shape::new(
        "deliverFromSession",
        Family::Session,
        "Makes a stream of what a session attribute keeps. The attribute stays.",
    )
    .children(&[
        ChildShape::new("fromSession", "").attributes(&[ATTRIBUTE]),
        ChildShape::output("toLocal", StreamType::Any, "what was kept").optional(),
    ]);

    type Output = ToStream<Any>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let mut source = fields.required_child("fromSession")?.fields();
        let attribute = source.required_attribute("attribute")?.name()?.to_owned();
        source.finish()?;
        Ok(Self { attribute, to_local: fields.optional_output("toLocal")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.child("fromSession", |source| source.attribute("attribute", &self.attribute));
        into.optional_output("toLocal", &self.to_local);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Any> {
        self.to_local.name_after(step, "toLocal")
    }
}

/// `sessionAttributeManagement`: sets, counts up, gets, removes or lists session attributes.
///
/// ```
/// use rejoin::block::Scalar;
/// use rejoin::document::activities::SessionAttributeManagement;
///
/// let label = SessionAttributeManagement::set("label", Scalar::Text("nightly".into()));
/// let visits = SessionAttributeManagement::increment("visits", 1);
/// assert_ne!(label, visits);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SessionAttributeManagement {
    /// What is done.
    pub operation: AttributeOperation,
    /// The attribute as it is afterwards, or the list, as XML.
    pub output: ToStream<Text>,
}

/// What is done with a session attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeOperation {
    /// It is set.
    Set {
        /// Its name.
        name: String,
        /// What it is set to.
        value: NewValue,
    },
    /// Something is added to an integer; one that is not there counts from 0.
    Increment {
        /// Its name.
        name: String,
        /// How much.
        by: i64,
    },
    /// Nothing: it is asked for.
    Get(String),
    /// It is removed.
    Remove(String),
    /// Nothing: all are asked for.
    List,
}

/// What a session attribute is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum NewValue {
    /// A value.
    Given(Scalar),
    /// The text of a stream, read as a value of that type.
    Stream(FromStream<Text>, ScalarType),
}

const OPERATIONS: &[&str] =
    &["setAttribute", "incrementAttribute", "getAttribute", "removeAttribute", "listAttributes"];

impl SessionAttributeManagement {
    /// Does that.
    #[must_use]
    pub fn new(operation: AttributeOperation) -> Self {
        Self { operation, output: ToStream::default() }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(name: impl Into<String>, value: Scalar) -> Self {
        Self::new(AttributeOperation::Set { name: name.into(), value: NewValue::Given(value) })
    }

    /// Adds to an attribute that is an integer.
    #[must_use]
    pub fn increment(name: impl Into<String>, by: i64) -> Self {
        Self::new(AttributeOperation::Increment { name: name.into(), by })
    }

    /// Asks for an attribute.
    #[must_use]
    pub fn get(name: impl Into<String>) -> Self {
        Self::new(AttributeOperation::Get(name.into()))
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(name: impl Into<String>) -> Self {
        Self::new(AttributeOperation::Remove(name.into()))
    }

    /// Asks for the names and types of all attributes.
    #[must_use]
    pub fn list() -> Self {
        Self::new(AttributeOperation::List)
    }
}

impl AttributeOperation {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let operation = match element.local_name() {
            "setAttribute" => return Self::read_set(element),
            "incrementAttribute" => Self::Increment {
                name: fields.required_attribute("name")?.name()?.to_owned(),
                by: fields.attribute("by").map_or(Ok(1), |by| by.integer(i64::MIN..=i64::MAX))?,
            },
            "getAttribute" => Self::Get(fields.required_attribute("name")?.name()?.to_owned()),
            "removeAttribute" => Self::Remove(fields.required_attribute("name")?.name()?.to_owned()),
            _ => Self::List,
        };
        fields.finish()?;
        Ok(operation)
    }

    fn read_set(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let name = fields.required_attribute("name")?.name()?.to_owned();
        let types = ScalarType::NAMES.map(|name| (name, ScalarType::from_name(name).unwrap_or(ScalarType::Text)));
        let scalar_type =
            fields.attribute("type").map_or(Ok(ScalarType::Text), |scalar_type| scalar_type.choice(&types))?;
        let from = fields.attribute("from");
        fields.finish_attributes()?;
        let value = match from {
            Some(from) => {
                expect_no_content_beside_from(element)?;
                NewValue::Stream(FromStream::read(&from)?, scalar_type)
            }
            None if scalar_type == ScalarType::Xml => NewValue::Given(Scalar::Xml(given_xml(element)?)),
            None => NewValue::Given(given_scalar(scalar_type, element)?),
        };
        Ok(Self::Set { name, value })
    }

    fn write(&self, into: &mut ElementWriter) {
        match self {
            Self::Set { name, value } => into.child("setAttribute", |element| {
                element.attribute("name", name);
                value.write(element);
            }),
            Self::Increment { name, by } => into.child("incrementAttribute", |element| {
                element.attribute("name", name);
                element.unless_default("by", *by, 1);
            }),
            Self::Get(name) => into.child("getAttribute", |element| element.attribute("name", name)),
            Self::Remove(name) => into.child("removeAttribute", |element| element.attribute("name", name)),
            Self::List => into.child("listAttributes", |_| {}),
        }
    }
}

impl NewValue {
    fn write(&self, into: &mut ElementWriter) {
        let scalar_type = match self {
            Self::Given(value) => value.scalar_type(),
            Self::Stream(_, scalar_type) => *scalar_type,
        };
        into.unless_default("type", scalar_type.name(), ScalarType::Text.name());
        match self {
            Self::Stream(stream, _) => TextOrStream::Stream(stream.clone()).write(into),
            Self::Given(Scalar::Xml(xml)) => match Element::parse(xml.as_bytes(), &Limits::default()) {
                Ok(element) => into.element(element),
                // The service refuses it, and says why.
                Err(_) => into.text(xml),
            },
            Self::Given(value) => into.text(&value.to_string()),
        }
    }
}

/// The one element that a `setAttribute` of the type `xml` holds.
fn given_xml(element: &Element) -> Result<ByteString, DocumentError> {
    let has_text = element.children().iter().any(|node| matches!(node, Node::Text(text) if !text.is_blank()));
    let mut elements = element.elements();
    match (elements.next(), elements.next()) {
        (Some(only), None) if !has_text => match only.to_xml() {
            Ok(xml) => Ok(xml.trim_end().into()),
            Err(error) => Err(DocumentError::invalid(only.position(), error.to_string())),
        },
        _ => Err(contradictory(element, "of the type `xml` it holds one element")),
    }
}

fn given_scalar(scalar_type: ScalarType, element: &Element) -> Result<Scalar, DocumentError> {
    let name = scalar_type.name();
    let Ok(text) = element.text() else {
        return Err(contradictory(element, &format!("of the type `{name}` it holds text alone")));
    };
    Scalar::parse(scalar_type, &text)
        .ok_or_else(|| contradictory(element, &format!("its value is not of the type `{name}`")))
}

fn contradictory(element: &Element, why: &str) -> DocumentError {
    DocumentError::invalid(element.position(), format!("contradictory `setAttribute`: {why}"))
}

/// The attribute `name` of a session attribute.
const NAME: AttributeShape = AttributeShape::new("name", ValueShape::Name, "").required();

impl ActivityElement for SessionAttributeManagement {
    const SHAPE: Shape = Shape::new(
        "sessionAttributeManagement",
        Family::Session,
        "Sets, counts up, gets, removes or lists session attributes, and gives the attribute, or the list, as XML.",
    )
    .children(&[
        ChildShape::text_or_stream(
            "setAttribute",
            "sets a value: the text inside, or the one element inside for the type `xml`",
        )
        .choice(1)
        .any_elements()
        .attributes(&[
            NAME,
            AttributeShape::new("type", ValueShape::Choice(&ScalarType::NAMES), "what the value is").default("text"),
        ]),
        ChildShape::new("incrementAttribute", "adds to an integer; one that is not there counts from 0")
            .choice(1)
            .attributes(&[NAME, AttributeShape::new("by", ValueShape::LONG, "how much").default("1")]),
        ChildShape::new("getAttribute", "gives the attribute").choice(1).attributes(&[NAME]),
        ChildShape::new("removeAttribute", "removes it, and gives its name").choice(1).attributes(&[NAME]),
        ChildShape::new("listAttributes", "gives names and types").choice(1),
        ChildShape::output("output", StreamType::Text, "`application/xml`").optional(),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let operation = AttributeOperation::read(fields.one_of(OPERATIONS)?)?;
        Ok(Self { operation, output: fields.optional_output("output")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        self.operation.write(into);
        into.optional_output("output", &self.output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.output.name_after(step, "output")
    }
}
