use async_trait::async_trait;

use super::table_definition::TableToMake;
use crate::activity::{Activity, ActivityContext, ActivityError, Database, OutputPort, Requirement, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement, TableOperation};
use crate::document::{DocumentError, Element, Fields};
use crate::resource::relational::{Dialect, ParameterRows, TableName};

/// `relationalResourceManagement`: makes and drops tables. It has to be granted.
///
/// ```xml
/// <relationalResourceManagement name="make">
///   <createTable name="gauge" ifNotExists="true">
///     <column name="id" type="int64" nullable="false" primaryKey="1"/><column name="station" type="text" length="40"/>
///   </createTable>
///   <output name="made"/>
/// </relationalResourceManagement>
/// ```
///
/// Instead of columns: `<sql>`, what stands between the parentheses in the words of the database. Instead of `createTable`:
/// `<dropTable name="gauge" ifExists="true"/>`. The output is `<createdTable name="gauge"/>` or `<droppedTable name="gauge"/>`.
#[derive(Debug)]
pub struct RelationalResourceManagement {
    database: Database,
    operation: Operation,
    output: OutputPort,
}

#[derive(Debug)]
enum Operation {
    Create(TableToMake),
    Drop { table: TableName, if_exists: bool },
}

#[async_trait]
impl Activity for RelationalResourceManagement {
    const ELEMENT: &'static str = activities::RelationalResourceManagement::ELEMENT;
    const REQUIREMENT: Requirement = activities::RelationalResourceManagement::SHAPE.requires;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::RelationalResourceManagement::read(fields)?;
        let database = setup.relational_of(fields.element(), read.resource.as_ref())?;
        let output = setup.writes(&read.output, Some("application/xml"));
        Ok(Self { database, operation: Operation::of(read.operation), output })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        let dialect = self.database.dialect()?;
        let (sql, done) = (self.operation.to_sql(dialect)?, self.operation.answer()?);
        let statements = self.database.open(&context).await?;
        if statements.are_in_transaction() && dialect.commits_definitions() {
            return Err(ActivityError::client(
                "ImplicitCommit",
                "this database commits the transaction when a table is made or dropped: commit it or roll it back before",
            ));
        }
        statements.executor()?.update(sql, ParameterRows::one([]), context.cancellation().clone()).await?;
        output.send(Block::Text(done.into())).await?;
        output.finish().await;
        Ok(())
    }
}

impl Operation {
    fn of(operation: TableOperation) -> Self {
        match operation {
            TableOperation::Create(table) => Self::Create(TableToMake::of(table)),
            TableOperation::Drop { table, if_exists } => Self::Drop { table: TableName::parse(&table), if_exists },
        }
    }

    fn to_sql(&self, dialect: Dialect) -> Result<String, ActivityError> {
        match self {
            Self::Create(table) => Ok(table.to_sql(dialect)?),
            Self::Drop { table, if_exists } => Ok(dialect.drop_table(table, *if_exists)),
        }
    }

    /// What was done, as XML.
    fn answer(&self) -> Result<String, ActivityError> {
        let (element, table) = match self {
            Self::Create(table) => ("createdTable", &table.name),
            Self::Drop { table, .. } => ("droppedTable", table),
        };
        let xml = Element::new(element, None).with_attribute("name", table).to_xml();
        let xml = xml.map_err(|error| ActivityError::client("FormatError", error.to_string()))?;
        Ok(xml.trim_end().to_owned())
    }
}
