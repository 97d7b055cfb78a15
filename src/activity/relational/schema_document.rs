//! Schemas of databases as XML: the documents of `schemas/database-schema.xsd`.

use crate::activity::{ActivityError, Output};
use crate::block::{BLOCK_BYTES, Block};
use crate::document::{Element, TYPES_NAMESPACE};
use crate::resource::relational::{Column, ForeignKey, PhysicalTable, Table, TableKind};

/// Sends such a document table by table, so that a schema of any size takes no more memory than a block.
#[derive(Debug)]
pub(super) struct SchemaDocument {
    root: &'static str,
    text: String,
    output: Output,
}

impl SchemaDocument {
    /// Begins the document.
    pub(super) fn begin(root: &'static str, output: Output) -> Self {
        Self { root, text: format!("<{root} xmlns=\"{TYPES_NAMESPACE}\">\n"), output }
    }

    /// Writes what describes one table.
    pub(super) async fn write(&mut self, table: &Element) -> Result<(), ActivityError> {
        let xml = table.to_xml().map_err(|error| ActivityError::client("FormatError", error.to_string()))?;
        self.text.push_str("  ");
        self.text.push_str(&xml);
        if self.text.len() >= BLOCK_BYTES {
            self.output.send(Block::Text(std::mem::take(&mut self.text).into())).await?;
        }
        Ok(())
    }

    /// Ends it.
    pub(super) async fn end(self) -> Result<(), ActivityError> {
        let Self { root, text, output } = self;
        output.send(Block::Text(format!("{text}</{root}>\n").into())).await?;
        output.finish().await;
        Ok(())
    }
}

/// `<table name="customer"><column name="id" type="INTEGER" nullable="false" primaryKey="1"/>…</table>`; a view as `view`.
pub(crate) fn table_element(table: &Table) -> Element {
    let element = named(kind_name(table.kind), table.schema.as_deref(), &table.name);
    table.columns.iter().fold(element, |element, column| element.with_child(column_element(column)))
}

/// What a table or view is called where its kind is said.
pub(super) fn kind_name(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Table => "table",
        TableKind::View => "view",
    }
}

fn column_element(column: &Column) -> Element {
    let element = Element::new("column", None)
        .with_attribute("name", &column.name)
        .with_attribute("type", &column.type_name)
        .with_attribute("nullable", column.nullable);
    let element = with_optional(element, "default", column.default.as_deref());
    with_optional(element, "primaryKey", column.primary_key)
}

/// `<table name="orders" rows="25000" bytes="…"><index name="…" unique="false"><column name="customer"/></index>
/// <foreignKey table="customer"><column name="customer" references="id"/></foreignKey></table>`.
pub(super) fn physical_table_element(table: &PhysicalTable) -> Element {
    let element = named("table", table.schema.as_deref(), &table.name);
    let element = with_optional(element, "rows", table.rows);
    let element = with_optional(element, "bytes", table.bytes);
    let element = with_optional(element, "indexBytes", table.index_bytes);
    let element = table.indexes.iter().fold(element, |element, index| {
        let described =
            Element::new("index", None).with_attribute("name", &index.name).with_attribute("unique", index.unique);
        let columns = index.columns.iter().map(|column| Element::new("column", None).with_attribute("name", column));
        element.with_child(columns.fold(described, Element::with_child))
    });
    table.foreign_keys.iter().map(foreign_key_element).fold(element, Element::with_child)
}

fn foreign_key_element(key: &ForeignKey) -> Element {
    let described = with_optional(Element::new("foreignKey", None), "name", key.name.as_deref());
    let described = with_optional(described, "schema", key.schema.as_deref()).with_attribute("table", &key.table);
    key.columns.iter().fold(described, |described, (column, references)| {
        let column = Element::new("column", None).with_attribute("name", column);
        described.with_child(column.with_attribute("references", references))
    })
}

fn named(element: &str, schema: Option<&str>, name: &str) -> Element {
    with_optional(Element::new(element, None), "schema", schema).with_attribute("name", name)
}

fn with_optional(element: Element, name: &str, value: Option<impl std::fmt::Display>) -> Element {
    match value {
        Some(value) => element.with_attribute(name, value),
        None => element,
    }
}
