use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::format::{JsonForm, JsonOptions, JsonWriter};
use crate::ingest::Json;
use crate::ingest::settings::{SecondaryColumns, UnitSettings};

/// Turns the rows of the secondary input into values.
///
/// Numbers keep their digits; dates and times are texts in the forms of ISO 8601, bytes base64, columns of JSON what they hold.
#[derive(Debug, Clone)]
pub struct SecondaryReader {
    writer: JsonWriter,
    units: UnitSettings,
}

/// A row of the secondary input, by what its columns are for.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SecondaryRow {
    /// Category `activation`.
    pub fields: Vec<(Box<str>, Json)>,
    /// Category `authentication`.
    pub secrets: Vec<(Box<str>, Json)>,
    /// Category `payload`.
    pub payload: Vec<(Box<str>, Json)>,
}

impl fmt::Debug for SecondaryRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rows hold secrets.
        f.write_str("SecondaryRow")
    }
}

/// Why a row of the secondary input gives no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SecondaryError {
    /// What is wrong with it.
    pub problem: String,
}

impl SecondaryReader {
    /// A reader of rows with these columns.
    #[must_use]
    pub fn new(schema: &Schema, units: &UnitSettings) -> Self {
        let mut writer = JsonWriter::new(JsonOptions { form: JsonForm::Lines });
        writer.begin(schema, &mut String::new());
        Self { writer, units: units.clone() }
    }

    /// The rows of a block that no filter keeps out.
    ///
    /// # Errors
    ///
    /// [`SecondaryError`] for a value that can't be written, or a row that is too long.
    pub fn rows(&mut self, block: &RecordBatch) -> Result<Vec<SecondaryRow>, SecondaryError> {
        let refuse = |problem: String| SecondaryError { problem: format!("the secondary input: {problem}") };
        let mut lines = String::new();
        self.writer.rows(block, &mut lines).map_err(|error| refuse(error.to_string()))?;
        let mut rows = Vec::new();
        for line in lines.lines() {
            let Json::Object(row) = Json::parse(line).map_err(|error| refuse(error.problem))? else { continue };
            if self.is_taken(&row) {
                rows.push(split(row, &self.units.columns));
            }
        }
        Ok(rows)
    }

    fn is_taken(&self, row: &[(Box<str>, Json)]) -> bool {
        self.units.filters.iter().all(|(column, pattern)| {
            let value = row.iter().find(|(name, _)| name == column).map(|(_, value)| value);
            value.is_some_and(|value| *value != Json::Null && pattern.is_match(&value.to_text()))
        })
    }
}

fn split(row: Vec<(Box<str>, Json)>, columns: &SecondaryColumns) -> SecondaryRow {
    let mut split = SecondaryRow::default();
    for (name, value) in row {
        let is_secret = columns.authentication.contains(&name);
        let is_payload = columns.payload.contains(&name);
        let is_field = match &columns.activation {
            Some(names) => names.contains(&name),
            None => !is_secret && !is_payload,
        };
        if is_payload {
            split.payload.push((name.clone(), value.clone()));
        }
        // A column that is named as both is a secret.
        if is_secret {
            split.secrets.push((name, value));
        } else if is_field {
            split.fields.push((name, value));
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Decimal128Array, Int64Array, StringArray};
    use regex::Regex;

    use super::*;

    fn block() -> RecordBatch {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let states: ArrayRef = Arc::new(StringArray::from(vec![Some("OK"), None, Some("OKAY")]));
        let tokens: ArrayRef = Arc::new(StringArray::from(vec!["s1", "s2", "s3"]));
        let prices = Decimal128Array::from(vec![100, 200, 300]).with_precision_and_scale(30, 2).unwrap();
        let columns = [("id", ids), ("state", states), ("token", tokens), ("price", Arc::new(prices))];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn read(units: &UnitSettings) -> Vec<SecondaryRow> {
        SecondaryReader::new(block().schema_ref(), units).rows(&block()).unwrap()
    }

    fn names(fields: &[(Box<str>, Json)]) -> Vec<&str> {
        fields.iter().map(|(name, _)| &**name).collect()
    }

    #[test]
    fn columns_go_where_their_category_says() {
        let mut units = UnitSettings::default();
        units.columns.authentication = vec!["token".into()];
        units.columns.payload = vec!["price".into()];
        let rows = read(&units);
        assert_eq!(rows.len(), 3);
        assert_eq!(names(&rows[0].fields), ["id", "state"]);
        assert_eq!(names(&rows[0].secrets), ["token"]);
        assert_eq!(rows[1].payload, [("price".into(), Json::Number("2.00".into()))]);
        assert_eq!(rows[1].fields[1].1, Json::Null);

        units.columns.activation = Some(vec!["id".into()]);
        assert_eq!(names(&read(&units)[0].fields), ["id"]);
    }

    #[test]
    fn filters_keep_out_what_does_not_match_as_a_whole_and_what_is_null() {
        let filters = vec![("state".into(), Regex::new(r"\A(?:OK)\z").unwrap())];
        let rows = read(&UnitSettings { filters, ..UnitSettings::default() });
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].fields[0].1, Json::from(1_u64));
    }
}
