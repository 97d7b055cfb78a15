//! `ms.derived.fields`

use crate::ingest::properties::condition::search;
use crate::ingest::properties::node::Node;
use crate::ingest::properties::parameters::{time_pattern, time_zone};
use crate::ingest::properties::window::before_now;
use crate::ingest::settings::{
    ColumnType, DerivedField, DerivedForm, DerivedSource, Template, TimeZone, ValuePath, WindowEnd,
};

/// The most derived fields.
const MOST: usize = 256;

/// An array of `{"name": …, "formula": {"type": …, "source": …, "format": …, "timezone": …}}`
pub(super) fn derived_fields(node: &Node<'_>) -> Vec<DerivedField> {
    let mut fields: Vec<DerivedField> = Vec::new();
    for element in node.few_elements(MOST) {
        let Some(field) = field(&element) else { continue };
        if fields.iter().any(|other| other.name == field.name) {
            element.refuse(format!("there is another derived field `{}`", field.name));
        }
        fields.push(field);
    }
    fields
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Value(ColumnType),
    Matches,
    Epoch,
}

const KINDS: [(&str, Kind); 7] = [
    ("string", Kind::Value(ColumnType::Text)),
    ("int", Kind::Value(ColumnType::Integer)),
    ("integer", Kind::Value(ColumnType::Integer)),
    ("number", Kind::Value(ColumnType::Number)),
    ("boolean", Kind::Value(ColumnType::Boolean)),
    ("regexp", Kind::Matches),
    ("epoc", Kind::Epoch),
];

fn field(node: &Node<'_>) -> Option<DerivedField> {
    let members = node.members(&["name", "formula"])?;
    let name = members.need("name").and_then(|name| name.text());
    let formula = members.need("formula")?;
    let members = formula.members(&["type", "source", "format", "timezone"])?;
    let kind = members.need("type").and_then(|kind| kind.word(&KINDS));
    let zone = members.get("timezone");
    let source = members.need("source").and_then(|source| {
        let zone = zone.as_ref().and_then(|node| TimeZone::parse(node.text()?));
        derived_source(&source, zone)
    });
    let kind = kind?;
    if let Kind::Value(_) = kind {
        for name in ["format", "timezone"] {
            if let Some(member) = members.get(name) {
                member.refuse(format!("a field that is a value as it stands has no `{name}`"));
            }
        }
    }
    let form = match kind {
        Kind::Value(column_type) => DerivedForm::Value(column_type),
        Kind::Matches => DerivedForm::Matches(search(&members.need("format")?)?),
        Kind::Epoch => {
            let pattern = match members.get("format") {
                Some(format) if format.text()?.eq_ignore_ascii_case("iso") => None,
                Some(format) => Some(time_pattern(&format)?),
                None => None,
            };
            let zone = zone.map_or(Some(TimeZone::LOS_ANGELES), |zone| time_zone(&zone))?;
            DerivedForm::Epoch { pattern, zone }
        }
    };
    Some(DerivedField { name: name?.into(), source: source?, form })
}

/// A path in the record, a text with variables, `CURRENTDATE`, or `P1D`.
fn derived_source(node: &Node<'_>, zone: Option<TimeZone>) -> Option<DerivedSource> {
    let text = node.text()?.trim();
    if text == "CURRENTDATE" {
        return Some(DerivedSource::Time(WindowEnd::Now));
    }
    if let Some(end) = before_now(text, zone.unwrap_or(TimeZone::LOS_ANGELES)) {
        return Some(DerivedSource::Time(end));
    }
    let template = Template::parse(text);
    if template.variables().next().is_some() {
        return Some(DerivedSource::Variables(template));
    }
    if text == "ms.source.uri" {
        return Some(DerivedSource::Variables(Template::parse("{{ms.source.uri}}")));
    }
    let path = ValuePath::parse(text);
    if path.is_none() {
        node.refuse(
            "expected a path in the record, a text with `{{variables}}`, `CURRENTDATE`, or a time such as `P1D`",
        );
    }
    path.map(DerivedSource::Field)
}
