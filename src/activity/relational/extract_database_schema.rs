use async_trait::async_trait;
use futures_util::future::try_join;

use super::schema_document::{SchemaDocument, table_element};
use super::schema_rows;
use crate::activity::{
    Activity, ActivityContext, ActivityError, Database, Effects, Output, OutputPort, Requirement, Setup,
};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::{DatabaseSchema, SchemaFilter};

/// `extractDatabaseSchema`: the tables and views of the database, with columns and keys.
///
/// ```xml
/// <extractDatabaseSchema name="look">
///   <schema>shop</schema><table>cust%</table><tablesOnly value="true"/><namesOnly value="false"/>
///   <databaseSchema name="tables"/><output name="document"/>
/// </extractDatabaseSchema>
/// ```
///
/// Everything but the name may be left out. `databaseSchema` is a stream of rows, one for each column, for
/// [`databaseSchemaToXML`](super::DatabaseSchemaToXml) and every format of rows; `output` is the XML at once.
#[derive(Debug)]
pub struct ExtractDatabaseSchema {
    database: Database,
    filter: SchemaFilter,
    names_only: bool,
    rows: OutputPort,
    document: OutputPort,
}

#[async_trait]
impl Activity for ExtractDatabaseSchema {
    const ELEMENT: &'static str = activities::ExtractDatabaseSchema::ELEMENT;
    const REQUIREMENT: Requirement = activities::ExtractDatabaseSchema::SHAPE.requires;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::ExtractDatabaseSchema::read(fields)?;
        let database = setup.relational_of(fields.element(), read.resource.as_ref())?;
        let filter = SchemaFilter { schema: read.schema, table: read.table, tables_only: read.tables_only };
        let rows = setup.writes(&read.database_schema, None);
        let document = setup.writes(&read.output, Some("application/xml"));
        Ok(Self { database, filter, names_only: read.names_only, rows, document })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let (rows, document) = (context.output(self.rows), context.output(self.document));
        let statements = self.database.open(&context).await?;
        let mut schema = statements.executor()?.schema(&self.filter).await?;
        if self.names_only {
            schema.tables.iter_mut().for_each(|table| table.columns.clear());
        }
        try_join(send_rows(&schema, rows), send_document(&schema, document)).await?;
        Ok(())
    }
}

async fn send_rows(schema: &DatabaseSchema, output: Output) -> Result<(), ActivityError> {
    for rows in schema_rows::to_blocks(schema)? {
        output.send(Block::Rows(rows)).await?;
    }
    output.finish().await;
    Ok(())
}

async fn send_document(schema: &DatabaseSchema, output: Output) -> Result<(), ActivityError> {
    let mut document = SchemaDocument::begin("databaseSchema", output);
    for table in &schema.tables {
        document.write(&table_element(table)).await?;
    }
    document.end().await
}
