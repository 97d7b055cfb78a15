use async_trait::async_trait;
use futures_util::future::try_join;
use tokio_util::sync::CancellationToken;

use super::statement::StatementSettings;
use crate::activity::{Activity, ActivityContext, ActivityError, OutputPort, Requirement, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::{ParameterRows, SqlExecutor, UpdateEnd};

/// `sqlUpdateStatement`: changes data, all that it is asked to or nothing.
///
/// ```xml
/// <sqlUpdateStatement name="raise">
///   <sqlParameter position="1">10.5</sqlParameter>
///   <sqlParameter position="2" from="ids"/>
///   <expression>UPDATE customer SET credit = credit + ? WHERE id = ?</expression>
///   <resultStream name="changed"/>
/// </sqlUpdateStatement>
/// ```
///
/// Where parameters come from streams, each block of text is a value, and the statement runs once for every row of values, in
/// one transaction. The result is the number of rows changed altogether, `<updateCount>3</updateCount>`.
///
/// Rows that the statement gives itself (`RETURNING`) are the stream `returnedRows`. They are sent once the statement is done,
/// with all its rows of parameters: what can be read of them holds.
#[derive(Debug)]
pub struct SqlUpdateStatement {
    statement: StatementSettings,
    count: OutputPort,
    returned: OutputPort,
}

#[async_trait]
impl Activity for SqlUpdateStatement {
    const ELEMENT: &'static str = activities::SqlUpdateStatement::ELEMENT;
    const REQUIREMENT: Requirement = activities::SqlUpdateStatement::SHAPE.requires;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlUpdateStatement::read(fields)?;
        let statement = StatementSettings::set_up(read.statement, fields.element(), setup)?;
        let count = setup.writes(&read.result_stream, Some("application/xml"));
        Ok(Self { statement, count, returned: setup.writes(&read.returned_rows, None) })
    }

    async fn run(mut self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let (count, returned) = (context.output(self.count), context.output(self.returned));
        let parameters = std::mem::take(&mut self.statement.parameters);
        let (statements, sql) = self.statement.open(&mut context).await?;
        let update = Update {
            database: statements.executor()?,
            sql,
            wants_rows: self.returned != OutputPort::NOWHERE,
            cancel: context.cancellation().clone(),
        };
        let end = if parameters.are_streamed() {
            let given = parameters.open_for(&statements, &mut context).await?;
            let (sender, rows) = ParameterRows::channel();
            let (end, ()) = try_join(update.run(rows), given.send_all(sender)).await?;
            end
        } else {
            update.run(ParameterRows::one(parameters.given())).await?
        };
        count.send(Block::Text(format!("<updateCount>{}</updateCount>", end.changed).into())).await?;
        count.finish().await;
        for block in end.rows {
            returned.send(Block::Rows(block)).await?;
        }
        returned.finish().await;
        Ok(())
    }
}

/// An update that is about to run.
struct Update<'a> {
    database: &'a dyn SqlExecutor,
    sql: String,
    wants_rows: bool,
    cancel: CancellationToken,
}

impl Update<'_> {
    async fn run(self, rows: ParameterRows) -> Result<UpdateEnd, ActivityError> {
        let Self { database, sql, wants_rows, cancel } = self;
        if wants_rows {
            return Ok(database.update_returning(sql, rows, cancel).await?);
        }
        let changed = database.update(sql, rows, cancel).await?;
        Ok(UpdateEnd { changed, rows: Vec::new() })
    }
}
