use async_trait::async_trait;

use crate::activity::transform::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::{Block, BlockReader, BlockWriter};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::WebRowSetReader;

/// `webRowSetToRows`: rows from a WebRowSet, ours or Java's.
///
/// ```xml
/// <webRowSetToRows name="read"><webRowSetInput from="table"/><rows name="rows"/></webRowSetToRows>
/// ```
#[derive(Debug)]
pub struct WebRowSetToRows {
    document: InputPort,
    rows: OutputPort,
}

#[async_trait]
impl Activity for WebRowSetToRows {
    const ELEMENT: &'static str = activities::WebRowSetToRows::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::WebRowSetToRows::read(fields)?;
        Ok(Self { document: setup.reads(&read.web_row_set_input), rows: setup.writes(&read.rows, None) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let input = context.input(self.document).into_reader();
        let output = context.output(self.rows).into_writer();
        match (input, output) {
            (Some(input), Some(output)) => read_rows(input, output).await,
            _ => Ok(()),
        }
    }
}

/// Reads a `WebRowSet` into rows; it ends when either stream does.
pub(super) async fn read_rows(mut input: BlockReader, output: BlockWriter) -> Result<(), ActivityError> {
    let mut reader = WebRowSetReader::new();
    let mut blocks = Vec::new();
    while let Some(block) = input.next().await? {
        reader.text(&expect_text(block)?, &mut blocks)?;
        for rows in blocks.drain(..) {
            output.send(Block::Rows(rows)).await?;
        }
    }
    reader.end(&mut blocks)?;
    for rows in blocks {
        output.send(Block::Rows(rows)).await?;
    }
    output.finish().await;
    Ok(())
}
