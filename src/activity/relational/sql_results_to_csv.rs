use async_trait::async_trait;

use super::option::{option, single_character};
use super::written;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields};
use crate::format::{CsvOptions, CsvWriter, LineBreak};

/// `sqlResultsToCSV`: rows as comma-separated values.
///
/// ```xml
/// <sqlResultsToCSV name="asCsv">
///   <resultSet from="rows"/><csvOutput name="csv"/>
///   <delimiter value=";"/><lineBreak value="CRLF"/><nullDataStr value="\N"/>
///   <includeHeader value="true"/><escapeFields value="true"/>
/// </sqlResultsToCSV>
/// ```
///
/// Fields that hold the delimiter, a quote or a line break are quoted, with quotes doubled (RFC 4180); `escapeFields` turns
/// that off. Without options: commas, line feeds, nothing for NULL, no header.
#[derive(Debug)]
pub struct SqlResultsToCsv {
    rows: InputPort,
    csv: OutputPort,
    writer: CsvWriter,
}

#[async_trait]
impl Activity for SqlResultsToCsv {
    const ELEMENT: &'static str = "sqlResultsToCSV";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let rows = setup.input(fields, "resultSet", StreamType::Rows)?;
        let csv = fields.required_child("csvOutput")?;
        let csv = setup.output_of(csv, PortType::Is(StreamType::Text), Some("text/csv; charset=utf-8"))?;
        let mut options = CsvOptions::default();
        if let Some(value) = option(fields, "delimiter")? {
            options.delimiter = single_character(&value)?;
        }
        if let Some(value) = option(fields, "lineBreak")? {
            options.line_break = value.choice(&LineBreak::NAMES)?;
        }
        if let Some(value) = option(fields, "nullDataStr")? {
            value.as_str().clone_into(&mut options.null);
        }
        if let Some(value) = option(fields, "includeHeader")? {
            options.header = value.boolean()?;
        }
        if let Some(value) = option(fields, "escapeFields")? {
            options.escape = value.boolean()?;
        }
        let element = fields.element();
        let writer = CsvWriter::new(options)
            .map_err(|error| DocumentError::invalid(element.position(), format!("`sqlResultsToCSV`: {error}")))?;
        Ok(Self { rows, csv, writer })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let rows = context.input(self.rows);
        let output = context.output(self.csv);
        written::write(self.writer, rows, output).await
    }
}
