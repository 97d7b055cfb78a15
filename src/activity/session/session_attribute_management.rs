use async_trait::async_trait;
use bytestring::ByteString;
use quick_xml::escape::{escape, partial_escape};

use super::not_found;
use crate::activity::transform::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::{Block, Scalar, ScalarType, StreamType};
use crate::document::{DocumentError, Element, Fields, Limits, Node};
use crate::session::{AttributeValue, SessionAttributes};

/// `sessionAttributeManagement`: sets, counts up, gets, removes or lists session attributes.
///
/// ```xml
/// <sessionAttributeManagement name="visits">
///   <incrementAttribute name="visits" by="1"/>
///   <output name="now"/>
/// </sessionAttributeManagement>
/// ```
///
/// The output is the attribute as it is afterwards, `<attribute name="visits" type="integer">3</attribute>`; of a removed
/// one its name alone; of a list `<attributes count="2">…</attributes>` with names and types.
#[derive(Debug)]
pub struct SessionAttributeManagement {
    operation: Operation,
    output: OutputPort,
}

#[derive(Debug)]
enum Operation {
    Set { name: String, value: NewValue },
    Increment { name: String, by: i64 },
    Get { name: String },
    Remove { name: String },
    List,
}

#[derive(Debug)]
enum NewValue {
    Given(Scalar),
    From(InputPort, ScalarType),
}

const OPERATIONS: &[&str] =
    &["setAttribute", "incrementAttribute", "getAttribute", "removeAttribute", "listAttributes"];

/// The longest text that is read from a stream to become one value.
const LONGEST_VALUE: usize = 16 * 1024 * 1024;

#[async_trait]
impl Activity for SessionAttributeManagement {
    const ELEMENT: &'static str = "sessionAttributeManagement";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let operation = Operation::parse(fields.one_of(OPERATIONS)?, setup)?;
        let output = match fields.child("output") {
            Some(child) => setup.output_of(child, PortType::Is(StreamType::Text), Some("application/xml"))?,
            None => OutputPort::NOWHERE,
        };
        Ok(Self { operation, output })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        let answer = self.operation.run(&mut context).await?;
        output.send(Block::Text(answer.into())).await?;
        output.finish().await;
        Ok(())
    }
}

impl Operation {
    fn parse(element: &Element, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let operation = match element.local_name() {
            "setAttribute" => return Self::parse_set(element, setup),
            "incrementAttribute" => Self::Increment {
                name: fields.required_attribute("name")?.name()?.to_owned(),
                by: fields.attribute("by").map_or(Ok(1), |by| by.integer(i64::MIN..=i64::MAX))?,
            },
            "getAttribute" => Self::Get { name: fields.required_attribute("name")?.name()?.to_owned() },
            "removeAttribute" => Self::Remove { name: fields.required_attribute("name")?.name()?.to_owned() },
            _ => Self::List,
        };
        fields.finish()?;
        Ok(operation)
    }

    fn parse_set(element: &Element, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let name = fields.required_attribute("name")?.name()?.to_owned();
        let types = ScalarType::NAMES.map(|name| (name, ScalarType::from_name(name).unwrap_or(ScalarType::Text)));
        let scalar_type =
            fields.attribute("type").map_or(Ok(ScalarType::Text), |scalar_type| scalar_type.choice(&types))?;
        let from = fields.attribute("from");
        fields.finish_attributes()?;
        let value = match from {
            Some(from) => {
                setup.refuse_content_beside_from(element)?;
                NewValue::From(setup.input_from(&from, StreamType::Text)?, scalar_type)
            }
            None if scalar_type == ScalarType::Xml => NewValue::Given(Scalar::Xml(given_xml(element)?)),
            None => NewValue::Given(given_scalar(scalar_type, element)?),
        };
        Ok(Self::Set { name, value })
    }

    async fn run(self, context: &mut ActivityContext) -> Result<String, ActivityError> {
        match self {
            Self::Set { name, value } => {
                let value = match value {
                    NewValue::Given(value) => value,
                    NewValue::From(port, scalar_type) => read_scalar(context, port, scalar_type).await?,
                };
                let value = AttributeValue::Scalar(value);
                let answer = attribute_to_xml(&name, &value);
                context.session().set(&name, value)?;
                Ok(answer)
            }
            Self::Increment { name, by } => {
                let value = context.session().increment(&name, by)?;
                Ok(attribute_to_xml(&name, &AttributeValue::Scalar(Scalar::Integer(value))))
            }
            Self::Get { name } => match context.session().get(&name) {
                Some(value) => Ok(attribute_to_xml(&name, &value)),
                None => Err(not_found(&name)),
            },
            Self::Remove { name } => {
                if !context.session().remove(&name)? {
                    return Err(not_found(&name));
                }
                Ok(format!("<attribute name=\"{}\"/>", escape(&name)))
            }
            Self::List => Ok(list_to_xml(context.session())),
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

/// Reads the whole of a text stream as one value.
async fn read_scalar(
    context: &mut ActivityContext,
    port: InputPort,
    scalar_type: ScalarType,
) -> Result<Scalar, ActivityError> {
    let mut input = context.input(port);
    let mut text = String::new();
    while let Some(block) = input.next().await? {
        text.push_str(&expect_text(block)?);
        if text.len() > LONGEST_VALUE {
            return Err(ActivityError::client(
                "ValueTooLong",
                "the value is longer than 16 MiB: deliver it as a stream",
            ));
        }
    }
    if scalar_type == ScalarType::Xml {
        return parse_xml(&text).map(|xml| Scalar::Xml(xml.into()));
    }
    Scalar::parse(scalar_type, &text).ok_or_else(|| {
        ActivityError::client("ValueInvalid", format!("the value is not of the type {}", scalar_type.name()))
    })
}

/// An XML document as one element: without its declaration, so that it can stand inside another.
fn parse_xml(text: &str) -> Result<String, ActivityError> {
    let refuse = |problem: String| {
        ActivityError::client("ValueInvalid", format!("the value is not a well-formed XML element: {problem}"))
    };
    let element = Element::parse(text.as_bytes(), &Limits::default()).map_err(|error| refuse(error.to_string()))?;
    let xml = element.to_xml().map_err(|error| refuse(error.to_string()))?;
    Ok(xml.trim_end().to_owned())
}

/// `<attribute name type>value</attribute>`; a value that is no text by nature is named by its type alone.
fn attribute_to_xml(name: &str, value: &AttributeValue) -> String {
    let (name, type_name) = (escape(name), value.type_name());
    let content: String = match value {
        AttributeValue::Stream(stream) => stream
            .blocks()
            .filter_map(|block| match block {
                Block::Text(text) => Some(partial_escape(&**text)),
                Block::Rows(_) | Block::Bytes(_) => None,
            })
            .collect(),
        value => match value.scalar() {
            Some(Scalar::Xml(xml)) => xml.to_string(),
            Some(scalar) => partial_escape(scalar.to_string()).into_owned(),
            None => String::new(),
        },
    };
    if content.is_empty() {
        return format!("<attribute name=\"{name}\" type=\"{type_name}\"/>");
    }
    format!("<attribute name=\"{name}\" type=\"{type_name}\">{content}</attribute>")
}

fn list_to_xml(session: &SessionAttributes) -> String {
    let attributes = session.list();
    let mut xml = format!("<attributes count=\"{}\">", attributes.len());
    for attribute in attributes {
        xml.push_str("<attribute name=\"");
        xml.push_str(&escape(&*attribute.name));
        xml.push_str("\" type=\"");
        xml.push_str(attribute.type_name);
        xml.push_str("\"/>");
    }
    xml.push_str("</attributes>");
    xml
}
