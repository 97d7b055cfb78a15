//! What a `WebRowSet` says about its columns.

use std::io::BufRead;

use arrow_schema::Field;

use super::column_types::data_type_of;
use super::parser::{FORMAT, Parser};
use crate::block::ColumnOrigin;
use crate::format::{FormatError, MOST_COLUMNS};

/// What a column definition says.
#[derive(Default)]
struct Definition {
    name: String,
    code: Option<i32>,
    precision: Option<u8>,
    scale: Option<i8>,
    origin: ColumnOrigin,
}

impl<R: BufRead> Parser<R> {
    /// Reads the element `metadata`, which is open.
    pub(super) fn metadata(&mut self) -> Result<Vec<Field>, FormatError> {
        let mut columns = Vec::new();
        while let Some(element) = self.child("metadata")? {
            match element {
                "column-definition" if columns.len() < MOST_COLUMNS => columns.push(self.definition()?.into_field()),
                "column-definition" => return Err(FormatError::malformed(FORMAT, "it has too many columns")),
                _ => self.skip()?,
            }
        }
        Ok(columns)
    }

    fn definition(&mut self) -> Result<Definition, FormatError> {
        let mut definition = Definition::default();
        while let Some(element) = self.child("column-definition")? {
            let text = self.text()?;
            match element {
                // The label is the name that the query gave.
                "column-label" => definition.name = text.unwrap_or_default(),
                "column-name" if definition.name.is_empty() => definition.name = text.unwrap_or_default(),
                "column-type" => definition.code = number(text),
                "column-precision" => definition.precision = number(text),
                "column-scale" => definition.scale = number(text),
                "column-type-name" => definition.origin.type_name = text.filter(|text| !text.is_empty()),
                "table-name" => definition.origin.table = text.filter(|text| !text.is_empty()),
                "auto-increment" => definition.origin.auto_increment = text.as_deref() == Some("true"),
                "nullable" => {
                    definition.origin.nullable = number::<u8>(text).filter(|known| *known < 2).map(|known| known == 1);
                }
                _ => {}
            }
        }
        Ok(definition)
    }
}

impl Definition {
    fn into_field(self) -> Field {
        let data_type = data_type_of(self.code.unwrap_or_default(), self.precision, self.scale);
        Field::new(self.name, data_type, true).with_metadata(self.origin.to_metadata())
    }
}

fn number<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
    text?.trim().parse().ok()
}
