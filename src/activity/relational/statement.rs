//! What `sqlQueryStatement` and `sqlUpdateStatement` have in common.

use super::parameters::Parameters;
use crate::activity::transform::expect_text;
use crate::activity::{ActivityContext, ActivityError, Database, InputPort, Setup, Statements};
use crate::document::activities::{SqlStatement, TextOrStream};
use crate::document::{DocumentError, Element};

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
    /// Finds the data resource of a statement, and declares its inputs.
    pub(super) fn set_up(
        statement: SqlStatement,
        element: &Element,
        setup: &mut Setup<'_>,
    ) -> Result<Self, DocumentError> {
        let database = setup.relational_of(element, statement.resource.as_ref())?;
        let parameters = Parameters::set_up(statement.parameters, setup)?;
        let expression = match statement.expression {
            TextOrStream::Text(sql) => Expression::Given(sql),
            TextOrStream::Stream(stream) => Expression::From(setup.reads(&stream)),
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
