//! What a database has: its tables as they are defined, and as they are kept.

use crate::block::StreamType;
use crate::document::activities::shape::{self, AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::statement::{RESOURCE, read_resource, write_resource};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields, Located, Value};

/// `extractDatabaseSchema`: the tables and views of the database, with their columns and keys.
///
/// ```
/// use rejoin::document::activities::ExtractDatabaseSchema;
///
/// let look = ExtractDatabaseSchema { table: Some("cust%".into()), output: "tables".into(), ..Default::default() };
/// assert!(!look.tables_only);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtractDatabaseSchema {
    /// The name of the data resource; without it the first that is relational.
    pub resource: Option<Located<String>>,
    /// The schema; without it the one that the connection works in.
    pub schema: Option<String>,
    /// Which tables and views: a name or a pattern of SQL; without it all.
    pub table: Option<String>,
    /// Whether views are left out.
    pub tables_only: bool,
    /// Whether columns are left out.
    pub names_only: bool,
    /// The schema as rows, one for each column.
    pub database_schema: ToStream<Rows>,
    /// The schema as XML.
    pub output: ToStream<Text>,
}

/// `<name>text</name>`, if it is there; it may not be empty.
fn optional_text(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<String>, DocumentError> {
    let Some(child) = fields.child(name) else { return Ok(None) };
    child.fields().finish_attributes()?;
    Ok(Some(child.value()?.non_empty()?.value))
}

impl ActivityElement for ExtractDatabaseSchema {
    const SHAPE: Shape = Shape::new(
        "extractDatabaseSchema",
        Family::Relational,
        "Gives the tables and views of the database, with their columns and keys: as rows, as XML, or both.",
    )
    .requires(Requirement::Relational)
    .attributes(&[RESOURCE])
    .children(&[
        ChildShape::text(
            "schema",
            ValueShape::NonEmptyText,
            "the schema, of MariaDB the database; without it the one that the connection works in",
        )
        .optional(),
        ChildShape::text(
            "table",
            ValueShape::NonEmptyText,
            "which tables and views: a name, or a pattern of SQL (`%` for any characters, `_` for one); without it all",
        )
        .optional(),
        ChildShape::setting("tablesOnly", &shape::value(ValueShape::Boolean, "false"), "whether views are left out"),
        ChildShape::setting("namesOnly", &shape::value(ValueShape::Boolean, "false"), "whether columns are left out"),
        ChildShape::output("databaseSchema", StreamType::Rows, "one for each column").optional(),
        ChildShape::output("output", StreamType::Text, "`application/xml`").optional(),
    ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            resource: read_resource(fields)?,
            schema: optional_text(fields, "schema")?,
            table: optional_text(fields, "table")?,
            tables_only: fields.setting_or("tablesOnly", false, Value::boolean)?,
            names_only: fields.setting_or("namesOnly", false, Value::boolean)?,
            database_schema: fields.optional_output("databaseSchema")?,
            output: fields.optional_output("output")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        for (name, text) in [("schema", &self.schema), ("table", &self.table)] {
            if let Some(text) = text {
                into.text_child(name, text);
            }
        }
        into.setting_unless("tablesOnly", self.tables_only, false);
        into.setting_unless("namesOnly", self.names_only, false);
        into.optional_output("databaseSchema", &self.database_schema);
        into.optional_output("output", &self.output);
    }

    fn name_output(&mut self, _step: &str) {}
}

/// `databaseSchemaToXML`: the rows of [`ExtractDatabaseSchema`] as XML.
///
/// ```
/// use rejoin::document::activities::DatabaseSchemaToXml;
///
/// assert_eq!(&*DatabaseSchemaToXml::of("tables").database_schema.name().value, "tables");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSchemaToXml {
    /// The rows.
    pub database_schema: FromStream<Rows>,
    /// The XML.
    pub output: ToStream<Text>,
}

impl DatabaseSchemaToXml {
    /// The XML of the rows of a schema.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>) -> Self {
        Self { database_schema: rows.into(), output: ToStream::default() }
    }
}

impl ActivityElement for DatabaseSchemaToXml {
    const SHAPE: Shape = Shape::new(
        "databaseSchemaToXML",
        Family::Relational,
        "Writes the rows of `extractDatabaseSchema` as XML, at once or from a session that has kept them.",
    )
    .children(&[
        ChildShape::input("databaseSchema", StreamType::Rows, "with the columns named above"),
        ChildShape::output("output", StreamType::Text, "`application/xml`"),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { database_schema: fields.input("databaseSchema")?, output: fields.output("output")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("databaseSchema", &self.database_schema);
        into.output("output", &self.output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.output.name_after(step, "output")
    }
}

/// `extractPhysicalSchema`: how many rows and bytes tables have, and which indexes and foreign keys.
///
/// ```
/// use rejoin::document::activities::ExtractPhysicalSchema;
///
/// let weigh = ExtractPhysicalSchema { tables: Some("ord%".into()), ..Default::default() };
/// assert_eq!(weigh.output.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtractPhysicalSchema {
    /// The name of the data resource; without it the first that is relational.
    pub resource: Option<Located<String>>,
    /// Which tables: a name or a pattern of SQL, with `schema.` before it where it has one; without it all.
    pub tables: Option<String>,
    /// What they have, as XML.
    pub output: ToStream<Text>,
}

impl ActivityElement for ExtractPhysicalSchema {
    const SHAPE: Shape = Shape::new(
        "extractPhysicalSchema",
        Family::Relational,
        "Gives how many rows and bytes tables have, and which indexes and foreign keys.",
    )
    .requires(Requirement::Relational)
    .attributes(&[RESOURCE])
    .children(&[
        ChildShape::new("getTables", "which tables: a name, or a pattern of SQL; `schema.` may stand before it")
            .optional()
            .attributes(&[AttributeShape::new("name", ValueShape::NonEmptyText, "").required()]),
        ChildShape::output("output", StreamType::Text, "`application/xml`"),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let resource = read_resource(fields)?;
        let mut tables = None;
        if let Some(child) = fields.child("getTables") {
            let mut settings = child.fields();
            tables = Some(settings.required_attribute("name")?.non_empty()?.value);
            settings.finish()?;
        }
        Ok(Self { resource, tables, output: fields.output("output")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        if let Some(tables) = &self.tables {
            into.child("getTables", |element| element.attribute("name", tables));
        }
        into.output("output", &self.output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.output.name_after(step, "output")
    }
}
