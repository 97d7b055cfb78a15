use std::sync::Arc;

use async_trait::async_trait;

use super::cursor::SessionCursor;
use super::parameters::Parameters;
use super::statement::StatementSettings;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, Requirement, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::{CursorOptions, Parameter, Statement};
use crate::session::AttributeValue;

/// `openCursor`: runs a query and keeps its rows open in the session, for `fetchCursor` to take some at a time.
///
/// ```xml
/// <openCursor name="people"><expression>SELECT * FROM person ORDER BY id</expression></openCursor>
/// ```
///
/// The session has the cursor under the name of the activity. With `scrollable="true"` it can go back and jump, in the
/// databases that can.
#[derive(Debug)]
pub struct OpenCursor {
    name: Box<str>,
    statement: StatementSettings,
    scrollable: bool,
}

#[async_trait]
impl Activity for OpenCursor {
    const ELEMENT: &'static str = activities::OpenCursor::ELEMENT;
    const REQUIREMENT: Requirement = activities::OpenCursor::SHAPE.requires;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let name = fields.element().attribute("name").unwrap_or_default().trim().into();
        let read = activities::OpenCursor::read(fields)?;
        let statement = StatementSettings::set_up(read.statement, fields.element(), setup)?;
        Ok(Self { name, statement, scrollable: read.is_scrollable })
    }

    async fn run(mut self, mut context: ActivityContext) -> Result<(), ActivityError> {
        self.check_name(&context)?;
        let parameters = std::mem::take(&mut self.statement.parameters);
        let (statements, sql) = self.statement.open(&mut context).await?;
        let parameters = one_row(parameters, &mut context).await?;
        let options = CursorOptions { scrollable: self.scrollable };
        let statement = Statement { sql, parameters };
        let cursor = statements.executor()?.open_cursor(statement, options, context.cancellation().clone()).await?;
        let cursor = SessionCursor::new(cursor, self.scrollable, statements.transaction().cloned());
        let cursor = AttributeValue::Live(Arc::new(cursor));
        context.session().set(&self.name, cursor)?;
        Ok(())
    }
}

impl OpenCursor {
    fn check_name(&self, context: &ActivityContext) -> Result<(), ActivityError> {
        if !context.session().contains(&self.name) {
            return Ok(());
        }
        let name = &self.name;
        let message = format!(
            "the session has an attribute `{name}` already: close the cursor of that name first (`closeCursor`), or give this \
             one another name"
        );
        Err(ActivityError::client("CursorExists", message))
    }
}

/// The values of the parameters: a cursor runs its query once.
async fn one_row(parameters: Parameters, context: &mut ActivityContext) -> Result<Vec<Parameter>, ActivityError> {
    if !parameters.are_streamed() {
        return Ok(parameters.given());
    }
    let mut rows = parameters.open(context);
    let first = rows.next().await?;
    match (first, rows.next().await?) {
        (Some(row), None) => Ok(row),
        (None, _) => Err(ActivityError::client("TooFewParameters", "the streams give no value for the parameters")),
        (Some(_), Some(_)) => {
            let message = "a cursor runs its query once, and the streams give more than one row of parameters";
            Err(ActivityError::client("TooManyParameters", message))
        }
    }
}
