use async_trait::async_trait;

use super::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::{Block, StreamType};
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
    const ELEMENT: &'static str = "stringTokenizer";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let input = setup.input(fields, "stringBlocksInput", StreamType::Text)?;
        let delimiters = match fields.child("delimiters") {
            Some(child) => {
                let mut settings = child.fields();
                let value = settings.required_attribute("value")?;
                settings.finish()?;
                value.as_str().chars().collect()
            }
            None => vec![' '],
        };
        let output = setup.output(fields, "stringTokensOutput", StreamType::Text)?;
        Ok(Self { input, delimiters, output })
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
