//! `ms.output.schema`

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::format::RowType;
use crate::ingest::properties::node::Node;

/// The types that DIL names otherwise than documents do. Structures become text: their JSON.
const TYPES: [&str; 19] = [
    "string",
    "int",
    "integer",
    "int64",
    "long",
    "float",
    "double",
    "number",
    "boolean",
    "date",
    "time",
    "timestamp",
    "decimal",
    "bytes",
    "array",
    "map",
    "object",
    "record",
    "enum",
];

/// An array of `{"columnName": …, "isNullable": …, "dataType": {"type": …}}`
pub(super) fn schema(node: &Node<'_>) -> SchemaRef {
    let mut fields: Vec<Field> = Vec::new();
    for element in node.elements() {
        let Some(field) = field(&element) else { continue };
        if fields.iter().any(|other| other.name() == field.name()) {
            element.refuse(format!("there is another column `{}`", field.name()));
        }
        fields.push(field);
    }
    Arc::new(Schema::new(fields))
}

fn field(node: &Node<'_>) -> Option<Field> {
    let members = node.members(&["columnName", "isNullable", "dataType", "comment", "length", "columnPurpose"])?;
    let name = members.need("columnName").and_then(|name| name.text());
    let is_nullable = members.get("isNullable").map_or(Some(true), |node| node.flag());
    let data_type = members.need("dataType").and_then(|node| data_type(&node));
    Some(Field::new(name?, data_type?, is_nullable?))
}

fn data_type(node: &Node<'_>) -> Option<DataType> {
    let members = node.members(&[
        "type",
        "items",
        "values",
        "symbols",
        "name",
        "pattern",
        "format",
        "precision",
        "scale",
        "source.type",
    ])?;
    let kind = members.need("type")?;
    let name = kind.text()?.trim();
    // `int|null` is how inferred schemas say that a column is nullable.
    let name = name.strip_suffix("|null").unwrap_or(name).to_ascii_lowercase();
    Some(match name.as_str() {
        "string" | "array" | "map" | "object" | "record" | "enum" => DataType::Utf8,
        "int" | "integer" => DataType::Int32,
        "int64" | "long" => DataType::Int64,
        "float" | "double" | "number" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "bytes" => DataType::Binary,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "decimal" => {
            let precision = members.get("precision").map_or(Some(38), |node| node.whole(1..=38))?;
            let scale = members.get("scale").map_or(Some(0), |node| node.whole(0..=precision))?;
            DataType::Decimal128(u8::try_from(precision).ok()?, i8::try_from(scale).ok()?)
        }
        other => match RowType::from_name(other) {
            Some(row_type) => row_type.data_type().clone(),
            None => {
                kind.unknown("type", other, &TYPES);
                return None;
            }
        },
    })
}
