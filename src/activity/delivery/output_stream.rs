use async_trait::async_trait;

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `outputStream`: makes a stream of text or bytes a stream of the session, by the name of the activity, for a client to read
/// while the request runs and after.
///
/// ```xml
/// <outputStream name="tap"><fromLocal from="csv"/></outputStream>
/// ```
///
/// A request that contains one is answered at once.
#[derive(Debug)]
pub struct OutputStream {
    input: InputPort,
    output: OutputPort,
}

#[async_trait]
impl Activity for OutputStream {
    const ELEMENT: &'static str = activities::OutputStream::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::OutputStream::read(fields)?;
        let input = setup.reads(&read.from_local);
        let output = setup.session_output(fields.element(), PortType::SameAs(input));
        Ok(Self { input, output })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.input);
        let output = context.output(self.output);
        while let Some(block) = input.next().await? {
            output.send(block).await?;
        }
        output.finish().await;
        Ok(())
    }
}
