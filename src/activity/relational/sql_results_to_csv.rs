use async_trait::async_trait;

use super::written;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::{CsvOptions, CsvWriter};

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
    const ELEMENT: &'static str = activities::SqlResultsToCsv::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlResultsToCsv::read(fields)?;
        let rows = setup.reads(&read.result_set);
        let csv = setup.writes(&read.csv_output, Some("text/csv; charset=utf-8"));
        let options = CsvOptions {
            delimiter: read.delimiter,
            line_break: read.line_break,
            null: read.null_data,
            header: read.include_header,
            escape: read.escape_fields,
        };
        let place = fields.element().position();
        let writer = CsvWriter::new(options)
            .map_err(|error| DocumentError::invalid(place, format!("`sqlResultsToCSV`: {error}")))?;
        Ok(Self { rows, csv, writer })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let rows = context.input(self.rows);
        let output = context.output(self.csv);
        written::write(self.writer, rows, output).await
    }
}
