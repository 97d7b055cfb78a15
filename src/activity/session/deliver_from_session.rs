use async_trait::async_trait;

use super::not_found;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::session::AttributeValue;

/// `deliverFromSession`: makes a stream of what a session attribute keeps. The attribute stays.
///
/// ```xml
/// <deliverFromSession name="take"><fromSession attribute="cart"/><toLocal name="rows"/></deliverFromSession>
/// ```
///
/// A stream comes back as it was kept, block by block; a value that was set comes as one block of text.
#[derive(Debug)]
pub struct DeliverFromSession {
    attribute: String,
    output: OutputPort,
}

#[async_trait]
impl Activity for DeliverFromSession {
    const ELEMENT: &'static str = activities::DeliverFromSession::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::DeliverFromSession::read(fields)?;
        Ok(Self { attribute: read.attribute, output: setup.writes(&read.to_local, None) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        match context.session().get(&self.attribute) {
            None => return Err(not_found(&self.attribute)),
            Some(AttributeValue::Stream(stream)) => {
                for block in stream.blocks() {
                    output.send(block.clone()).await?;
                }
            }
            Some(value) => match value.scalar() {
                Some(scalar) => output.send(Block::Text(scalar.to_string().into())).await?,
                None => {
                    return Err(ActivityError::client(
                        "AttributeNotReadable",
                        format!(
                            "the attribute `{}` is a {}: it has no data to deliver",
                            self.attribute,
                            value.type_name()
                        ),
                    ));
                }
            },
        }
        output.finish().await;
        Ok(())
    }
}
