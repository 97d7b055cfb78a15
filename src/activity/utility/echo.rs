use async_trait::async_trait;
use bytestring::ByteString;

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `echo`: says a text.
///
/// ```xml
/// <echo name="say"><text>hello</text><output name="said"/></echo>
/// ```
#[derive(Debug)]
pub struct Echo {
    text: ByteString,
    output: OutputPort,
}

#[async_trait]
impl Activity for Echo {
    const ELEMENT: &'static str = activities::Echo::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::Echo::read(fields)?;
        Ok(Self { text: read.text.into(), output: setup.writes(&read.output, None) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        if !self.text.is_empty() {
            output.send(Block::Text(self.text)).await?;
        }
        output.finish().await;
        Ok(())
    }
}
