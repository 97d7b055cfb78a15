use async_trait::async_trait;

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, Setup};
use crate::block::StreamType;
use crate::document::activities::{self, ActivityElement, DeliveryMode as Mode};
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

#[async_trait]
impl Activity for DeliverToSession {
    const ELEMENT: &'static str = activities::DeliverToSession::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::DeliverToSession::read(fields)?;
        Ok(Self { input: setup.reads(&read.from_local), attribute: read.attribute, mode: read.mode })
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
