use arrow_schema::Schema;
use async_trait::async_trait;

use super::expect_rows;
use super::option::option;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::{Block, StreamType};
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
        let mut input = context.input(self.rows);
        let output = context.output(self.table);
        let mut writer = WebRowSetWriter::new(self.options);
        let mut is_first = true;
        let mut text = String::new();
        while let Some(block) = input.next().await? {
            let rows = expect_rows(block)?;
            if std::mem::take(&mut is_first) {
                writer.begin(&rows.schema(), &mut text)?;
            }
            writer.rows(&rows, &mut text)?;
            if !text.is_empty() {
                output.send(Block::Text(std::mem::take(&mut text).into())).await?;
            }
        }
        if is_first {
            // A statement whose parameters came from an empty stream never ran: a row set without columns is still one.
            writer.begin(&Schema::empty(), &mut text)?;
        }
        writer.end(&mut text);
        output.send(Block::Text(text.into())).await?;
        output.finish().await;
        Ok(())
    }
}
