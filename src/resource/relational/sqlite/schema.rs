//! The tables and views of a database.

use rusqlite::params;

use super::connection::SqliteConnection;
use super::error::resource_error;
use crate::resource::ResourceError;
use crate::resource::relational::{Column, DatabaseSchema, SchemaFilter, Table, TableKind};

/// One row for each column of each table and view, in order; tables of `SQLite`'s own and of ours are left out, hidden columns too.
const COLUMNS: &str = "\
SELECT t.name, t.type, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk
FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name) AS c
WHERE t.schema = 'main' AND t.type IN ('table', 'view', 'virtual') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden <> 1
  AND t.name <> 'rejoin_commit' AND t.name LIKE ?1 AND (t.type <> 'view' OR ?2)
ORDER BY t.name, c.cid";

/// Reads the schema.
pub(super) fn read(connection: &SqliteConnection, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
    let mut schema = DatabaseSchema::default();
    if filter.schema.as_deref().is_some_and(|schema| schema != "main") {
        return Ok(schema);
    }
    let mut statement = connection.prepare(COLUMNS)?;
    let mut rows = statement.query(params![pattern(filter), !filter.tables_only]).map_err(resource_error)?;
    while let Some(row) = rows.next().map_err(resource_error)? {
        let (name, kind, column) = table_and_column(row).map_err(resource_error)?;
        match schema.tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => schema.tables.push(Table { schema: None, name, kind, columns: vec![column] }),
        }
    }
    Ok(schema)
}

fn table_and_column(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, TableKind, Column)> {
    let kind = if row.get_ref(1)?.as_str() == Ok("view") { TableKind::View } else { TableKind::Table };
    let position: u32 = row.get(6)?;
    let column = Column {
        name: row.get(2)?,
        type_name: row.get(3)?,
        nullable: !row.get::<_, bool>(4)? && position == 0,
        default: row.get(5)?,
        primary_key: (position > 0).then_some(position),
    };
    Ok((row.get(0)?, kind, column))
}

/// The pattern that the names of tables are compared with.
pub(super) fn pattern(filter: &SchemaFilter) -> String {
    filter.table.clone().unwrap_or_else(|| "%".to_owned())
}
