use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::FormatError;
use super::cells::{Cells, NOT_TEXT, Values};
use super::stream::Stream;
use super::text::{Iso, push_base64, push_list};
use crate::document::activities::ColumnChoice;

impl ColumnChoice {
    /// The index of the column, from 0.
    ///
    /// # Errors
    ///
    /// [`FormatError::Column`] with the names that there are.
    pub fn index(&self, schema: &Schema) -> Result<usize, FormatError> {
        let position = |wanted: &dyn Fn(&str) -> bool| schema.fields().iter().position(|field| wanted(field.name()));
        let found = match self {
            Self::Name(name) => {
                position(&|known| known == name).or_else(|| position(&|known| known.eq_ignore_ascii_case(name)))
            }
            Self::Number(number) => number.checked_sub(1).filter(|index| *index < schema.fields().len()),
        };
        found.ok_or_else(|| FormatError::Column {
            wanted: match self {
                Self::Name(name) => format!("`{name}`"),
                Self::Number(number) => format!("number {number}"),
            },
            known: known_names(schema),
        })
    }
}

fn known_names(schema: &Schema) -> String {
    let names: Vec<String> = schema.fields().iter().map(|field| format!("`{}`", field.name())).collect();
    names.join(", ")
}

/// Gives the values of one column as text: what `resultsetProjection` does.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch};
/// use rejoin::format::{ColumnChoice, ColumnText};
///
/// let ids = Arc::new(Int64Array::from(vec![Some(7), None]));
/// let rows = RecordBatch::try_from_iter([("id", ids as _)]).unwrap();
/// let mut column = ColumnText::new(rows.schema_ref(), &ColumnChoice::Number(1)).unwrap();
/// let mut seen = Vec::new();
/// column.values(&rows, |value| seen.push(value.map(str::to_owned))).unwrap();
/// assert_eq!(seen, [Some("7".to_owned()), None]);
/// ```
#[derive(Debug, Clone)]
pub struct ColumnText {
    index: usize,
    stream: Stream,
}

impl ColumnText {
    /// Chooses a column of a stream that begins with this schema.
    ///
    /// # Errors
    ///
    /// [`FormatError::Column`] when there is no such column.
    pub fn new(schema: &Schema, choice: &ColumnChoice) -> Result<Self, FormatError> {
        Ok(Self { index: choice.index(schema)?, stream: Stream::begun(schema) })
    }

    /// Shows the values of a block to `visit`, row by row, NULL as `None`. They have the same
    /// form as in a `WebRowSet`.
    ///
    /// # Errors
    ///
    /// [`FormatError::Value`] for bytes in a column of another type.
    pub fn values(&mut self, rows: &RecordBatch, mut visit: impl FnMut(Option<&str>)) -> Result<(), FormatError> {
        let cells = Cells::of(rows, self.index, self.stream.announced(self.index))?;
        let mut text = String::new();
        for row in 0..rows.num_rows() {
            if cells.is_null(row) {
                visit(None);
                continue;
            }
            text.clear();
            match &cells.values {
                Values::Plain(plain) => plain.push::<Iso>(&mut text, row),
                Values::Blobs(array) => push_base64(&mut text, array.value(row)),
                Values::Texts(array) => {
                    visit(Some(array.value(row)));
                    continue;
                }
                Values::Mixed(array) => match std::str::from_utf8(array.value(row)) {
                    Ok(value) => text.push_str(value),
                    Err(_) => return Err(self.stream.value_error(rows, (row, self.index), NOT_TEXT)),
                },
                Values::Lists(lists) => push_list(&mut text, lists, row),
            }
            visit(Some(&text));
        }
        self.stream.passed(rows);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BinaryArray, Float64Array, StringArray};

    use super::*;

    fn rows() -> RecordBatch {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("Name", Arc::new(StringArray::from(vec![Some("a & b"), None]))),
            ("name", Arc::new(Float64Array::from(vec![0.5, 2.0]))),
            ("raw", Arc::new(BinaryArray::from(vec![&b"\xff"[..], &b""[..]]))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn projected(choice: &ColumnChoice) -> Vec<Option<String>> {
        let rows = rows();
        let mut column = ColumnText::new(rows.schema_ref(), choice).unwrap();
        let mut seen = Vec::new();
        column.values(&rows, |value| seen.push(value.map(str::to_owned))).unwrap();
        seen
    }

    #[test]
    fn a_column_is_found_by_name_or_number() {
        assert_eq!(projected(&ColumnChoice::Number(1)), [Some("a & b".to_owned()), None]);
        assert_eq!(projected(&ColumnChoice::Name("name".into())), [Some("0.5".to_owned()), Some("2.0".to_owned())]);
        assert_eq!(projected(&ColumnChoice::Name("RAW".into())), [Some("/w==".to_owned()), Some(String::new())]);
    }

    #[test]
    fn a_column_that_is_not_there_is_answered_with_those_that_are() {
        for (choice, wanted) in [
            (ColumnChoice::Name("nome".into()), "`nome`"),
            (ColumnChoice::Number(0), "number 0"),
            (ColumnChoice::Number(4), "number 4"),
        ] {
            let error = ColumnText::new(rows().schema_ref(), &choice).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("there is no column {wanted}; the columns are `Name`, `name`, `raw`")
            );
        }
    }
}
