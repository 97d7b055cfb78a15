//! An activity of one's own: `wordCount` counts the words of a text stream.
//!
//! It is written in two halves. `parse` reads the element into checked settings and declares what flows in and out; `run`
//! does the work, between bounded pipes. One line makes it known: `Server::builder().activity::<WordCount>()`.
//!
//! ```xml
//! <wordCount name="count" shortest="4"><input from="text"/><output name="words"/></wordCount>
//! ```
//!
//! Run it with `cargo run --example own_activity`.

use std::error::Error;

use async_trait::async_trait;
use rejoin::activity::{Activity, ActivityContext, ActivityError, InputPort, OutputPort, Setup};
use rejoin::block::{Block, StreamType};
use rejoin::document::{DocumentError, Fields};
use rejoin::service::{ConfiguredResource, Server};

/// The checked settings of one `wordCount` element.
struct WordCount {
    /// How many letters a word has to have.
    shortest: usize,
    input: InputPort,
    output: OutputPort,
}

#[async_trait]
impl Activity for WordCount {
    const ELEMENT: &'static str = "wordCount";

    /// What is not asked for here is refused, with the nearest name that is.
    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let shortest = fields.attribute("shortest").map_or(Ok(1), |value| value.integer(1..=100))?;
        let input = setup.input(fields, "input", StreamType::Text)?;
        let output = setup.optional_output(fields, "output", StreamType::Text)?;
        Ok(Self { shortest, input, output })
    }

    /// Reads block by block, so that it needs no more memory for a long text than for a short one. A word that the end of a
    /// block cuts in two is kept for the next.
    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.input);
        let output = context.output(self.output);
        let is_word = |word: &&str| word.chars().count() >= self.shortest;
        let (mut count, mut rest) = (0, String::new());
        while let Some(block) = input.next().await? {
            let Block::Text(text) = block else {
                return Err(ActivityError::wrong_type(StreamType::Text, block.stream_type()));
            };
            rest.push_str(&text);
            let end = rest.rfind(char::is_whitespace).map_or(0, |space| space + 1);
            count += rest[..end].split_whitespace().filter(is_word).count();
            rest.drain(..end);
        }
        count += rest.split_whitespace().filter(is_word).count();
        output.send(Block::Text(count.to_string().into())).await?;
        // The end of a stream is said. Without this the reader would take it for broken.
        output.finish().await;
        Ok(())
    }
}

const RIGHT: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <echo name="say"><text>the quick brown fox jumps over the lazy dog</text><output name="text"/></echo>
  <wordCount name="count" shortest="4"><input from="text"/><output name="words"/></wordCount>
</perform>"#;

const WRONG: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <echo name="say"><text>the quick brown fox</text><output name="text"/></echo>
  <wordCount name="count" shortst="4"><input from="text"/><output name="words"/></wordCount>
</perform>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::builder()
        .listen("127.0.0.1:0")
        .activity::<WordCount>()
        .resource(ConfiguredResource::new("texts", "."))
        .build()?
        .start()
        .await?;
    let url = format!("{}/services/texts", server.url());

    println!("A document that uses it:\n{RIGHT}\n");
    println!("Words of four letters and more: {}\n", post(&format!("{url}?return=words"), RIGHT).await?);
    println!("One with a misspelt attribute, which is found before anything runs:\n{}", post(&url, WRONG).await?);

    server.shutdown().await;
    Ok(())
}

async fn post(url: &str, document: &'static str) -> reqwest::Result<String> {
    let request = reqwest::Client::new().post(url).header("content-type", "application/xml").body(document);
    request.send().await?.text().await
}
