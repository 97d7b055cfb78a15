use async_trait::async_trait;

use super::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `stringTokenizer`: cuts text into tokens at any of the delimiter characters; each token is a block.
///
/// As in OGSA-DAI every block of the input is cut for itself, so the end of a block ends a token too, and delimiters that
/// follow each other make no empty tokens. Without `delimiters` text is cut at spaces.
///
/// ```xml
/// <stringTokenizer name="tok">
///   <stringBlocksInput from="levels"/><delimiters value=",;"/><stringTokensOutput name="tokens"/>
/// </stringTokenizer>
/// ```
#[derive(Debug)]
pub struct StringTokenizer {
    input: InputPort,
    delimiters: Vec<char>,
    output: OutputPort,
}

#[async_trait]
impl Activity for StringTokenizer {
    const ELEMENT: &'static str = activities::StringTokenizer::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::StringTokenizer::read(fields)?;
        let input = setup.reads(&read.string_blocks_input);
        let output = setup.writes(&read.string_tokens_output, None);
        Ok(Self { input, delimiters: read.delimiters.chars().collect(), output })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.input);
        let output = context.output(self.output);
        while let Some(block) = input.next().await? {
            let text = expect_text(block)?;
            for token in text.split(&self.delimiters[..]).filter(|token| !token.is_empty()) {
                output.send(Block::Text(text.slice_ref(token))).await?;
            }
        }
        output.finish().await;
        Ok(())
    }
}
