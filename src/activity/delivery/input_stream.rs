use async_trait::async_trait;

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, OutputPort, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `inputStream`: takes in what a client writes to the stream of the session that has the name of the activity, while the
/// request runs.
///
/// ```xml
/// <inputStream name="feed"><toLocal name="feedData"/></inputStream>
/// ```
///
/// A request that contains one is answered at once. What is written as text comes as text, all else as bytes; each block as it
/// was written.
#[derive(Debug)]
pub struct InputStream {
    output: OutputPort,
}

#[async_trait]
impl Activity for InputStream {
    const ELEMENT: &'static str = activities::InputStream::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::InputStream::read(fields)?;
        setup.session_input();
        Ok(Self { output: setup.writes(&read.to_local, None) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.session_input();
        let output = context.output(self.output);
        loop {
            match input.next().await {
                Ok(Some(block)) => output.send(block).await?,
                Ok(None) => break,
                Err(_) => {
                    return Err(ActivityError::client(
                        "StreamBroken",
                        "the session stream broke off before its end: whoever wrote it went away, or deleted it",
                    ));
                }
            }
        }
        output.finish().await;
        Ok(())
    }
}
