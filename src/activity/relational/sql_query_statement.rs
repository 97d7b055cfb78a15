use async_trait::async_trait;
use futures_util::future::try_join;

use super::statement::StatementSettings;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, Output, OutputPort, Requirement, Setup};
use crate::block::{StreamType, pipe};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::{SqlExecutor, Statement};

/// `sqlQueryStatement`: the rows of a query. It can't write.
///
/// ```xml
/// <sqlQueryStatement name="find">
///   <sqlParameter position="1">Perth</sqlParameter>
///   <expression>SELECT id, name FROM customer WHERE town = ?</expression>
///   <resultStream name="rows"/>
/// </sqlQueryStatement>
/// ```
///
/// Where a parameter comes from a stream (`<sqlParameter position="1" from="towns"/>`), each block of text is a value, and the
/// query runs once for every row of values: its rows follow each other in the result.
#[derive(Debug)]
pub struct SqlQueryStatement {
    statement: StatementSettings,
    rows: OutputPort,
}

#[async_trait]
impl Activity for SqlQueryStatement {
    const ELEMENT: &'static str = activities::SqlQueryStatement::ELEMENT;
    const REQUIREMENT: Requirement = activities::SqlQueryStatement::SHAPE.requires;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlQueryStatement::read(fields)?;
        let statement = StatementSettings::set_up(read.statement, fields.element(), setup)?;
        Ok(Self { statement, rows: setup.writes(&read.result_stream, None) })
    }

    async fn run(mut self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.rows);
        let parameters = std::mem::take(&mut self.statement.parameters);
        let (statements, sql) = self.statement.open(&mut context).await?;
        let database = statements.executor()?;
        if parameters.are_streamed() {
            let mut rows = parameters.open_for(&statements, &mut context).await?;
            while let Some(parameters) = rows.next().await? {
                query_into(database, Statement { sql: sql.clone(), parameters }, &output, &context).await?;
            }
            output.finish().await;
            return Ok(());
        }
        let statement = Statement { sql, parameters: parameters.given() };
        match output.into_writer() {
            Some(writer) => {
                database.query(statement, writer, context.cancellation().clone()).await?;
                Ok(())
            }
            None => query_into(database, statement, &Output::nowhere(), &context).await,
        }
    }
}

/// One of several queries: its rows go into the output, which stays open.
async fn query_into(
    database: &dyn SqlExecutor,
    statement: Statement,
    output: &Output,
    context: &ActivityContext,
) -> Result<(), ActivityError> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let querying = async {
        database.query(statement, writer, context.cancellation().clone()).await?;
        Ok::<(), ActivityError>(())
    };
    let handing_on = async {
        // A broken stream is told of by the query itself.
        while let Ok(Some(block)) = reader.next().await {
            output.send(block).await?;
        }
        Ok(())
    };
    try_join(querying, handing_on).await?;
    Ok(())
}
