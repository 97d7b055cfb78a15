use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use serde::de::IgnoredAny;

use super::FormatError;
use super::cells::{Cells, Lists, NOT_TEXT, Plain, Values};
use super::stream::Stream;
use super::text::{Iso, push_base64};
use crate::block::ColumnOrigin;
use crate::document::activities::JsonForm;

/// How [`JsonWriter`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JsonOptions {
    /// What holds the objects.
    pub form: JsonForm,
}

/// Writes rows as JSON: an object for each, with the names of the columns.
///
/// | values | written as |
/// |---|---|
/// | integers, decimals | numbers with all their digits, however many |
/// | reals | numbers in the shortest form that reads back as the same; `"NaN"`, `"Infinity"`, `"-Infinity"` |
/// | truth values, NULL | `true`, `false`, `null` |
/// | text | strings; in a column of JSON (`json`, `jsonb`) as it is |
/// | bytes | strings of base64 |
/// | dates, times, spans | strings in the forms of ISO 8601 |
/// | lists | arrays |
///
/// Of several columns with one name the second is `name_2`, the third `name_3`.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch, StringArray};
/// use rejoin::format::{JsonOptions, JsonWriter};
///
/// let ids = Arc::new(Int64Array::from(vec![1, 2]));
/// let names = Arc::new(StringArray::from(vec![Some("say \"hi\""), None]));
/// let rows = RecordBatch::try_from_iter([("id", ids as _), ("name", names as _)]).unwrap();
///
/// let mut writer = JsonWriter::new(JsonOptions::default());
/// let mut text = String::new();
/// writer.begin(rows.schema_ref(), &mut text);
/// writer.rows(&rows, &mut text).unwrap();
/// writer.end(&mut text);
/// assert_eq!(text, "[\n{\"id\":1,\"name\":\"say \\\"hi\\\"\"},\n{\"id\":2,\"name\":null}\n]\n");
/// ```
#[derive(Debug, Clone)]
pub struct JsonWriter {
    options: JsonOptions,
    stream: Stream,
    /// What stands before the value of each column: a brace or a comma, the name, a colon.
    before: Vec<String>,
    /// Which columns hold JSON.
    is_json: Vec<bool>,
    has_rows: bool,
}

impl JsonWriter {
    /// A writer with these options.
    #[must_use]
    pub fn new(options: JsonOptions) -> Self {
        Self { options, stream: Stream::default(), before: Vec::new(), is_json: Vec::new(), has_rows: false }
    }

    /// Begins a document.
    pub fn begin(&mut self, schema: &Schema, out: &mut String) {
        self.stream = Stream::begun(schema);
        self.is_json = schema.fields().iter().map(|field| holds_json(field)).collect();
        self.before.clear();
        for (index, name) in unique_names(schema).iter().enumerate() {
            let mut before = String::from(if index == 0 { "{" } else { "," });
            push_string(&mut before, name);
            before.push(':');
            self.before.push(before);
        }
        if self.options.form == JsonForm::Array {
            out.push('[');
        }
    }

    /// Appends the rows of a block, which has the columns that the document began with.
    ///
    /// # Errors
    ///
    /// [`FormatError::Value`] for bytes in a column of another type, [`FormatError::Type`] when a column has a type that
    /// no data resource gives.
    pub fn rows(&mut self, rows: &RecordBatch, out: &mut String) -> Result<(), FormatError> {
        let columns = self.stream.cells(rows)?;
        for row in 0..rows.num_rows() {
            match self.options.form {
                JsonForm::Array if self.has_rows => out.push_str(",\n"),
                JsonForm::Array => out.push('\n'),
                JsonForm::Lines => {}
            }
            self.has_rows = true;
            if columns.is_empty() {
                out.push('{');
            }
            for (index, (column, before)) in columns.iter().zip(&self.before).enumerate() {
                out.push_str(before);
                if !push_value(out, column, row, self.is_json[index]) {
                    return Err(self.stream.value_error(rows, (row, index), NOT_TEXT));
                }
            }
            out.push_str(if self.options.form == JsonForm::Lines { "}\n" } else { "}" });
        }
        self.stream.passed(rows);
        Ok(())
    }

    /// Ends the document.
    pub fn end(&mut self, out: &mut String) {
        if self.options.form == JsonForm::Array {
            out.push_str(if self.has_rows { "\n]\n" } else { "]\n" });
        }
    }
}

/// The names of the columns, told apart where several have one.
fn unique_names(schema: &Schema) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{}_{number}", field.name());
            number += 1;
        }
        names.push(name);
    }
    names
}

fn holds_json(field: &Field) -> bool {
    let name = ColumnOrigin::of(field).type_name;
    name.is_some_and(|name| name.eq_ignore_ascii_case("json") || name.eq_ignore_ascii_case("jsonb"))
}

/// Appends one value, unless it is bytes where no bytes can be.
#[inline]
fn push_value(out: &mut String, column: &Cells<'_>, row: usize, is_json: bool) -> bool {
    if column.is_null(row) {
        out.push_str("null");
        return true;
    }
    match &column.values {
        Values::Plain(plain) => push_plain(out, plain, row),
        Values::Texts(array) if is_json => push_json(out, array.value(row)),
        Values::Texts(array) => push_string(out, array.value(row)),
        Values::Blobs(array) => {
            out.push('"');
            push_base64(out, array.value(row));
            out.push('"');
        }
        Values::Mixed(array) => match std::str::from_utf8(array.value(row)) {
            Ok(text) => push_string(out, text),
            Err(_) => return false,
        },
        Values::Lists(lists) => return push_list(out, lists, row),
    }
    true
}

fn push_list(out: &mut String, lists: &Lists<'_>, row: usize) -> bool {
    out.push('[');
    let range = lists.range(row);
    let first = range.start;
    for item in range {
        if item > first {
            out.push(',');
        }
        if !push_value(out, &lists.items, item, false) {
            return false;
        }
    }
    out.push(']');
    true
}

#[inline]
fn push_plain(out: &mut String, plain: &Plain<'_>, row: usize) {
    let is_string = match plain {
        Plain::Float32(array) => !array.value(row).is_finite(),
        Plain::Float64(array) => !array.value(row).is_finite(),
        Plain::Dates(_) | Plain::Times(_) | Plain::Timestamps(_) | Plain::Moments(_) | Plain::Intervals(_) => true,
        _ => false,
    };
    if is_string {
        out.push('"');
    }
    plain.push::<Iso>(out, row);
    if is_string {
        out.push('"');
    }
}

/// Appends a text that should be JSON as it is, on one line; as a string if it is none.
fn push_json(out: &mut String, text: &str) {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        push_string(out, text);
    } else if text.contains(['\n', '\r']) {
        // In JSON they stand between values alone.
        out.push_str(&text.replace(['\n', '\r'], " "));
    } else {
        out.push_str(text);
    }
}

#[inline]
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().fold(false, |found, byte| found | needs_care(byte)) {
        push_escaped(out, text);
    } else {
        out.push_str(text);
    }
    out.push('"');
}

#[inline]
fn needs_care(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\')
}

fn push_escaped(out: &mut String, text: &str) {
    let mut copied = 0;
    for (index, byte) in text.bytes().enumerate().filter(|(_, byte)| needs_care(*byte)) {
        out.push_str(&text[copied..index]);
        copied = index + 1;
        out.push('\\');
        match byte {
            b'\n' => out.push('n'),
            b'\r' => out.push('r'),
            b'\t' => out.push('t'),
            b'"' | b'\\' => out.push(char::from(byte)),
            _ => {
                out.push_str(if byte < 0x10 { "u000" } else { "u001" });
                out.push(char::from_digit(u32::from(byte % 16), 16).unwrap_or('0'));
            }
        }
    }
    out.push_str(&text[copied..]);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, StringArray};
    use serde_json::{Value, json};

    use super::*;
    use crate::format::samples::every_type;

    fn written(form: JsonForm, blocks: &[RecordBatch]) -> String {
        let mut writer = JsonWriter::new(JsonOptions { form });
        let mut out = String::new();
        writer.begin(blocks[0].schema_ref(), &mut out);
        for block in blocks {
            writer.rows(block, &mut out).unwrap();
        }
        writer.end(&mut out);
        out
    }

    #[test]
    fn every_type_has_its_form() {
        let text = written(JsonForm::Lines, &[every_type()]);
        let (first, second) = text.trim_end().split_once('\n').unwrap();
        for exact in [
            "\"int64\":-9223372036854775808,",
            "\"uint64\":18446744073709551615,",
            "\"decimal128\":123.40,",
            "\"decimal256\":9999999999999999999999999999999999999999.9999999999,",
        ] {
            assert!(first.contains(exact), "{first}");
        }
        let value: Value = serde_json::from_str(first).unwrap();
        for (name, expected) in [
            ("boolean", json!(true)),
            ("float64", json!(1e20)),
            ("float32", json!(0.1)),
            ("utf8", json!("say \"é\" & <go>")),
            ("binary", json!("AP8=")),
            ("date", json!("2026-11-21")),
            ("time", json!("08:00:00.5")),
            ("timestamp", json!("2026-11-21T08:00:00.5")),
            ("moment", json!("2026-11-21T08:00:00.5Z")),
            ("interval", json!("P1Y2M3DT4H")),
            ("integers", json!([1, null, -3])),
            ("texts", json!(["a b", "null", null, "say \"hi\\\"", "", "plain"])),
        ] {
            assert_eq!(value[name], expected, "{name}");
        }
        let nulls: Value = serde_json::from_str(second).unwrap();
        assert!(nulls.as_object().unwrap().values().all(Value::is_null));
    }

    #[test]
    fn every_character_is_read_back() {
        let text: String = (0..0x300).filter_map(char::from_u32).chain("𝄞\u{2028}".chars()).collect();
        let column: ArrayRef = Arc::new(StringArray::from(vec![text.as_str()]));
        let rows = RecordBatch::try_from_iter([(text.as_str(), column)]).unwrap();
        let value: Value = serde_json::from_str(&written(JsonForm::Array, &[rows])).unwrap();
        assert_eq!(value, json!([{ text.as_str(): text }]));
    }

    #[test]
    fn an_array_holds_all_blocks_or_nothing() {
        let column: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN, f64::NEG_INFINITY]));
        let rows = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let value: Value =
            serde_json::from_str(&written(JsonForm::Array, &[rows.slice(0, 0), rows.slice(0, 1), rows.slice(1, 2)]))
                .unwrap();
        assert_eq!(value, json!([{"a": 1.0}, {"a": "NaN"}, {"a": "-Infinity"}]));
        assert_eq!(written(JsonForm::Array, &[rows.slice(0, 0)]), "[]\n");
        assert_eq!(written(JsonForm::Lines, &[rows.slice(0, 0)]), "");
    }

    #[test]
    fn columns_of_one_name_are_told_apart() {
        let column = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let fields = ["a", "a_2", "a"].map(|name| Field::new(name, arrow_schema::DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let rows = RecordBatch::try_new(schema, vec![column("x"), column("y"), column("z")]).unwrap();
        assert_eq!(written(JsonForm::Lines, &[rows]), "{\"a\":\"x\",\"a_2\":\"y\",\"a_3\":\"z\"}\n");
    }

    #[test]
    fn json_stays_json_if_it_is() {
        let origin = ColumnOrigin { type_name: Some("jsonb".into()), ..ColumnOrigin::default() };
        let field = Field::new("j", arrow_schema::DataType::Utf8, true).with_metadata(origin.to_metadata());
        let texts = StringArray::from(vec![Some("{\"a\": [1.10,\n2]}"), Some("1, \"b\": 2"), Some("null"), None]);
        let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(texts)]).unwrap();
        let expected = "{\"j\":{\"a\": [1.10, 2]}}\n{\"j\":\"1, \\\"b\\\": 2\"}\n{\"j\":null}\n{\"j\":null}\n";
        assert_eq!(written(JsonForm::Lines, &[rows]), expected);
    }
}
