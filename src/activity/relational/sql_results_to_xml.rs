use async_trait::async_trait;

use super::written;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::{WebRowSetOptions, WebRowSetWriter};

/// `sqlResultsToXML`: rows as a WebRowSet, the XML that `javax.sql.rowset` reads.
///
/// ```xml
/// <sqlResultsToXML name="format"><resultSet from="rows"/><webRowSet name="table"/></sqlResultsToXML>
/// ```
///
/// `<temporalColumns value="milliseconds"/>` behind them writes dates and times as Java's reader wants them.
#[derive(Debug)]
pub struct SqlResultsToXml {
    rows: InputPort,
    table: OutputPort,
    options: WebRowSetOptions,
}

#[async_trait]
impl Activity for SqlResultsToXml {
    const ELEMENT: &'static str = activities::SqlResultsToXml::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlResultsToXml::read(fields)?;
        let rows = setup.reads(&read.result_set);
        let table = setup.writes(&read.web_row_set, Some("application/xml"));
        let options = WebRowSetOptions { temporal: read.temporal_columns, ..WebRowSetOptions::default() };
        Ok(Self { rows, table, options })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let (rows, output) = (context.input(self.rows), context.output(self.table));
        written::write(WebRowSetWriter::new(self.options), rows, output).await
    }
}
