use async_trait::async_trait;

use super::schema_document::{SchemaDocument, physical_table_element};
use crate::activity::{Activity, ActivityContext, ActivityError, Database, Effects, OutputPort, Requirement, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::resource::relational::{SchemaFilter, TableName};

/// `extractPhysicalSchema`: how many rows and bytes tables have, and which indexes and foreign keys.
///
/// ```xml
/// <extractPhysicalSchema name="weigh"><getTables name="orders"/><output name="sizes"/></extractPhysicalSchema>
/// ```
///
/// `getTables` names the table, or is a pattern of SQL (`ord%`, `shop.ord%`); without it all tables are looked at. Numbers
/// are what the database knows without counting, where it has such: estimates.
#[derive(Debug)]
pub struct ExtractPhysicalSchema {
    database: Database,
    filter: SchemaFilter,
    document: OutputPort,
}

#[async_trait]
impl Activity for ExtractPhysicalSchema {
    const ELEMENT: &'static str = activities::ExtractPhysicalSchema::ELEMENT;
    const REQUIREMENT: Requirement = activities::ExtractPhysicalSchema::SHAPE.requires;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::ExtractPhysicalSchema::read(fields)?;
        let database = setup.relational_of(fields.element(), read.resource.as_ref())?;
        let mut filter = SchemaFilter { tables_only: true, ..SchemaFilter::default() };
        if let Some(tables) = read.tables {
            let wanted = TableName::parse(&tables);
            filter.schema = wanted.schema;
            filter.table = Some(wanted.name);
        }
        Ok(Self { database, filter, document: setup.writes(&read.output, Some("application/xml")) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut document = SchemaDocument::begin("physicalSchema", context.output(self.document));
        let statements = self.database.open(&context).await?;
        let schema = statements.executor()?.physical_schema(&self.filter).await?;
        for table in &schema.tables {
            document.write(&physical_table_element(table)).await?;
        }
        document.end().await
    }
}
