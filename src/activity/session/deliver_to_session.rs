use async_trait::async_trait;

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, Setup};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields};
use crate::session::StoredStream;

/// `deliverToSession`: keeps a stream of rows, text or bytes as a session attribute.
///
/// ```xml
/// <deliverToSession name="keep"><fromLocal from="rows"/><toSession attribute="cart" mode="append"/></deliverToSession>
/// ```
///
/// `mode="replace"`, the default, takes the place of what was there; `append` adds to a stream of the same type.
#[derive(Debug)]
pub struct DeliverToSession {
    input: InputPort,
    attribute: String,
    mode: Mode,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Replace,
    Append,
}

#[async_trait]
impl Activity for DeliverToSession {
    const ELEMENT: &'static str = "deliverToSession";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let input = setup.input(fields, "fromLocal", StreamType::Any)?;
        let mut target = fields.required_child("toSession")?.fields();
        let attribute = target.required_attribute("attribute")?.name()?.to_owned();
        let modes = [("replace", Mode::Replace), ("append", Mode::Append)];
        let mode = target.attribute("mode").map_or(Ok(Mode::Replace), |mode| mode.choice(&modes))?;
        target.finish()?;
        Ok(Self { input, attribute, mode })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.input);
        let mut stored = StoredStream::new(StreamType::Any);
        while let Some(block) = input.next().await? {
            stored.push(block).map_err(|error| ActivityError::client("WrongStreamType", error.to_string()))?;
            // Looked at with every block: a stream without end must not fill the memory before it is refused.
            context.session().check_size(&self.attribute, stored.byte_size())?;
        }
        match self.mode {
            Mode::Replace => context.session().set(&self.attribute, stored)?,
            Mode::Append => context.session().append(&self.attribute, &stored)?,
        }
        Ok(())
    }
}
