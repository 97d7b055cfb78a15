//! What `sqlQueryStatement` and `sqlUpdateStatement` have in common.

use super::parameters::Parameters;
use crate::activity::transform::expect_text;
use crate::activity::{ActivityContext, ActivityError, Database, InputPort, Setup, Statements};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields};

/// A statement as the document gives it: data resource, parameters, text.
#[derive(Debug)]
pub(super) struct StatementSettings {
    database: Database,
    pub(super) parameters: Parameters,
    expression: Expression,
}

#[derive(Debug)]
enum Expression {
    Given(String),
    From(InputPort),
}

/// The longest statement that is read from a stream, in bytes.
const LONGEST_EXPRESSION: usize = 1024 * 1024;

impl StatementSettings {
    /// Reads `resource`, every `sqlParameter` and the `expression`.
    pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let database = setup.relational(fields)?;
        let parameters = Parameters::parse(fields, setup)?;
        let element = fields.required_child("expression")?;
        let mut settings = element.fields();
        let from = settings.attribute("from");
        settings.finish_attributes()?;
        let expression = if let Some(from) = from {
            setup.refuse_content_beside_from(element)?;
            Expression::From(setup.input_from(&from, StreamType::Text)?)
        } else {
            Expression::Given(element.text()?.into_owned())
        };
        Ok(Self { database, parameters, expression })
    }

    /// What the statement runs on, and its text.
    pub(super) async fn open(&mut self, context: &mut ActivityContext) -> Result<(Statements, String), ActivityError> {
        let sql = match &mut self.expression {
            Expression::Given(sql) => std::mem::take(sql),
            Expression::From(port) => read_expression(context, *port).await?,
        };
        Ok((self.database.open(context).await?, sql))
    }
}

async fn read_expression(context: &mut ActivityContext, port: InputPort) -> Result<String, ActivityError> {
    let mut input = context.input(port);
    let mut sql = String::new();
    while let Some(block) = input.next().await? {
        sql.push_str(&expect_text(block)?);
        if sql.len() > LONGEST_EXPRESSION {
            return Err(ActivityError::client("ExpressionTooLong", "the expression is longer than 1 MiB"));
        }
    }
    Ok(sql)
}
