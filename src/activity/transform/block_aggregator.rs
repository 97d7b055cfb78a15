use async_trait::async_trait;

use super::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `blockAggregator`: joins every `size` blocks of text into one.
///
/// ```xml
/// <blockAggregator name="agg"><input from="table"/><blocksize size="200"/><output name="bigBlocks"/></blockAggregator>
/// ```
///
/// A block of many small ones may not grow without bound: beyond 4 MiB it goes out before it is complete.
#[derive(Debug)]
pub struct BlockAggregator {
    input: InputPort,
    size: u32,
    output: OutputPort,
}

/// The largest block that is put together, in bytes.
const LARGEST_BLOCK: usize = 4 * 1024 * 1024;

#[async_trait]
impl Activity for BlockAggregator {
    const ELEMENT: &'static str = activities::BlockAggregator::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::BlockAggregator::read(fields)?;
        Ok(Self { input: setup.reads(&read.input), size: read.size, output: setup.writes(&read.output, None) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.input);
        let output = context.output(self.output);
        let mut gathered = String::new();
        let mut blocks = 0;
        while let Some(block) = input.next().await? {
            gathered.push_str(&expect_text(block)?);
            blocks += 1;
            if blocks == self.size || gathered.len() >= LARGEST_BLOCK {
                output.send(Block::Text(std::mem::take(&mut gathered).into())).await?;
                blocks = 0;
            }
        }
        if blocks > 0 {
            output.send(Block::Text(gathered.into())).await?;
        }
        output.finish().await;
        Ok(())
    }
}
