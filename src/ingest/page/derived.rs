//! Columns that are made of others: `ms.derived.fields`.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::value::RawValue;

use super::columns::{Columns, Misfit};
use super::envelope::Paths;
use super::record::Piece;
use crate::format::{ColumnBuilder, ColumnChoice, ColumnText};
use crate::ingest::settings::{ColumnType, DerivedField, DerivedForm, DerivedSource, TimePattern, TimeZone, ValuePath};

/// The texts of the sources that are not part of a record, by the place of their field; `None` for the others.
pub type Constants = [Option<Box<str>>];

/// The derived columns of an ingestion.
#[derive(Debug, Clone)]
pub(super) struct Derived {
    fields: Vec<DerivedField>,
    paths: Paths,
    /// For each field, the number of the path of its source.
    sources: Vec<Option<usize>>,
}

impl Derived {
    pub(super) fn new(fields: &[DerivedField]) -> Self {
        let mut paths = Paths::default();
        let sources = fields.iter().map(|field| match &field.source {
            DerivedSource::Field(path) => Some(paths.add(Some(path))),
            DerivedSource::Variables(_) | DerivedSource::Time(_) => None,
        });
        Self { sources: sources.collect(), fields: fields.to_vec(), paths }
    }

    /// The columns with those that are derived behind them, where they are not among them.
    pub(super) fn with_columns(&self, schema: &SchemaRef) -> SchemaRef {
        if self.fields.is_empty() {
            return Arc::clone(schema);
        }
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
        for derived in &self.fields {
            if fields.iter().all(|field| **field.name() != *derived.name) {
                fields.push(Arc::new(Field::new(&*derived.name, data_type(&derived.form), true)));
            }
        }
        Arc::new(Schema::new(fields))
    }

    /// Adds them to a record that is being taken.
    pub(super) fn put(&self, record: &RawValue, constants: &Constants, columns: &mut Columns) -> Result<(), Misfit> {
        if self.fields.is_empty() {
            return Ok(());
        }
        let found = self.paths.find(record.get()).unwrap_or_default();
        for (place, field) in self.fields.iter().enumerate() {
            let source = match self.sources[place] {
                Some(path) => found.get(path).copied().flatten().and_then(|raw| Piece::of(raw).into_text()),
                None => constants.get(place).and_then(Option::as_deref).map(Cow::Borrowed),
            };
            let value = made(&field.form, source.as_deref()).map_err(|problem| misfit(field, problem))?;
            columns.put_derived(&field.name, piece(&field.form, value.as_deref()))?;
        }
        Ok(())
    }

    /// Rows with the derived columns behind them.
    pub(super) fn append(&self, rows: &RecordBatch, constants: &Constants) -> Result<RecordBatch, Misfit> {
        if self.fields.is_empty() {
            return Ok(rows.clone());
        }
        let mut columns = rows.columns().to_vec();
        let mut fields: Vec<Arc<Field>> = rows.schema_ref().fields().iter().cloned().collect();
        for (place, field) in self.fields.iter().enumerate() {
            let sources = match &field.source {
                DerivedSource::Field(path) => texts(rows, path).map_err(|problem| misfit(field, problem))?,
                _ => vec![constants.get(place).cloned().flatten(); rows.num_rows()],
            };
            let mut builder = ColumnBuilder::of(&data_type(&field.form))
                .ok_or_else(|| misfit(field, "rows have no such type".to_owned()))?;
            for source in sources {
                let value = made(&field.form, source.as_deref()).map_err(|problem| misfit(field, problem))?;
                match value {
                    None => builder.push_null(),
                    Some(value) => builder
                        .push(&value)
                        .ok_or_else(|| misfit(field, format!("`{value}` is no value of its type")))?,
                }
            }
            columns.push(builder.finish());
            fields.push(Arc::new(Field::new(&*field.name, data_type(&field.form), true)));
        }
        let made = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        made.map_err(|error| Misfit { field: String::new(), problem: error.to_string() })
    }
}

fn misfit(field: &DerivedField, problem: String) -> Misfit {
    Misfit { field: field.name.to_string(), problem }
}

fn data_type(form: &DerivedForm) -> DataType {
    match form {
        DerivedForm::Value(ColumnType::Text) | DerivedForm::Matches(_) => DataType::Utf8,
        DerivedForm::Value(ColumnType::Integer) | DerivedForm::Epoch { .. } => DataType::Int64,
        DerivedForm::Value(ColumnType::Number) => DataType::Float64,
        DerivedForm::Value(ColumnType::Boolean) => DataType::Boolean,
    }
}

fn piece<'a>(form: &DerivedForm, value: Option<&'a str>) -> Piece<'a> {
    match (data_type(form), value) {
        (_, None) => Piece::Null,
        (DataType::Boolean, Some("true")) => Piece::Boolean(true),
        (DataType::Boolean, Some("false")) => Piece::Boolean(false),
        (DataType::Int64 | DataType::Float64, Some(value)) => Piece::Number(value),
        (_, Some(value)) => Piece::Text(Cow::Borrowed(value)),
    }
}

/// The text of the value that is made of a source.
fn made<'a>(form: &DerivedForm, source: Option<&'a str>) -> Result<Option<Cow<'a, str>>, String> {
    let Some(source) = source else { return Ok(None) };
    match form {
        DerivedForm::Value(ColumnType::Text) => Ok(Some(Cow::Borrowed(source))),
        DerivedForm::Value(_) => Ok(Some(Cow::Borrowed(source.trim()))),
        DerivedForm::Matches(regex) => {
            let captures = regex.captures(source);
            let found = captures.and_then(|captures| captures.get(1).or_else(|| captures.get(0)));
            Ok(found.map(|found| Cow::Borrowed(found.as_str())))
        }
        DerivedForm::Epoch { pattern, zone } => {
            let millis = millis(source.trim(), pattern.as_ref(), *zone);
            let written = pattern.as_ref().map_or("ISO 8601", TimePattern::text);
            millis
                .map(|millis| Some(Cow::Owned(millis.to_string())))
                .ok_or_else(|| format!("`{}` is no time of the form {written}", super::error::shortened(source)))
        }
    }
}

/// Milliseconds since 1970.
fn millis(text: &str, pattern: Option<&TimePattern>, zone: TimeZone) -> Option<i64> {
    let Some(pattern) = pattern else {
        let iso = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis());
        return text.parse().ok().or_else(iso).or_else(|| local(text, "%Y-%m-%dT%H:%M:%S%.f", zone));
    };
    let directives = directives(pattern.text());
    let with_offset = DateTime::parse_from_str(text, &directives).ok().map(|time| time.timestamp_millis());
    with_offset.or_else(|| local(text, &directives, zone))
}

/// A time, or a date alone, as the clocks of a zone show it.
fn local(text: &str, directives: &str, zone: TimeZone) -> Option<i64> {
    let time = NaiveDateTime::parse_from_str(text, directives).ok();
    let date = || NaiveDate::parse_from_str(text, directives).ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    time.or_else(date).or_else(day).map(|local| zone.moment(local).timestamp_millis())
}

/// A pattern of Java in the directives of `strftime`, as far as times are read by them.
fn directives(pattern: &str) -> String {
    let mut directives = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(letter) = rest.next() {
        if letter == '\'' {
            for quoted in rest.by_ref().take_while(|quoted| *quoted != '\'') {
                directives.push(quoted);
            }
            continue;
        }
        let mut count = 1;
        while letter.is_ascii_alphabetic() && rest.next_if_eq(&letter).is_some() {
            count += 1;
        }
        match (letter, count) {
            ('y' | 'u' | 'x' | 'Y', 2) => directives.push_str("%y"),
            ('y' | 'u' | 'x' | 'Y', _) => directives.push_str("%Y"),
            ('M', 3) => directives.push_str("%b"),
            ('M', 4) => directives.push_str("%B"),
            ('M', _) => directives.push_str("%m"),
            ('d', _) => directives.push_str("%d"),
            ('D', _) => directives.push_str("%j"),
            ('E', 1..=3) => directives.push_str("%a"),
            ('E', _) => directives.push_str("%A"),
            ('H' | 'k', _) => directives.push_str("%H"),
            ('h' | 'K', _) => directives.push_str("%I"),
            ('m', _) => directives.push_str("%M"),
            ('s', _) => directives.push_str("%S"),
            ('S', 1..=3) => directives.push_str("%3f"),
            ('S', 4..=6) => directives.push_str("%6f"),
            ('S', _) => directives.push_str("%9f"),
            ('a', _) => directives.push_str("%p"),
            ('Z' | 'X', _) => directives.push_str("%#z"),
            ('%', _) => directives.push_str("%%"),
            (other, _) => directives.push(other),
        }
    }
    directives
}

/// The values of the column that a path names.
fn texts(rows: &RecordBatch, path: &ValuePath) -> Result<Vec<Option<Box<str>>>, String> {
    let choice = ColumnChoice::Name(path.to_string());
    let mut column = ColumnText::new(rows.schema_ref(), &choice).map_err(|error| error.to_string())?;
    let mut texts = Vec::with_capacity(rows.num_rows());
    column.values(rows, |value| texts.push(value.map(Into::into))).map_err(|error| error.to_string())?;
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_pattern() {
        let zone = TimeZone::parse("Europe/Vienna").unwrap();
        let by = |text: &str, pattern: &str| millis(text, Some(&TimePattern::parse(pattern).unwrap()), zone);
        assert_eq!(by("2026-01-02T03:04:05.006+0100", "yyyy-MM-dd'T'HH:mm:ss.SSSZ"), Some(1_767_319_445_006));
        assert_eq!(by("02/01/2026 03:04", "dd/MM/yyyy HH:mm"), Some(1_767_319_440_000));
        assert_eq!(by("20260102", "yyyyMMdd"), Some(1_767_308_400_000));
        assert_eq!(by("soon", "yyyyMMdd"), None);
        assert_eq!(millis("1767319445006", None, zone), Some(1_767_319_445_006));
        assert_eq!(millis("2026-01-02T02:04:05.006Z", None, zone), Some(1_767_319_445_006));
    }
}
