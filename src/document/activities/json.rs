//! The shapes as JSON, for generators of toolkits.

use serde_json::{Value, json};

use super::shape::{AttributeShape, ChildShape, Family, Occurs, Requirement, Shape, ValueShape};
use crate::block::StreamType;

/// The version of the form.
const VERSION: u32 = 1;

/// Shapes as JSON: `{"version": 1, "activities": […]}`, what `rejoin activities --json` prints. Its form is described in
/// `docs/extending.md`.
///
/// ```
/// use rejoin::document::activities::{ACTIVITIES, to_json};
///
/// let json: serde_json::Value = serde_json::from_str(&to_json(ACTIVITIES))?;
/// assert_eq!(json["activities"][0]["element"], "sqlQueryStatement");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn to_json(shapes: &[Shape]) -> String {
    let activities: Vec<Value> = shapes.iter().map(activity).collect();
    format!("{:#}\n", json!({ "version": VERSION, "activities": activities }))
}

fn activity(shape: &Shape) -> Value {
    json!({
        "element": shape.element,
        "family": family(shape.family),
        "requires": requirement(shape.requires),
        "summary": shape.summary,
        "attributes": shape.attributes.iter().map(|it| attribute(it, "")).collect::<Vec<_>>(),
        "text": null,
        "children": shape.children.iter().map(child).collect::<Vec<_>>(),
    })
}

fn child(shape: &ChildShape) -> Value {
    let stream = shape.stream.map(|stream| {
        json!({
            "direction": if stream.is_input { "input" } else { "output" },
            "type": stream_type(stream.carries),
            "or_content": stream.or_content,
        })
    });
    let text = shape.text.map(|value| {
        let mut text = typed(value);
        text["meaning"] = shape.meaning.into();
        text
    });
    json!({
        "name": shape.name,
        "occurs": occurs(shape.occurs),
        "choice": shape.choice,
        "stream": stream,
        "attributes": shape.attributes.iter().map(|it| attribute(it, shape.meaning)).collect::<Vec<_>>(),
        "text": text,
        "any": shape.holds_any,
        "children": shape.children.iter().map(child).collect::<Vec<_>>(),
        "meaning": shape.meaning,
    })
}

/// An attribute; one that says nothing of its own has the meaning of its element.
fn attribute(shape: &AttributeShape, element: &str) -> Value {
    let mut attribute = typed(shape.value);
    attribute["name"] = shape.name.into();
    attribute["required"] = shape.is_required.into();
    attribute["default"] = shape.default.into();
    attribute["meaning"] = if shape.meaning.is_empty() { element } else { shape.meaning }.into();
    attribute
}

/// The type of a value; with it, if they apply, the words that it may be and the numbers that it lies between.
fn typed(value: ValueShape) -> Value {
    let mut choices = Value::Null;
    let mut numbers = (Value::Null, Value::Null);
    let name = match value {
        ValueShape::Text => "string",
        ValueShape::NonEmptyText => "nonEmptyString",
        ValueShape::Character => "character",
        ValueShape::Word => "word",
        ValueShape::Name => "name",
        ValueShape::Boolean => "boolean",
        ValueShape::Integer(least, most) => {
            // Every bound is a number of 64 bits, of the one kind or the other.
            let number = |bound: i128| i64::try_from(bound).map_or_else(|_| (bound as u64).into(), Value::from);
            numbers = (number(least), number(most));
            "integer"
        }
        ValueShape::Duration => "duration",
        ValueShape::RowType => "rowType",
        ValueShape::Uuid => "uuid",
        ValueShape::Choice(words) => {
            choices = words.into();
            "choice"
        }
    };
    json!({ "type": name, "choices": choices, "least": numbers.0, "most": numbers.1 })
}

fn stream_type(carries: StreamType) -> &'static str {
    match carries {
        StreamType::Rows => "rows",
        StreamType::Text => "text",
        StreamType::Bytes => "bytes",
        StreamType::Any => "any",
    }
}

fn occurs(occurs: Occurs) -> &'static str {
    match occurs {
        Occurs::One => "one",
        Occurs::Optional => "optional",
        Occurs::Any => "any",
        Occurs::Some => "some",
    }
}

fn requirement(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::Nothing => "nothing",
        Requirement::Relational => "relational",
        Requirement::Web => "web",
        Requirement::Grant => "grant",
    }
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Relational => "relational",
        Family::Session => "session",
        Family::Delivery => "delivery",
        Family::Transform => "transform",
        Family::Web => "web",
        Family::Utility => "utility",
    }
}
