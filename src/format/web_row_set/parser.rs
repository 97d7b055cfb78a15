//! The elements of a `WebRowSet`, as they are read from a source that has them.

use std::io::BufRead;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};

use crate::document::{DocumentError, Limits, XmlEvent, XmlReader};
use crate::format::parse::{RowsBuilder, milliseconds};
use crate::format::text::shortened;
use crate::format::{FormatError, RowType};

/// The namespace of the documents.
const NAMESPACE: &str = "http://java.sun.com/xml/ns/jdbc";

/// The longest value that is read, in bytes.
const VALUE_BYTES: usize = 16 * 1024 * 1024;

/// How much memory of a value is kept for that of the next row.
const KEPT_BYTES: usize = 64 * 1024;

/// The name of the format in errors.
pub(super) const FORMAT: &str = "WebRowSet";

/// Reads rows from a source. It asks it for no more than it takes up to the end of a row.
pub(super) struct Parser<R> {
    xml: XmlReader<R>,
    rows: Option<Rows>,
    /// Whether the element `data` has ended.
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

impl<R: BufRead> Parser<R> {
    /// Reads from this source, in UTF-8.
    pub(super) fn new(source: R) -> Self {
        let limits = Limits {
            document_bytes: u64::MAX,
            depth: 16,
            elements: u32::MAX,
            text_bytes: VALUE_BYTES as u64,
            ..Limits::default()
        };
        Self { xml: XmlReader::new(source, &limits), rows: None, has_ended: false }
    }

    /// The source.
    pub(super) fn source(&mut self) -> &mut R {
        self.xml.source_mut()
    }

    /// Reads one row, and gives the block that it fills; `false` when there are no more rows.
    pub(super) fn row(&mut self, blocks: &mut Vec<RecordBatch>) -> Result<bool, FormatError> {
        if self.has_ended {
            return Err(FormatError::malformed(FORMAT, "it has rows outside of `data`"));
        }
        let mut rows = match self.rows.take() {
            Some(rows) => rows,
            None => self.begin()?,
        };
        match self.child("data")? {
            Some(element @ ("currentRow" | "insertRow" | "modifyRow")) => {
                let line = self.xml.position().line.into();
                self.values(&mut rows, element)?;
                blocks.extend(rows.end_row(line)?);
            }
            Some("deleteRow") => self.skip()?,
            Some(element) => return Err(self.unexpected(element, "data")),
            None => self.has_ended = true,
        }
        self.rows = Some(rows);
        Ok(!self.has_ended)
    }

    /// Reads what is behind the rows; gives the rows that have not filled a block, and at least one block in all.
    pub(super) fn end(mut self, blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        if let Some(element) = self.child("webRowSet")? {
            return Err(self.unexpected(element, "webRowSet"));
        }
        self.xml.next().map_err(malformed)?;
        if let Some(mut rows) = self.rows {
            blocks.extend(rows.builder.end()?);
        }
        Ok(())
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

    /// Reads the values of a row.
    fn values(&mut self, rows: &mut Rows, row: &'static str) -> Result<(), FormatError> {
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
            let mut text = value.take().filter(|text| text.capacity() <= KEPT_BYTES).unwrap_or_default();
            text.clear();
            *value = self.text_into(text)?;
        }
        Ok(())
    }

    /// The name of the next element in the one that is open, or `None` at its end.
    pub(super) fn child(&mut self, parent: &str) -> Result<Option<&'static str>, FormatError> {
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

    pub(super) fn text(&mut self) -> Result<Option<String>, FormatError> {
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
    pub(super) fn skip(&mut self) -> Result<(), FormatError> {
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

// It is handed to `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn malformed(error: DocumentError) -> FormatError {
    FormatError::malformed(FORMAT, error.to_string())
}
