//! `ms.parameters`

use super::node::{Members, Node};
use super::request::header_name;
use crate::ingest::Json;
use crate::ingest::settings::{
    Parameter, ParameterValue, Placement, Template, TimePattern, TimeZone, ValuePath, WatermarkForm, WatermarkSide,
};

const MEMBERS: [&str; 9] = ["name", "type", "value", "watermark", "format", "pattern", "timezone", "in", "as"];

/// The most parameters: they may be made of each other, one in the other.
const MOST: usize = 256;

/// What parameters are read with, beside their own JSON.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// `extract.is.full`: which of two values of a `list` is taken.
    pub(super) is_full: bool,
    /// The name of the window of time.
    pub(super) window: &'a str,
}

/// An array of parameters with different names.
pub(super) fn parameters(node: &Node<'_>, context: Context<'_>) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for element in node.few_elements(MOST) {
        let Some(parameter) = parameter(&element, context) else { continue };
        if parameters.iter().any(|other| other.name == parameter.name) {
            element.refuse(format!("there is another parameter `{}`", parameter.name));
        }
        parameters.push(parameter);
    }
    parameters
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    List,
    Primitive,
    Object,
    JsonArray,
    JsonObject,
    Watermark,
    Session,
    PageStart,
    PageSize,
    PageNumber,
}

const TYPES: [(&str, Type); 10] = [
    ("list", Type::List),
    ("primitive", Type::Primitive),
    ("object", Type::Object),
    ("jsonarray", Type::JsonArray),
    ("jsonobject", Type::JsonObject),
    ("watermark", Type::Watermark),
    ("session", Type::Session),
    ("pagestart", Type::PageStart),
    ("pagesize", Type::PageSize),
    ("pageno", Type::PageNumber),
];

fn parameter(node: &Node<'_>, context: Context<'_>) -> Option<Parameter> {
    let members = node.members(&MEMBERS)?;
    let name = members.need("name").and_then(|name| name.text()).map(str::trim);
    if name.is_some_and(str::is_empty) {
        node.refuse("`name` is empty");
    }
    let kind = members.get("type").map_or(Some(Type::List), |kind| kind.word(&TYPES));
    let value = kind.and_then(|kind| {
        refuse_strangers(&members, kind);
        parameter_value(&members, kind, context)
    });
    let name = name?;
    let placement = placement(&members, name);
    Some(Parameter { name: name.into(), value: value?, placement })
}

/// Says which members mean nothing for a type.
fn refuse_strangers(members: &Members<'_>, kind: Type) {
    let known: &[&str] = match kind {
        Type::Watermark => &["value", "watermark", "format", "pattern", "timezone"],
        Type::Session | Type::PageStart | Type::PageSize | Type::PageNumber => &[],
        _ => &["value"],
    };
    for name in ["value", "watermark", "format", "pattern", "timezone"] {
        if let Some(member) = members.get(name).filter(|_| !known.contains(&name)) {
            let kind = TYPES.iter().find(|(_, other)| *other == kind).map_or("list", |(name, _)| *name);
            member.refuse(format!("a parameter of the type `{kind}` has no `{name}`"));
        }
    }
}

fn parameter_value(members: &Members<'_>, kind: Type, context: Context<'_>) -> Option<ParameterValue> {
    match kind {
        Type::List => {
            let text = members.get("value").map_or(Some(String::new()), |value| list(&value, context.is_full))?;
            Some(ParameterValue::Text(Template::parse(&text)))
        }
        Type::Primitive => scalar(&members.need("value")?),
        Type::Object => object(&members.need("value")?, context).map(ParameterValue::Object),
        Type::JsonArray => of_kind(&members.need("value")?, "an array"),
        Type::JsonObject => of_kind(&members.need("value")?, "an object"),
        Type::Watermark => watermark(members, context),
        Type::Session => Some(ParameterValue::Session),
        Type::PageStart => Some(ParameterValue::PageStart),
        Type::PageSize => Some(ParameterValue::PageSize),
        Type::PageNumber => Some(ParameterValue::PageNumber),
    }
}

/// A text, or an array of the one for a full load and the one for an incremental load.
fn list(node: &Node<'_>, is_full: bool) -> Option<String> {
    if !matches!(node.json, Json::Array(_)) {
        return node.scalar();
    }
    let texts: Vec<String> = node.elements().iter().filter_map(Node::scalar).collect();
    match texts.as_slice() {
        [] => Some(String::new()),
        [only] => Some(only.clone()),
        [full, incremental] => Some(if is_full { full } else { incremental }.clone()),
        _ => {
            node.refuse("expected two texts at the most: for a full and for an incremental load");
            None
        }
    }
}

fn scalar(node: &Node<'_>) -> Option<ParameterValue> {
    if node.json.is_structure() {
        node.refuse(format!(
            "expected a number, a text, true or false, found {}; `jsonarray` and `jsonobject` take any JSON",
            node.json.kind()
        ));
        return None;
    }
    Some(ParameterValue::Json(node.json.clone()))
}

fn of_kind(node: &Node<'_>, kind: &str) -> Option<ParameterValue> {
    if node.json.kind() != kind {
        node.refuse(format!("expected {kind}, found {}", node.json.kind()));
        return None;
    }
    Some(ParameterValue::Json(node.json.clone()))
}

/// An array of parameters, or a single one with its type.
fn object(node: &Node<'_>, context: Context<'_>) -> Option<Vec<Parameter>> {
    if !matches!(node.json, Json::Object(_)) {
        let inner = parameters(node, context);
        for element in node.elements() {
            refuse_placement(&element);
        }
        return Some(inner);
    }
    refuse_placement(node);
    node.members(&MEMBERS)?.need("type")?;
    parameter(node, context).map(|parameter| vec![parameter])
}

fn refuse_placement(node: &Node<'_>) {
    if node.json.member("in").or_else(|| node.json.member("as")).is_some() {
        node.refuse("what is inside of an object goes with it: `in` and `as` stand at the object");
    }
}

fn watermark(members: &Members<'_>, context: Context<'_>) -> Option<ParameterValue> {
    let sides = [("low", WatermarkSide::Low), ("high", WatermarkSide::High)];
    let side = members.need("value").and_then(|value| value.word(&sides));
    if let Some(node) = members.get("watermark")
        && let Some(name) = node.text()
        && name != context.window
    {
        node.unknown("window of time", name, &[context.window]);
    }
    let form = match members.get("format") {
        None => Some(WatermarkForm::EpochMilliseconds),
        Some(format) => watermark_form(&format, members),
    };
    Some(ParameterValue::Watermark { side: side?, form: form? })
}

fn watermark_form(format: &Node<'_>, members: &Members<'_>) -> Option<WatermarkForm> {
    let formats = [("datetime", 0), ("epoc-second", 1), ("epoc-millisecond", 2)];
    match format.word(&formats)? {
        1 => Some(WatermarkForm::EpochSeconds),
        2 => Some(WatermarkForm::EpochMilliseconds),
        _ => {
            let pattern = members.need("pattern").and_then(|pattern| time_pattern(&pattern));
            let zone = members.get("timezone").map_or(Some(TimeZone::LOS_ANGELES), |zone| time_zone(&zone));
            Some(WatermarkForm::DateTime { pattern: pattern?, zone: zone? })
        }
    }
}

pub(super) fn time_pattern(node: &Node<'_>) -> Option<TimePattern> {
    TimePattern::parse(node.text()?).map_err(|problem| node.refuse(problem)).ok()
}

pub(super) fn time_zone(node: &Node<'_>) -> Option<TimeZone> {
    let name = node.text()?;
    let zone = TimeZone::parse(name);
    if zone.is_none() {
        let hint = match crate::document::nearest(name, TimeZone::names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "expected a name such as `UTC` or `America/Los_Angeles`, or an offset such as `+02:00`".to_owned(),
        };
        node.refuse(format!("there is no time zone `{}`; {hint}", super::node::shortened(name)));
    }
    zone
}

/// `in` and `as`: where a parameter goes, if not where the method says.
fn placement(members: &Members<'_>, name: &str) -> Option<Placement> {
    let written = members.get("as");
    let Some(place) = members.get("in") else {
        if let Some(written) = written {
            written.refuse("`as` says under which name `in` is meant: `in` is missing");
        }
        return None;
    };
    match place.word(&[("query", 0), ("header", 1), ("body", 2), ("path", 3)])? {
        0 => Some(Placement::Query(written.map_or(Some(name), |node| node.text())?.into())),
        1 => {
            let node = written.as_ref().unwrap_or(&place);
            header_name(node, written.as_ref().map_or(Some(name), Node::text)?).map(Placement::Header)
        }
        2 => {
            let path = match &written {
                Some(node) => super::key::value_path(node),
                None => ValuePath::parse(name),
            };
            path.map(Placement::Body)
        }
        _ => {
            if let Some(written) = written {
                written.refuse("the template of the URI says where it goes: `in` with `path` has no `as`");
            }
            Some(Placement::Path)
        }
    }
}
