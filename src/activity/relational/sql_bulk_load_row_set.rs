use arrow_array::RecordBatch;
use async_trait::async_trait;
use futures_util::future::join;

use super::expect_rows;
use super::web_row_set_to_rows::read_rows;
use crate::activity::{Activity, ActivityContext, ActivityError, Database, InputPort, OutputPort, Requirement, Setup};
use crate::block::{Block, BlockReader, BlockWriter, StreamType, pipe};
use crate::document::activities::{self, ActivityElement, LoadSource, LoadTarget};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::{BulkLoad, TableName};

/// `sqlBulkLoadRowSet`: loads rows into a table, by the fastest way that the database has.
///
/// ```xml
/// <sqlBulkLoadRowSet name="load">
///   <webRowSetStream from="table"/>
///   <loadIntoTable tableName="gauge_copy" transactionally="true" create="false"/>
///   <resultStream name="loaded"/>
/// </sqlBulkLoadRowSet>
/// ```
///
/// Instead of a `WebRowSet`: `<rows from="…"/>`, which may come from any of the readers. Values go into the columns of their
/// names. Without `loadIntoTable` a new table is made, with the columns of the rows
/// and named after the first of them. The result is the number of rows loaded, `<updateCount>3</updateCount>`.
#[derive(Debug)]
pub struct SqlBulkLoadRowSet {
    database: Database,
    source: Source,
    target: Target,
    count: OutputPort,
}

/// Where the rows come from.
#[derive(Debug)]
enum Source {
    Rows(InputPort),
    WebRowSet(InputPort),
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
    const ELEMENT: &'static str = activities::SqlBulkLoadRowSet::ELEMENT;
    const REQUIREMENT: Requirement = activities::SqlBulkLoadRowSet::SHAPE.requires;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlBulkLoadRowSet::read(fields)?;
        let database = setup.relational_of(fields.element(), read.resource.as_ref())?;
        let source = match read.source {
            LoadSource::Rows(rows) => Source::Rows(setup.reads(&rows)),
            LoadSource::WebRowSet(table) => Source::WebRowSet(setup.reads(&table)),
        };
        let count = setup.writes(&read.result_stream, Some("application/xml"));
        Ok(Self { database, source, target: Target::of(read.target), count })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.count);
        let Self { database, source, target, .. } = self;
        let input = context.input(source.port()).into_reader().ok_or(ActivityError::InputBroken)?;
        let loaded = match source {
            Source::Rows(_) => target.load(input, &database, &context).await?,
            Source::WebRowSet(_) => {
                let (writer, reader) = pipe(StreamType::Rows);
                let loading = target.load(reader, &database, &context);
                match join(loading, read_rows(input, writer)).await {
                    (loaded, Ok(()) | Err(ActivityError::ReaderGone)) => loaded?,
                    // A load whose rows break off fails, too: why they did is what matters.
                    (_, Err(error)) => return Err(error),
                }
            }
        };
        output.send(Block::Text(format!("<updateCount>{loaded}</updateCount>").into())).await?;
        output.finish().await;
        Ok(())
    }
}

impl Source {
    fn port(&self) -> InputPort {
        match self {
            Self::Rows(port) | Self::WebRowSet(port) => *port,
        }
    }
}

impl Target {
    fn of(target: Option<LoadTarget>) -> Self {
        match target {
            Some(LoadTarget { table, transactionally, create }) => {
                Self { table: Some(TableName::parse(&table)), create, transactionally }
            }
            None => Self { table: None, create: true, transactionally: true },
        }
    }

    /// Loads the rows, and gives how many there were.
    async fn load(
        self,
        mut rows: BlockReader,
        database: &Database,
        context: &ActivityContext,
    ) -> Result<u64, ActivityError> {
        let Some(first) = rows.next().await? else { return self.without_rows() };
        let first = expect_rows(first)?;
        let load = self.of_rows(&first)?;
        let statements = database.open(context).await?;
        let (writer, reader) = pipe(StreamType::Rows);
        let loading = statements.executor()?.load(load, reader, context.cancellation().clone());
        let (loaded, fed) = join(loading, feed(first, rows, writer)).await;
        fed?;
        Ok(loaded?)
    }

    /// What is loaded where, once the columns are known.
    fn of_rows(self, rows: &RecordBatch) -> Result<BulkLoad, ActivityError> {
        let table = match (self.table, rows.schema_ref().fields().first()) {
            (Some(table), _) => table,
            (None, Some(column)) => TableName { schema: None, name: column.name().clone() },
            (None, None) => return Err(no_columns()),
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
async fn feed(first: RecordBatch, mut rest: BlockReader, load: BlockWriter) -> Result<(), ActivityError> {
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
