use async_trait::async_trait;
use futures_util::future::try_join;

use super::statement::StatementSettings;
use crate::activity::{Activity, ActivityContext, ActivityError, OutputPort, Requirement, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::ParameterRows;

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
#[derive(Debug)]
pub struct SqlUpdateStatement {
    statement: StatementSettings,
    count: OutputPort,
}

#[async_trait]
impl Activity for SqlUpdateStatement {
    const ELEMENT: &'static str = activities::SqlUpdateStatement::ELEMENT;
    const REQUIREMENT: Requirement = activities::SqlUpdateStatement::SHAPE.requires;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlUpdateStatement::read(fields)?;
        let statement = StatementSettings::set_up(read.statement, fields.element(), setup)?;
        Ok(Self { statement, count: setup.writes(&read.result_stream, Some("application/xml")) })
    }

    async fn run(mut self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.count);
        let parameters = std::mem::take(&mut self.statement.parameters);
        let (statements, sql) = self.statement.open(&mut context).await?;
        let database = statements.executor()?;
        let cancel = context.cancellation().clone();
        let changed = if parameters.are_streamed() {
            let given = parameters.open_for(&statements, &mut context).await?;
            let (sender, rows) = ParameterRows::channel();
            let updating = async { Ok(database.update(sql, rows, cancel).await?) };
            let (changed, ()) = try_join(updating, given.send_all(sender)).await?;
            changed
        } else {
            database.update(sql, ParameterRows::one(parameters.given()), cancel).await?
        };
        output.send(Block::Text(format!("<updateCount>{changed}</updateCount>").into())).await?;
        output.finish().await;
        Ok(())
    }
}
