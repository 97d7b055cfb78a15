use async_trait::async_trait;

use super::expect_bytes;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::ArrowReader;

/// `arrowToRows`: rows from an Arrow IPC stream.
///
/// ```xml
/// <arrowToRows name="read"><arrowInput from="arrow"/><rows name="rows"/></arrowToRows>
/// ```
#[derive(Debug)]
pub struct ArrowToRows {
    arrow: InputPort,
    rows: OutputPort,
}

#[async_trait]
impl Activity for ArrowToRows {
    const ELEMENT: &'static str = activities::ArrowToRows::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::ArrowToRows::read(fields)?;
        Ok(Self { arrow: setup.reads(&read.arrow_input), rows: setup.writes(&read.rows, None) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.arrow);
        let output = context.output(self.rows);
        let mut reader = ArrowReader::new();
        while let Some(block) = input.next().await? {
            reader.bytes(expect_bytes(block)?);
            while let Some(rows) = reader.next_block()? {
                output.send(Block::Rows(rows)).await?;
            }
        }
        if let Some(rows) = reader.end()? {
            output.send(Block::Rows(rows)).await?;
        }
        output.finish().await;
        Ok(())
    }
}
