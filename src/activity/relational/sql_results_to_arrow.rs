use async_trait::async_trait;

use super::expect_rows;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::{ArrowOptions, ArrowWriter};

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
    const ELEMENT: &'static str = activities::SqlResultsToArrow::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlResultsToArrow::read(fields)?;
        let rows = setup.reads(&read.result_set);
        let arrow = setup.writes(&read.arrow_output, Some("application/vnd.apache.arrow.stream"));
        Ok(Self { rows, arrow, options: ArrowOptions { compression: read.compression } })
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
