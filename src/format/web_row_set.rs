//! `WebRowSet`, the XML form of rows that `javax.sql.rowset` reads.
//!
//! The schema is `http://java.sun.com/xml/ns/jdbc/webrowset.xsd`. What the schema leaves open is settled by the reader
//! that Java brings: NULL is an element `null`, the rowset type is a name and not a number, names that may be missing are
//! `null` too, and only a rowset that may be updated takes the rows that are read into it.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};

use super::FormatError;
use super::cells::{Cells, NOT_TEXT, Stream, push_base64, push_boolean, push_integer, push_real};
use super::column_definition::{push_definition, push_name, push_number};
use super::xml_text::push_content;

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

/// How [`WebRowSetWriter`] writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebRowSetOptions {
    /// The command that gave the rows, which a rowset carries for its own use.
    pub command: Option<String>,
}

/// Writes rows as a `WebRowSet` document, without an XML declaration, so that it can stand inside another.
///
/// | values | `column-type` | written as |
/// |---|---|---|
/// | integers | -5, `BIGINT` | digits |
/// | reals | 8, `DOUBLE` | the shortest form that reads back as the same number |
/// | truth values | 16, `BOOLEAN` | `true`, `false` |
/// | text | 12, `VARCHAR` | text; all white space is kept |
/// | bytes | -3, `VARBINARY` | base64; Java's reader gives the bytes *of that text* |
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
            push_definition(out, index + 1, field)?;
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
        match column {
            Cells::Integers(array) => push_integer(out, array.value(row)),
            Cells::Reals(array) => push_real(out, array.value(row)),
            Cells::Booleans(array) => push_boolean(out, array.value(row)),
            Cells::Texts(array) => return self.push_text(out, array.value(row), index),
            Cells::Blobs(array) => push_base64(out, array.value(row)),
            Cells::Mixed(array) => {
                let text = std::str::from_utf8(array.value(row)).map_err(|_| NOT_TEXT)?;
                return self.push_text(out, text, index);
            }
        }
        Ok(())
    }

    #[inline]
    fn push_text(&self, out: &mut String, text: &str, index: usize) -> Result<(), String> {
        let announced = self.stream.announced(index);
        if *announced != DataType::Utf8 {
            check_announced(text, announced)?;
        }
        push_content(out, text).map_err(unwritable)
    }
}

/// Whether a text may stand in a column of another type: a reader must be able to take it for a value of that type.
#[cold]
fn check_announced(text: &str, announced: &DataType) -> Result<(), String> {
    let (fits, name) = match announced {
        DataType::Int64 => (text.parse::<i64>().is_ok(), "BIGINT"),
        DataType::Float64 => (is_double(text), "DOUBLE"),
        DataType::Boolean => (text.parse::<bool>().is_ok(), "BOOLEAN"),
        _ => (true, ""),
    };
    if fits {
        return Ok(());
    }
    Err(format!(
        "the value is not of the type {name}, which the document has announced for the column by its first rows; give \
         the column one type in the query, such as with CAST(… AS TEXT)"
    ))
}

/// Whether Java's reader takes the text for a `double`: it knows fewer words for what is not finite than we do.
fn is_double(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite) || matches!(text, "Infinity" | "-Infinity" | "NaN")
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

    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};

    use super::*;

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
