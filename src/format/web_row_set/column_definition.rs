//! How a `WebRowSet` document describes its columns.

use arrow_schema::Field;

use super::column_types::{ColumnType, UNBOUNDED};
use super::xml_text::{is_xml, push_content};
use crate::block::ColumnOrigin;
use crate::document::activities::TemporalColumns;
use crate::format::FormatError;
use crate::format::text::{push_boolean, push_integer};

/// Appends the description of a column: seventeen elements, in the order of the schema.
pub(super) fn push_definition(
    out: &mut String,
    number: usize,
    field: &Field,
    temporal: TemporalColumns,
) -> Result<(), FormatError> {
    let origin = ColumnOrigin::of(field);
    let Some(facts) = ColumnType::of(field.data_type(), temporal) else {
        return Err(FormatError::Type { column: field.name().clone(), data_type: field.data_type().to_string() });
    };
    let length = origin.type_name.as_deref().and_then(declared_length);
    let nullable = match origin.nullable {
        Some(false) => 0,
        Some(true) => 1,
        None => 2,
    };
    out.push_str("<column-definition>");
    push_number(out, "column-index", number);
    push_flag(out, "auto-increment", origin.auto_increment);
    push_flag(out, "case-sensitive", facts.is_text);
    push_flag(out, "currency", false);
    push_number(out, "nullable", nullable);
    push_flag(out, "signed", facts.is_number);
    push_flag(out, "searchable", true);
    push_number(out, "column-display-size", length.filter(|_| facts.is_text).unwrap_or(facts.display_size));
    push_element(out, "column-label", field.name())?;
    push_element(out, "column-name", field.name())?;
    push_element(out, "schema-name", "")?;
    push_number(out, "column-precision", length.filter(|_| facts.is_text).unwrap_or(facts.precision));
    push_raw(out, "column-scale", |out| push_integer(out, facts.scale));
    push_element(out, "table-name", origin.table.as_deref().unwrap_or(""))?;
    push_element(out, "catalog-name", "")?;
    push_raw(out, "column-type", |out| push_integer(out, facts.code));
    push_element(out, "column-type-name", origin.type_name.as_deref().unwrap_or(facts.name))?;
    out.push_str("</column-definition>");
    Ok(())
}

/// The 40 of `VARCHAR(40)`.
fn declared_length(type_name: &str) -> Option<usize> {
    let (_, length) = type_name.strip_suffix(')')?.split_once('(')?;
    length.trim().parse().ok().filter(|length| *length <= UNBOUNDED)
}

/// Appends an element with a number.
pub(super) fn push_number(out: &mut String, name: &str, value: usize) {
    push_raw(out, name, |out| push_integer(out, value));
}

fn push_flag(out: &mut String, name: &str, value: bool) {
    push_raw(out, name, |out| push_boolean(out, value));
}

fn push_element(out: &mut String, name: &str, text: &str) -> Result<(), FormatError> {
    let mut result = Ok(());
    push_raw(out, name, |out| result = push_name(out, name, text));
    result
}

fn push_raw(out: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    for part in ["<", name, ">"] {
        out.push_str(part);
    }
    content(out);
    for part in ["</", name, ">"] {
        out.push_str(part);
    }
}

/// Appends a name. Java's reader keeps only the last piece that its parser gives it of a name, and a reference such as
/// `&amp;` would begin a new piece: so names that need one stand in a CDATA section.
pub(super) fn push_name(out: &mut String, what: &str, text: &str) -> Result<(), FormatError> {
    if let Some(character) = text.chars().find(|character| !is_xml(*character)) {
        let code = u32::from(character);
        return Err(FormatError::Option(format!(
            "{what}: it holds the character U+{code:04X}, which no XML document can"
        )));
    }
    let in_section = text.contains(['&', '<', '>']) && !text.contains(['\r', ']']);
    if in_section {
        for part in ["<![CDATA[", text, "]]>"] {
            out.push_str(part);
        }
        return Ok(());
    }
    push_content(out, text).map_err(|_| FormatError::Option(format!("{what} can't be written")))
}
