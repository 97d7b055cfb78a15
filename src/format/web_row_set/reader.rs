use std::io::BufRead;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};

use super::column_types::data_type_of;
use crate::block::ColumnOrigin;
use crate::document::{DocumentError, Limits, XmlEvent, XmlReader};
use crate::format::parse::{RowsBuilder, milliseconds};
use crate::format::text::shortened;
use crate::format::{FormatError, RowType};

/// The namespace of the documents.
const NAMESPACE: &str = "http://java.sun.com/xml/ns/jdbc";

/// The longest value that is read, in bytes.
const VALUE_BYTES: usize = 16 * 1024 * 1024;

/// How many columns a document may describe.
const MOST_COLUMNS: usize = 16_384;

/// The name of the format in errors.
const FORMAT: &str = "WebRowSet";

/// Reads a `WebRowSet` document into rows: ours, and those that Java writes.
///
/// The document is read as it comes, in memory that does not depend on its size. The columns have the types that the document
/// announces by their `column-type`; dates and times are taken as milliseconds since 1970, or in the forms of ISO 8601. Rows
/// that were inserted or changed count as they would be after the change, and those that were deleted don't.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{Int64Array, RecordBatch};
/// use rejoin::format::{WebRowSetOptions, WebRowSetReader, WebRowSetWriter};
///
/// # let ids = Arc::new(Int64Array::from(vec![Some(1), None]));
/// # let rows = RecordBatch::try_from_iter_with_nullable([("id", ids as _, true)]).unwrap();
/// # let mut writer = WebRowSetWriter::new(WebRowSetOptions::default());
/// # let mut document = String::new();
/// writer.begin(rows.schema_ref(), &mut document).unwrap();
/// writer.rows(&rows, &mut document).unwrap();
/// writer.end(&mut document);
///
/// let mut reader = WebRowSetReader::new(document.as_bytes());
/// assert_eq!(reader.next_block().unwrap().unwrap().columns(), rows.columns());
/// assert!(reader.next_block().unwrap().is_none());
/// ```
pub struct WebRowSetReader<R> {
    xml: XmlReader<R>,
    rows: Option<Rows>,
    has_ended: bool,
}

/// The rows, once the columns are known.
struct Rows {
    builder: RowsBuilder,
    types: Vec<DataType>,
    /// The values of the present row; there is one for each that has been seen.
    values: Vec<Option<String>>,
    count: usize,
}

/// What a column definition says.
#[derive(Default)]
struct Definition {
    name: String,
    code: Option<i32>,
    precision: Option<u8>,
    scale: Option<i8>,
    origin: ColumnOrigin,
}

impl<R: BufRead> WebRowSetReader<R> {
    /// Reads from this source, in UTF-8.
    pub fn new(source: R) -> Self {
        let limits = Limits {
            document_bytes: u64::MAX,
            depth: 16,
            elements: u32::MAX,
            text_bytes: VALUE_BYTES as u64,
            ..Limits::default()
        };
        Self { xml: XmlReader::new(source, &limits), rows: None, has_ended: false }
    }

    /// The next rows, or `None` at the end of the document. There is one block at least.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for what is no such document, [`FormatError::Input`] for a value that is not of the type of
    /// its column. Reading on after an error has no meaning.
    pub fn next_block(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        if self.has_ended {
            return Ok(None);
        }
        let mut rows = match self.rows.take() {
            Some(rows) => rows,
            None => self.begin()?,
        };
        while let Some(element) = self.child("data")? {
            match element {
                "currentRow" | "insertRow" | "modifyRow" => {
                    let line = self.xml.position().line.into();
                    self.row(&mut rows, element)?;
                    if let Some(block) = rows.end_row(line)? {
                        self.rows = Some(rows);
                        return Ok(Some(block));
                    }
                }
                "deleteRow" => self.skip()?,
                _ => return Err(self.unexpected(element, "data")),
            }
        }
        if let Some(element) = self.child("webRowSet")? {
            return Err(self.unexpected(element, "webRowSet"));
        }
        self.xml.next().map_err(malformed)?;
        self.has_ended = true;
        rows.builder.end()
    }

    /// Reads all that stands before the rows.
    fn begin(&mut self) -> Result<Rows, FormatError> {
        match self.xml.next().map_err(malformed)? {
            XmlEvent::Start(tag) if tag.local_name() == "webRowSet" && tag.namespace() == Some(NAMESPACE) => {}
            _ => return Err(FormatError::malformed(FORMAT, format!("its root is not `webRowSet` of `{NAMESPACE}`"))),
        }
        let mut columns = None;
        loop {
            match self.child("webRowSet")? {
                Some("properties") => self.skip()?,
                Some("metadata") if columns.is_none() => columns = Some(self.metadata()?),
                Some("data") => return Rows::new(columns.unwrap_or_default()),
                Some(element) => return Err(self.unexpected(element, "webRowSet")),
                None => return Err(FormatError::malformed(FORMAT, "there is no `data`")),
            }
        }
    }

    fn metadata(&mut self) -> Result<Vec<Field>, FormatError> {
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

    /// Reads the values of a row.
    fn row(&mut self, rows: &mut Rows, row: &'static str) -> Result<(), FormatError> {
        rows.count = 0;
        while let Some(element) = self.child(row)? {
            if element == "columnValue" {
                rows.count += 1;
            } else if element != "updateValue" || rows.count == 0 {
                return Err(self.unexpected(element, row));
            }
            let Some(value) = rows.values.get_mut(rows.count - 1) else {
                let problem = format!("the row has more values than there are columns at {}", self.xml.position());
                return Err(FormatError::malformed(FORMAT, problem));
            };
            // What is written anew takes the place of what was there, and the memory of the row before.
            let mut text = value.take().unwrap_or_default();
            text.clear();
            *value = self.text_into(text)?;
        }
        Ok(())
    }

    /// The name of the next element in the one that is open, or `None` at its end.
    fn child(&mut self, parent: &str) -> Result<Option<&'static str>, FormatError> {
        loop {
            match self.xml.next().map_err(malformed)? {
                XmlEvent::Start(tag) => {
                    let known = ELEMENTS.into_iter().find(|known| *known == tag.local_name());
                    let Some(known) = known.filter(|_| tag.namespace() == Some(NAMESPACE)) else {
                        let name = shortened(tag.local_name());
                        let problem = format!("unexpected element `{name}` in `{parent}` at {}", tag.position());
                        return Err(FormatError::malformed(FORMAT, problem));
                    };
                    return Ok(Some(known));
                }
                XmlEvent::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {}
                XmlEvent::Text(_) => {
                    let problem = format!("unexpected text in `{parent}` at {}", self.xml.position());
                    return Err(FormatError::malformed(FORMAT, problem));
                }
                XmlEvent::End | XmlEvent::Eof => return Ok(None),
            }
        }
    }

    fn text(&mut self) -> Result<Option<String>, FormatError> {
        self.text_into(String::new())
    }

    /// The text of the element that is open, up to its end; `None` if it holds the element `null`.
    fn text_into(&mut self, mut text: String) -> Result<Option<String>, FormatError> {
        let mut is_null = false;
        let mut depth = 1;
        while depth > 0 {
            match self.xml.next().map_err(malformed)? {
                XmlEvent::Start(tag) => {
                    is_null = is_null || tag.local_name() == "null";
                    depth += 1;
                }
                XmlEvent::Text(piece) if text.len() + piece.len() <= VALUE_BYTES => text.push_str(piece),
                XmlEvent::Text(_) => {
                    let problem = format!("a value is longer than 16 MiB at {}", self.xml.position());
                    return Err(FormatError::malformed(FORMAT, problem));
                }
                XmlEvent::End => depth -= 1,
                XmlEvent::Eof => break,
            }
        }
        Ok((!is_null).then_some(text))
    }

    /// Passes over the rest of the element that is open.
    fn skip(&mut self) -> Result<(), FormatError> {
        let mut depth = 1;
        while depth > 0 {
            match self.xml.next().map_err(malformed)? {
                XmlEvent::Start(_) => depth += 1,
                XmlEvent::End => depth -= 1,
                XmlEvent::Text(_) => {}
                XmlEvent::Eof => break,
            }
        }
        Ok(())
    }

    fn unexpected(&self, element: &str, parent: &str) -> FormatError {
        let position = self.xml.position();
        FormatError::malformed(FORMAT, format!("unexpected element `{element}` in `{parent}` at {position}"))
    }
}

/// The elements that are looked at, and those that are passed over.
const ELEMENTS: [&str; 28] = [
    "columnValue",
    "currentRow",
    "insertRow",
    "modifyRow",
    "deleteRow",
    "updateValue",
    "properties",
    "metadata",
    "data",
    "column-count",
    "column-definition",
    "column-index",
    "auto-increment",
    "case-sensitive",
    "currency",
    "nullable",
    "signed",
    "searchable",
    "column-display-size",
    "column-label",
    "column-name",
    "schema-name",
    "column-precision",
    "column-scale",
    "table-name",
    "catalog-name",
    "column-type",
    "column-type-name",
];

impl Definition {
    fn into_field(self) -> Field {
        let data_type = data_type_of(self.code.unwrap_or_default(), self.precision, self.scale);
        Field::new(self.name, data_type, true).with_metadata(self.origin.to_metadata())
    }
}

impl Rows {
    fn new(columns: Vec<Field>) -> Result<Self, FormatError> {
        let types: Vec<DataType> = columns.iter().map(|field| field.data_type().clone()).collect();
        let values = vec![None; types.len()];
        Ok(Self { builder: RowsBuilder::new(Schema::new(columns))?, types, values, count: 0 })
    }

    /// Takes over the values of a row; gives a block if one is full.
    fn end_row(&mut self, line: u64) -> Result<Option<RecordBatch>, FormatError> {
        if self.count != self.types.len() {
            let (count, columns) = (self.count, self.types.len());
            let problem = format!("the row at line {line} has {count} values; there are {columns} columns");
            return Err(FormatError::malformed(FORMAT, problem));
        }
        for (column, (value, data_type)) in self.values.iter().zip(&self.types).enumerate() {
            // White space around text belongs to it.
            let is_text = *data_type == DataType::Utf8;
            let value = value.as_deref().map(|value| if is_text { value } else { value.trim() });
            let is_taken = match value.and_then(|value| milliseconds(value, data_type)) {
                Some(microseconds) => self.builder.push_temporal(column, microseconds),
                None => self.builder.push(column, value),
            };
            if !is_taken {
                let row_type = RowType::of(data_type).unwrap_or(RowType::TEXT);
                let value = shortened(value.unwrap_or_default());
                return Err(FormatError::Input {
                    line,
                    column: self.builder.schema().field(column).name().clone(),
                    problem: format!("`{value}` is no value of the type {row_type}"),
                });
            }
        }
        self.builder.end_row()
    }
}

fn number<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
    text?.trim().parse().ok()
}

// It is handed to `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn malformed(error: DocumentError) -> FormatError {
    FormatError::malformed(FORMAT, error.to_string())
}

impl<R> std::fmt::Debug for WebRowSetReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebRowSetReader").field("has_ended", &self.has_ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples::every_type;
    use crate::format::{TemporalColumns, WebRowSetOptions, WebRowSetWriter};

    fn read(document: &str) -> Result<Vec<RecordBatch>, FormatError> {
        let mut reader = WebRowSetReader::new(document.as_bytes());
        let mut blocks = Vec::new();
        while let Some(block) = reader.next_block()? {
            blocks.push(block);
        }
        Ok(blocks)
    }

    fn document(columns: &str, rows: &str) -> String {
        format!(
            "<webRowSet xmlns='{NAMESPACE}'><properties/><metadata>{columns}</metadata><data>{rows}</data></webRowSet>"
        )
    }

    fn column(name: &str, code: i32) -> String {
        format!(
            "<column-definition><column-label>{name}</column-label><column-type>{code}</column-type></column-definition>"
        )
    }

    #[test]
    fn every_type_is_read_as_it_was_written_or_as_text() {
        let rows = every_type();
        for temporal in [TemporalColumns::Text, TemporalColumns::Milliseconds] {
            let mut writer = WebRowSetWriter::new(WebRowSetOptions { temporal, ..WebRowSetOptions::default() });
            let mut text = String::new();
            writer.begin(rows.schema_ref(), &mut text).unwrap();
            writer.rows(&rows, &mut text).unwrap();
            writer.end(&mut text);
            let blocks = read(&text).unwrap();
            let schema = rows.schema();
            for (index, field) in schema.fields().iter().enumerate() {
                let column = blocks[0].column(index);
                let same = match field.data_type() {
                    DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(_, None) => {
                        temporal == TemporalColumns::Milliseconds
                    }
                    DataType::Timestamp(..) | DataType::Interval(_) | DataType::List(_) => false,
                    other => !other.is_unsigned_integer(),
                };
                assert_eq!(column == rows.column(index), same, "{field}: {column:?}");
                assert_eq!(column.null_count(), 1);
            }
        }
    }

    #[test]
    fn rows_that_were_changed_are_as_they_would_be() {
        let value = |text: &str| format!("<columnValue>{text}</columnValue>");
        let rows = format!(
            "<currentRow>{}</currentRow><deleteRow>{}</deleteRow><insertRow>{}</insertRow><modifyRow>{}<updateValue>5</updateValue></modifyRow>",
            value(" 1 "),
            value("2"),
            value("<null/>"),
            value("4")
        );
        let blocks = read(&document(&column("n", 4), &rows)).unwrap();
        let expected: arrow_array::ArrayRef =
            std::sync::Arc::new(arrow_array::Int32Array::from(vec![Some(1), None, Some(5)]));
        assert_eq!(blocks[0].column(0), &expected);
    }

    #[test]
    fn null_and_empty_are_told_apart_and_white_space_stays() {
        let rows = "<currentRow><columnValue/></currentRow><currentRow><columnValue><null/></columnValue></currentRow>\n\
                    <currentRow><columnValue> a &amp; <![CDATA[<b>]]>\n</columnValue></currentRow>";
        let blocks = read(&document(&column("t", 12), rows)).unwrap();
        let expected = arrow_array::StringArray::from(vec![Some(""), None, Some(" a & <b>\n")]);
        assert_eq!(blocks[0].column(0).as_ref(), &expected as &dyn arrow_array::Array);
    }

    #[test]
    fn what_is_no_rowset_is_refused_with_its_place() {
        let row = |values: &str| document(&column("n", 4), &format!("<currentRow>{values}</currentRow>"));
        for (text, expected) in [
            ("<rows/>".to_owned(), "the WebRowSet can't be read: its root is not `webRowSet`"),
            (document("", "<row/>"), "the WebRowSet can't be read: unexpected element `row` in `data` at 1:"),
            (row(""), "the WebRowSet can't be read: the row at line 1 has 0 values; there are 1 columns"),
            (row("<columnValue>x</columnValue>"), "line 1, column `n`: `x` is no value of the type int32"),
            (
                row("<columnValue>1</columnValue><columnValue>2</columnValue>"),
                "the WebRowSet can't be read: the row has more values",
            ),
            ("<!DOCTYPE a><a/>".to_owned(), "the WebRowSet can't be read: "),
            (row("<columnValue>1</columnValue>").replace("</data>", ""), "the WebRowSet can't be read: "),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
