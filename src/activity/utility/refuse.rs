use async_trait::async_trait;

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `refuse`: fails, unless data come.
///
/// In the document that runs in new sessions it decides whether there will be one; in any other it is a condition of the
/// request, which fails as a whole.
///
/// ```xml
/// <refuse name="gate"><unless from="found"/><message>not for you</message></refuse>
/// ```
#[derive(Debug)]
pub struct Refuse {
    unless: Option<InputPort>,
    message: String,
}

#[async_trait]
impl Activity for Refuse {
    const ELEMENT: &'static str = activities::Refuse::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::Refuse::read(fields)?;
        Ok(Self { unless: read.unless.as_ref().map(|unless| setup.reads(unless)), message: read.message })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        if let Some(unless) = self.unless {
            let mut input = context.input(unless);
            while let Some(block) = input.next().await? {
                if !is_empty(&block) {
                    // The rest is of no use.
                    return Ok(());
                }
            }
        }
        Err(ActivityError::Authorization { code: "Refused", message: self.message })
    }
}

/// Whether there are no data in a block; one of rows then says only which columns there would be.
fn is_empty(block: &Block) -> bool {
    match block {
        Block::Rows(rows) => rows.num_rows() == 0,
        Block::Text(text) => text.is_empty(),
        Block::Bytes(bytes) => bytes.is_empty(),
    }
}
