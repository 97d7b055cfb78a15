use arrow_array::RecordBatch;
use async_trait::async_trait;
use futures_util::future::join;

use super::expect_rows;
use crate::activity::{
    Activity, ActivityContext, ActivityError, Database, Input, InputPort, OutputPort, PortType, Requirement, Setup,
};
use crate::block::{Block, BlockWriter, StreamType, pipe};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::{BulkLoad, TableName};

/// `sqlBulkLoadRowSet`: loads rows into a table, by the fastest way that the database has.
///
/// ```xml
/// <sqlBulkLoadRowSet name="load">
///   <rows from="rows"/>
///   <loadIntoTable tableName="gauge_copy" transactionally="true" create="false"/>
///   <resultStream name="loaded"/>
/// </sqlBulkLoadRowSet>
/// ```
///
/// Values go into the columns of their names. Without `loadIntoTable` a new table is made, with the columns of the rows
/// and named after the first of them. The result is the number of rows loaded, `<updateCount>3</updateCount>`.
#[derive(Debug)]
pub struct SqlBulkLoadRowSet {
    database: Database,
    rows: InputPort,
    target: Target,
    count: OutputPort,
}

/// Where the rows are loaded into, as the document says it.
#[derive(Debug)]
struct Target {
    /// None for a new table that is named after the first column.
    table: Option<TableName>,
    create: bool,
    transactionally: bool,
}

#[async_trait]
impl Activity for SqlBulkLoadRowSet {
    const ELEMENT: &'static str = "sqlBulkLoadRowSet";
    const REQUIREMENT: Requirement = Requirement::Relational;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let database = setup.relational(fields)?;
        let rows = setup.input(fields, "rows", StreamType::Rows)?;
        let target = Target::parse(fields)?;
        let count = match fields.child("resultStream") {
            Some(child) => setup.output_of(child, PortType::Is(StreamType::Text), Some("application/xml"))?,
            None => OutputPort::NOWHERE,
        };
        Ok(Self { database, rows, target, count })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.count);
        let mut input = context.input(self.rows);
        let loaded = match input.next().await? {
            Some(first) => {
                let first = expect_rows(first)?;
                let load = self.target.load(&first)?;
                let statements = self.database.open(&context).await?;
                let (writer, reader) = pipe(StreamType::Rows);
                let loading = statements.executor()?.load(load, reader, context.cancellation().clone());
                let (loaded, fed) = join(loading, feed(first, input, writer)).await;
                // A load whose rows break off fails, too: why they did is what matters.
                fed?;
                loaded?
            }
            None => self.target.without_rows()?,
        };
        output.send(Block::Text(format!("<updateCount>{loaded}</updateCount>").into())).await?;
        output.finish().await;
        Ok(())
    }
}

impl Target {
    fn parse(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let Some(child) = fields.child("loadIntoTable") else {
            return Ok(Self { table: None, create: true, transactionally: true });
        };
        let mut settings = child.fields();
        let table = TableName::parse(&settings.required_attribute("tableName")?.non_empty()?.value);
        let transactionally = settings.attribute("transactionally").map_or(Ok(true), |value| value.boolean())?;
        let create = settings.attribute("create").map_or(Ok(false), |value| value.boolean())?;
        settings.finish()?;
        Ok(Self { table: Some(table), create, transactionally })
    }

    /// What is loaded where, once the columns are known.
    fn load(self, rows: &RecordBatch) -> Result<BulkLoad, ActivityError> {
        let named = || rows.schema_ref().fields().first().map(|field| field.name().clone());
        let table = match self.table {
            Some(table) => table,
            None => TableName { schema: None, name: named().ok_or_else(no_columns)? },
        };
        Ok(BulkLoad { table, create: self.create, transactionally: self.transactionally })
    }

    /// A stream without any block, from a query that never ran, has no columns to make a table of.
    fn without_rows(self) -> Result<u64, ActivityError> {
        if self.create { Err(no_columns()) } else { Ok(0) }
    }
}

fn no_columns() -> ActivityError {
    ActivityError::client("NoColumns", "no table can be made from rows without columns: say `loadIntoTable`")
}

/// Hands all rows to the load. One that has failed takes no more: its own error says why.
async fn feed(first: RecordBatch, mut rest: Input, load: BlockWriter) -> Result<(), ActivityError> {
    if load.send(Block::Rows(first)).await.is_err() {
        return Ok(());
    }
    while let Some(block) = rest.next().await? {
        if load.send(Block::Rows(expect_rows(block)?)).await.is_err() {
            return Ok(());
        }
    }
    load.finish().await;
    Ok(())
}
