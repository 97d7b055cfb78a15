//! `WebRowSet`, the XML form of rows that `javax.sql.rowset` reads.
//!
//! The schema is `http://java.sun.com/xml/ns/jdbc/webrowset.xsd`. What the schema leaves open is settled by the reader
//! that Java brings: NULL is an element `null`, the rowset type is a name and not a number, names that may be missing are
//! `null` too, and only a rowset that may be updated takes the rows that are read into it.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};

use super::FormatError;
use super::cells::{Cells, NOT_TEXT, Stream, push_base64, push_boolean, push_integer, push_real};
use super::xml_text::{is_xml, push_content};
use crate::block::ColumnOrigin;

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
        DataType::Float64 => (text.parse::<f64>().is_ok(), "DOUBLE"),
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

#[cold]
fn unwritable(character: char) -> String {
    format!(
        "the text holds the character U+{:04X}, which no XML document can; read it as bytes with CAST(… AS BLOB), or take \
         the rows as CSV",
        u32::from(character)
    )
}

fn push_definition(out: &mut String, number: usize, field: &Field) -> Result<(), FormatError> {
    let origin = ColumnOrigin::of(field);
    let Some(facts) = facts_of(field.data_type()) else {
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
    push_number(out, "column-scale", 0);
    push_element(out, "table-name", origin.table.as_deref().unwrap_or(""))?;
    push_element(out, "catalog-name", "")?;
    push_element(out, "column-type", facts.code)?;
    push_element(out, "column-type-name", origin.type_name.as_deref().unwrap_or(facts.type_name))?;
    out.push_str("</column-definition>");
    Ok(())
}

/// What a document says about a column by its type.
struct Facts {
    /// The code of `java.sql.Types`.
    code: &'static str,
    type_name: &'static str,
    display_size: usize,
    precision: usize,
    is_number: bool,
    is_text: bool,
}

/// The largest `int` of Java, for what has no bound.
const UNBOUNDED: usize = 2_147_483_647;

fn facts_of(data_type: &DataType) -> Option<Facts> {
    let number = |code, type_name, display_size, precision| Facts {
        code,
        type_name,
        display_size,
        precision,
        is_number: true,
        is_text: false,
    };
    let other = |code, type_name, display_size, is_text| Facts {
        code,
        type_name,
        display_size,
        precision: 0,
        is_number: false,
        is_text,
    };
    Some(match data_type {
        DataType::Int64 => number("-5", "BIGINT", 20, 19),
        DataType::Float64 => number("8", "DOUBLE", 24, 17),
        DataType::Boolean => other("16", "BOOLEAN", 5, false),
        DataType::Utf8 => other("12", "VARCHAR", UNBOUNDED, true),
        DataType::Binary => other("-3", "VARBINARY", UNBOUNDED, false),
        _ => return None,
    })
}

/// The 40 of `VARCHAR(40)`.
fn declared_length(type_name: &str) -> Option<usize> {
    let (_, length) = type_name.strip_suffix(')')?.split_once('(')?;
    length.trim().parse().ok().filter(|length| *length <= UNBOUNDED)
}

fn push_number(out: &mut String, name: &str, value: usize) {
    push_raw(out, name, |out| out.push_str(itoa::Buffer::new().format(value)));
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
fn push_name(out: &mut String, what: &str, text: &str) -> Result<(), FormatError> {
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
