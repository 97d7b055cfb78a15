use async_trait::async_trait;

use super::expect_rows;
use super::option::option;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::{Block, StreamType};
use crate::document::{DocumentError, Fields};
use crate::format::{ArrowCompression, ArrowOptions, ArrowWriter};

/// `sqlResultsToArrow`: rows as an Arrow IPC stream.
///
/// ```xml
/// <sqlResultsToArrow name="pack"><resultSet from="rows"/><arrowOutput name="arrow"/><compression value="zstd"/></sqlResultsToArrow>
/// ```
#[derive(Debug)]
pub struct SqlResultsToArrow {
    rows: InputPort,
    arrow: OutputPort,
    options: ArrowOptions,
}

#[async_trait]
impl Activity for SqlResultsToArrow {
    const ELEMENT: &'static str = "sqlResultsToArrow";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let rows = setup.input(fields, "resultSet", StreamType::Rows)?;
        let arrow = fields.required_child("arrowOutput")?;
        let content_type = Some("application/vnd.apache.arrow.stream");
        let arrow = setup.output_of(arrow, PortType::Is(StreamType::Bytes), content_type)?;
        let mut options = ArrowOptions::default();
        if let Some(value) = option(fields, "compression")? {
            options.compression = value.choice(&ArrowCompression::NAMES)?;
        }
        Ok(Self { rows, arrow, options })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.rows);
        let output = context.output(self.arrow);
        let mut writer = ArrowWriter::new(self.options);
        while let Some(block) = input.next().await? {
            let mut bytes = Vec::new();
            writer.rows(&expect_rows(block)?, &mut bytes)?;
            output.send(Block::Bytes(bytes.into())).await?;
        }
        let mut bytes = Vec::new();
        writer.end(&mut bytes)?;
        output.send(Block::Bytes(bytes.into())).await?;
        output.finish().await;
        Ok(())
    }
}
