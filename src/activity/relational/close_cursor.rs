use async_trait::async_trait;

use super::cursor;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, Requirement, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `closeCursor`: closes a cursor that the session has open, and takes it out of the session.
///
/// ```xml
/// <closeCursor name="done"><cursor name="people"/></closeCursor>
/// ```
#[derive(Debug)]
pub struct CloseCursor {
    name: Box<str>,
}

#[async_trait]
impl Activity for CloseCursor {
    const ELEMENT: &'static str = activities::CloseCursor::ELEMENT;
    const REQUIREMENT: Requirement = activities::CloseCursor::SHAPE.requires;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::CloseCursor::read(fields)?;
        setup.runs_statements();
        Ok(Self { name: read.cursor.into() })
    }

    async fn run(self, context: ActivityContext) -> Result<(), ActivityError> {
        let kept = cursor::find(context.session(), &self.name)?;
        if let Some(cursor) = kept.take()
            && let Err(error) = cursor.close().await
        {
            tracing::debug!(%error, "a cursor could not be closed; its connection is");
        }
        cursor::forget(context.session(), &self.name, &kept)
    }
}
