use async_trait::async_trait;

use super::option::option;
use super::written;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields};
use crate::format::{TemporalColumns, WebRowSetOptions, WebRowSetWriter};

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
    const ELEMENT: &'static str = "sqlResultsToXML";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let rows = setup.input(fields, "resultSet", StreamType::Rows)?;
        let table = fields.required_child("webRowSet")?;
        let table = setup.output_of(table, PortType::Is(StreamType::Text), Some("application/xml"))?;
        let mut options = WebRowSetOptions::default();
        if let Some(value) = option(fields, "temporalColumns")? {
            options.temporal = value.choice(&TemporalColumns::NAMES)?;
        }
        Ok(Self { rows, table, options })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let (rows, output) = (context.input(self.rows), context.output(self.table));
        written::write(WebRowSetWriter::new(self.options), rows, output).await
    }
}
