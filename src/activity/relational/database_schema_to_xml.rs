use async_trait::async_trait;

use super::expect_rows;
use super::schema_document::{SchemaDocument, table_element};
use super::schema_rows::TableReader;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `databaseSchemaToXML`: the rows of [`extractDatabaseSchema`](super::ExtractDatabaseSchema) as an XML document.
///
/// ```xml
/// <databaseSchemaToXML name="write"><databaseSchema from="tables"/><output name="document"/></databaseSchemaToXML>
/// ```
///
/// The rows may have been kept in the session meanwhile; they have to have the columns that they had.
#[derive(Debug)]
pub struct DatabaseSchemaToXml {
    rows: InputPort,
    document: OutputPort,
}

#[async_trait]
impl Activity for DatabaseSchemaToXml {
    const ELEMENT: &'static str = activities::DatabaseSchemaToXml::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::DatabaseSchemaToXml::read(fields)?;
        let rows = setup.reads(&read.database_schema);
        Ok(Self { rows, document: setup.writes(&read.output, Some("application/xml")) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.rows);
        let mut document = SchemaDocument::begin("databaseSchema", context.output(self.document));
        let mut reader: Option<TableReader> = None;
        while let Some(block) = input.next().await? {
            let rows = expect_rows(block)?;
            let reader = match &mut reader {
                Some(reader) => reader,
                None => reader.insert(TableReader::begin(&rows.schema())?),
            };
            for table in reader.read(&rows)? {
                document.write(&table_element(&table)).await?;
            }
        }
        if let Some(last) = reader.and_then(TableReader::end) {
            document.write(&table_element(&last)).await?;
        }
        document.end().await
    }
}
