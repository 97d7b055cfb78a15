use async_trait::async_trait;
use futures_util::future::try_join;

use super::statement::StatementSettings;
use crate::activity::{Activity, ActivityContext, ActivityError, OutputPort, PortType, Requirement, Setup};
use crate::block::{Block, StreamType};
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
    const ELEMENT: &'static str = "sqlUpdateStatement";
    const REQUIREMENT: Requirement = Requirement::Relational;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let statement = StatementSettings::parse(fields, setup)?;
        let count = match fields.child("resultStream") {
            Some(child) => setup.output_of(child, PortType::Is(StreamType::Text), Some("application/xml"))?,
            None => OutputPort::NOWHERE,
        };
        Ok(Self { statement, count })
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
