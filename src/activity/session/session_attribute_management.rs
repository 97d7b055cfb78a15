use async_trait::async_trait;
use quick_xml::escape::{escape, partial_escape};

use super::not_found;
use crate::activity::transform::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::{Block, Scalar, ScalarType};
use crate::document::activities::{self, ActivityElement, AttributeOperation, NewValue};
use crate::document::{DocumentError, Element, Fields, Limits};
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
    Set { name: String, value: Value },
    Increment { name: String, by: i64 },
    Get { name: String },
    Remove { name: String },
    List,
}

#[derive(Debug)]
enum Value {
    Given(Scalar),
    From(InputPort, ScalarType),
}

/// The longest text that is read from a stream to become one value.
const LONGEST_VALUE: usize = 16 * 1024 * 1024;

#[async_trait]
impl Activity for SessionAttributeManagement {
    const ELEMENT: &'static str = activities::SessionAttributeManagement::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SessionAttributeManagement::read(fields)?;
        let operation = Operation::set_up(read.operation, setup);
        Ok(Self { operation, output: setup.writes(&read.output, Some("application/xml")) })
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
    fn set_up(operation: AttributeOperation, setup: &mut Setup<'_>) -> Self {
        match operation {
            AttributeOperation::Set { name, value: NewValue::Given(value) } => {
                Self::Set { name, value: Value::Given(value) }
            }
            AttributeOperation::Set { name, value: NewValue::Stream(stream, scalar_type) } => {
                Self::Set { name, value: Value::From(setup.reads(&stream), scalar_type) }
            }
            AttributeOperation::Increment { name, by } => Self::Increment { name, by },
            AttributeOperation::Get(name) => Self::Get { name },
            AttributeOperation::Remove(name) => Self::Remove { name },
            AttributeOperation::List => Self::List,
        }
    }

    async fn run(self, context: &mut ActivityContext) -> Result<String, ActivityError> {
        match self {
            Self::Set { name, value } => {
                let value = match value {
                    Value::Given(value) => value,
                    Value::From(port, scalar_type) => read_scalar(context, port, scalar_type).await?,
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
