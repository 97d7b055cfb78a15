use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};

use super::WebRowSetOptions;
use super::column_definition::{push_definition, push_name, push_number};
use super::column_types;
use super::xml_text::push_content;
use crate::document::activities::TemporalColumns;
use crate::format::FormatError;
use crate::format::cells::{Cells, NOT_TEXT, Plain, Values};
use crate::format::stream::Stream;
use crate::format::text::{DAY_MICROSECONDS, Iso, push_base64, push_integer, push_list};

const START: &str = concat!(
    r#"<webRowSet xmlns="http://java.sun.com/xml/ns/jdbc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" "#,
    r#"xsi:schemaLocation="http://java.sun.com/xml/ns/jdbc http://java.sun.com/xml/ns/jdbc/webrowset.xsd">"#,
    "\n<properties><command>"
);

/// The properties behind the command. A concurrency of 1008 means that the rowset may be updated.
const PROPERTIES: &str = concat!(
    "</command><concurrency>1008</concurrency><datasource><null/></datasource>",
    "<escape-processing>true</escape-processing><fetch-direction>1000</fetch-direction><fetch-size>0</fetch-size>",
    "<isolation-level>2</isolation-level><key-columns></key-columns><map></map><max-field-size>0</max-field-size>",
    "<max-rows>0</max-rows><query-timeout>0</query-timeout><read-only>true</read-only>",
    "<rowset-type>ResultSet.TYPE_SCROLL_INSENSITIVE</rowset-type><show-deleted>false</show-deleted>",
    "<table-name><null/></table-name><url><null/></url><sync-provider>",
    "<sync-provider-name>com.sun.rowset.providers.RIOptimisticProvider</sync-provider-name>",
    "<sync-provider-vendor>Oracle Corporation</sync-provider-vendor>",
    "<sync-provider-version>1.0</sync-provider-version><sync-provider-grade>2</sync-provider-grade>",
    "<data-source-lock>1</data-source-lock></sync-provider></properties>\n"
);

const ROW_START: &str = "<currentRow><columnValue>";
const BETWEEN_VALUES: &str = "</columnValue><columnValue>";
const ROW_END: &str = "</columnValue></currentRow>\n";
const EMPTY_ROW: &str = "<currentRow></currentRow>\n";

/// Writes rows as a `WebRowSet` document, without an XML declaration, so that it can stand inside another.
///
/// | values | `column-type` | written as |
/// |---|---|---|
/// | integers, signed | -6, 5, 4, -5: `TINYINT` to `BIGINT` | digits |
/// | integers, unsigned | the next larger; 3, `DECIMAL`, of 64 bits | digits |
/// | reals | 7, `REAL`; 8, `DOUBLE` | the shortest form that reads back as the same number |
/// | decimals | 3, `DECIMAL` | digits, all of those behind the point |
/// | truth values | 16, `BOOLEAN` | `true`, `false` |
/// | text | 12, `VARCHAR` | text; all white space is kept |
/// | bytes | -3, `VARBINARY` | base64; Java's reader gives the bytes *of that text* |
/// | dates, times, time stamps | 12, or 91 to 93: see [`TemporalColumns`] | ISO 8601, or milliseconds |
/// | spans | 12, `VARCHAR` | ISO 8601 |
/// | lists | 12, `VARCHAR` | as in CSV |
///
/// `column-type-name` is the type that the source declares, such as `TIMESTAMP`, where it declares one.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{RecordBatch, StringArray};
/// use rejoin::format::{WebRowSetOptions, WebRowSetWriter};
///
/// let names = Arc::new(StringArray::from(vec![Some("Ross & Sons"), None]));
/// let rows = RecordBatch::try_from_iter([("name", names as _)]).unwrap();
///
/// let mut writer = WebRowSetWriter::new(WebRowSetOptions::default());
/// let mut text = String::new();
/// writer.begin(rows.schema_ref(), &mut text).unwrap();
/// writer.rows(&rows, &mut text).unwrap();
/// writer.end(&mut text);
/// assert!(text.ends_with(
///     "<data>\n\
///      <currentRow><columnValue>Ross &amp; Sons</columnValue></currentRow>\n\
///      <currentRow><columnValue><null/></columnValue></currentRow>\n\
///      </data>\n</webRowSet>\n"
/// ));
/// ```
#[derive(Debug, Clone, Default)]
pub struct WebRowSetWriter {
    options: WebRowSetOptions,
    stream: Stream,
}

impl WebRowSetWriter {
    /// A writer with these options.
    #[must_use]
    pub fn new(options: WebRowSetOptions) -> Self {
        Self { options, stream: Stream::default() }
    }

    /// Begins a document: appends the properties and the description of the columns.
    ///
    /// # Errors
    ///
    /// [`FormatError::Type`] when a column has a type that no data resource gives, [`FormatError::Option`] when a name or
    /// the command holds a character that no XML document can.
    pub fn begin(&mut self, schema: &Schema, out: &mut String) -> Result<(), FormatError> {
        self.stream = Stream::begun(schema);
        out.push_str(START);
        match &self.options.command {
            Some(command) => push_name(out, "the command", command)?,
            None => out.push_str("<null/>"),
        }
        out.push_str(PROPERTIES);
        out.push_str("<metadata>");
        push_number(out, "column-count", schema.fields().len());
        for (index, field) in schema.fields().iter().enumerate() {
            push_definition(out, index + 1, field, self.options.temporal)?;
        }
        out.push_str("</metadata>\n<data>\n");
        Ok(())
    }

    /// Appends the rows of a block.
    ///
    /// # Errors
    ///
    /// [`FormatError::Value`] for a text that holds a character that no XML document can, and for a value that is not of
    /// the type that the document announced for its column.
    pub fn rows(&mut self, rows: &RecordBatch, out: &mut String) -> Result<(), FormatError> {
        let columns = self.stream.cells(rows)?;
        for row in 0..rows.num_rows() {
            let mut before = ROW_START;
            for (index, column) in columns.iter().enumerate() {
                out.push_str(before);
                before = BETWEEN_VALUES;
                self.push_cell(out, column, index, row)
                    .map_err(|problem| self.stream.value_error(rows, (row, index), problem))?;
            }
            out.push_str(if columns.is_empty() { EMPTY_ROW } else { ROW_END });
        }
        self.stream.passed(rows);
        Ok(())
    }

    /// Ends the document.
    pub fn end(&mut self, out: &mut String) {
        out.push_str("</data>\n</webRowSet>\n");
    }

    #[inline]
    fn push_cell(&self, out: &mut String, column: &Cells<'_>, index: usize, row: usize) -> Result<(), String> {
        if column.is_null(row) {
            out.push_str("<null/>");
            return Ok(());
        }
        match &column.values {
            Values::Plain(plain) if self.options.temporal == TemporalColumns::Milliseconds => {
                return push_java_value(out, plain, row);
            }
            Values::Plain(plain) => plain.push::<Iso>(out, row),
            Values::Texts(array) => return self.push_text(out, array.value(row), index),
            Values::Blobs(array) => push_base64(out, array.value(row)),
            Values::Mixed(array) => {
                let text = std::str::from_utf8(array.value(row)).map_err(|_| NOT_TEXT)?;
                return self.push_text(out, text, index);
            }
            Values::Lists(lists) => {
                let mut text = String::new();
                push_list(&mut text, lists, row);
                return push_content(out, &text).map_err(unwritable);
            }
        }
        Ok(())
    }

    #[inline]
    fn push_text(&self, out: &mut String, text: &str, index: usize) -> Result<(), String> {
        let announced = self.stream.announced(index);
        if *announced != DataType::Utf8 {
            column_types::check(text, announced, self.options.temporal).map_err(not_announced)?;
        }
        push_content(out, text).map_err(unwritable)
    }
}

/// Appends a value in the form that Java's reader wants of its type: milliseconds for dates and times.
fn push_java_value(out: &mut String, plain: &Plain<'_>, row: usize) -> Result<(), String> {
    let microseconds = match plain {
        Plain::Dates(array) => i64::from(array.value(row)) * DAY_MICROSECONDS,
        Plain::Times(array) => array.value(row),
        Plain::Timestamps(array) | Plain::Moments(array) => array.value(row),
        _ => {
            plain.push::<Iso>(out, row);
            return Ok(());
        }
    };
    if microseconds % 1000 != 0 {
        let mut value = String::new();
        plain.push::<Iso>(&mut value, row);
        return Err(format!(
            "the value {value} is finer than a millisecond, and this form has none smaller; write such columns as text \
             (`temporalColumns`), or round them in the query"
        ));
    }
    push_integer(out, microseconds / 1000);
    Ok(())
}

#[cold]
fn not_announced(name: &str) -> String {
    format!(
        "the value is not of the type {name}, which the document has announced for the column by its first rows; give \
         the column one type in the query, such as with CAST(… AS TEXT)"
    )
}

#[cold]
fn unwritable(character: char) -> String {
    format!(
        "the text holds the character U+{:04X}, which no XML document can; read it as bytes with CAST(… AS BLOB), or take \
         the rows as CSV",
        u32::from(character)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

    use super::*;
    use crate::format::samples::every_type;

    fn one_column(array: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([("a", array)]).unwrap()
    }

    fn texts(values: &[&str]) -> RecordBatch {
        one_column(Arc::new(StringArray::from(values.to_vec())))
    }

    fn begun(schema: &Schema) -> (WebRowSetWriter, String) {
        let mut writer = WebRowSetWriter::new(WebRowSetOptions::default());
        let mut out = String::new();
        writer.begin(schema, &mut out).unwrap();
        (writer, out)
    }

    #[test]
    fn a_column_has_all_its_seventeen_facts() {
        let (_, out) = begun(texts(&[]).schema_ref());
        let definition = out.split("<column-definition>").nth(1).unwrap().split("</column-definition>").next().unwrap();
        let names: Vec<&str> = definition.split("</").skip(1).map(|part| part.split('>').next().unwrap()).collect();
        let expected = "column-index auto-increment case-sensitive currency nullable signed searchable \
            column-display-size column-label column-name schema-name column-precision column-scale table-name \
            catalog-name column-type column-type-name";
        assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn values_have_the_forms_of_iso_8601() {
        let rows = every_type();
        let (mut writer, _) = begun(rows.schema_ref());
        let mut out = String::new();
        writer.rows(&rows, &mut out).unwrap();
        let (first, second) = out.split_once("</currentRow>\n").unwrap();
        let values = first.trim_start_matches("<currentRow><columnValue>").trim_end_matches("</columnValue>");
        let expected = [
            "true|-8|-16|-32|-9223372036854775808|255|65535|4294967295|18446744073709551615|0.1|1e20",
            "|123.40|9999999999999999999999999999999999999999.9999999999|say \"é\" &amp; &lt;go&gt;|AP8=",
            "|2026-11-21|08:00:00.5|2026-11-21T08:00:00.5|2026-11-21T08:00:00.5Z|P1Y2M3DT4H|{1,NULL,-3}",
            "|{\"a b\",\"null\",NULL,\"say \\\"hi\\\\\\\"\",\"\",plain}",
        ];
        assert_eq!(values.replace(BETWEEN_VALUES, "|"), expected.concat());
        assert_eq!(second.matches("<null/>").count(), rows.num_columns());
    }

    #[test]
    fn java_wants_milliseconds_and_gets_them_where_that_is_asked_for() {
        let rows = every_type();
        let options = WebRowSetOptions { temporal: TemporalColumns::Milliseconds, ..WebRowSetOptions::default() };
        let mut writer = WebRowSetWriter::new(options);
        let mut out = String::new();
        writer.begin(rows.schema_ref(), &mut out).unwrap();
        for code in ["91</column-type><column-type-name>DATE<", "92</", "93</column-type><column-type-name>TIMESTAMP<"]
        {
            assert!(out.contains(&format!("<column-type>{code}")), "{out}");
        }
        writer.rows(&rows, &mut out).unwrap();
        assert!(out.contains(
            "<columnValue>1795219200000</columnValue><columnValue>28800500</columnValue>\
             <columnValue>1795248000500</columnValue><columnValue>1795248000500</columnValue>"
        ));
        let fine: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1_795_248_000_500_001]));
        let rows = one_column(fine);
        writer.begin(rows.schema_ref(), &mut out).unwrap();
        let error = writer.rows(&rows, &mut out).unwrap_err().to_string();
        assert!(error.starts_with("row 1, column `a`: the value 2026-11-21T08:00:00.500001 is finer"), "{error}");
    }

    #[test]
    fn a_character_that_no_document_can_hold_is_named_by_row_and_column() {
        let rows = texts(&["fine", "a\u{1}b"]);
        let (mut writer, mut out) = begun(rows.schema_ref());
        writer.rows(&texts(&["one before"]), &mut out).unwrap();
        let error = writer.rows(&rows, &mut out).unwrap_err().to_string();
        assert!(error.starts_with("row 3, column `a`: the text holds the character U+0001"), "{error}");
    }

    #[test]
    fn a_later_value_must_be_of_the_type_that_was_announced() {
        let integers = one_column(Arc::new(Int64Array::from(vec![1])));
        let (mut writer, mut out) = begun(integers.schema_ref());
        writer.rows(&integers, &mut out).unwrap();
        writer.rows(&texts(&["2"]), &mut out).unwrap();
        let error = writer.rows(&texts(&["3", "4.5"]), &mut out).unwrap_err().to_string();
        assert!(error.starts_with("row 4, column `a`: the value is not of the type BIGINT"), "{error}");
        let reals = one_column(Arc::new(Float64Array::from(vec![1.0])));
        let (mut writer, mut out) = begun(reals.schema_ref());
        writer.rows(&texts(&["3", "4.5", "Infinity"]), &mut out).unwrap();
        assert!(writer.rows(&texts(&["many"]), &mut out).is_err());
        assert!(writer.rows(&texts(&["inf"]), &mut out).is_err());
    }

    #[test]
    fn nothing_that_is_written_ends_a_cdata_section_but_names() {
        let rows = texts(&["]]>", "<![CDATA[ ]]>"]);
        let (mut writer, _) = begun(rows.schema_ref());
        let mut out = String::new();
        writer.rows(&rows, &mut out).unwrap();
        writer.end(&mut out);
        assert!(!out.contains("]]>"));
    }
}
