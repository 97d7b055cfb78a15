//! Sizes, numbers of rows and indexes of tables.

use rusqlite::{OptionalExtension, Row};

use super::connection::SqliteConnection;
use super::error::resource_error;
use super::schema::pattern;
use crate::resource::ResourceError;
use crate::resource::relational::{Dialect, ForeignKey, PhysicalIndex, PhysicalSchema, PhysicalTable, SchemaFilter};

const TABLES: &str = "\
SELECT name FROM pragma_table_list
WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'rejoin_commit'
  AND name LIKE ?
ORDER BY name";

const INDEXES: &str = "SELECT name, \"unique\" FROM pragma_index_list(?) ORDER BY name";

const COLUMNS: &str = "SELECT coalesce(name, '(expression)') FROM pragma_index_info(?) ORDER BY seqno";

/// The columns of foreign keys, one key after the other in the order in which they were declared, each with the column that it
/// refers to: where none was named, the one at its place in the primary key.
const FOREIGN_KEYS: &str = "\
SELECT k.id, k.\"table\", k.\"from\", coalesce(k.\"to\", (SELECT name FROM pragma_table_info(k.\"table\") WHERE pk = k.seq + 1), '')
FROM pragma_foreign_key_list(?) AS k
ORDER BY k.id DESC, k.seq";

/// The pages of a table or an index, which the file itself tells.
const PAGES: &str = "SELECT pgsize FROM dbstat WHERE aggregate = TRUE AND name = ?";

/// Reads the physical schema. Rows are counted.
pub(super) fn read(connection: &SqliteConnection, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
    let mut schema = PhysicalSchema::default();
    if filter.schema.as_deref().is_some_and(|schema| schema != "main") {
        return Ok(schema);
    }
    for name in texts(connection, TABLES, &pattern(filter))? {
        schema.tables.push(table(connection, name)?);
    }
    Ok(schema)
}

fn table(connection: &SqliteConnection, name: String) -> Result<PhysicalTable, ResourceError> {
    let count = format!("SELECT count(*) FROM {}", Dialect::Sqlite.quoted(&name));
    let rows: i64 = connection.prepare(&count)?.query_row([], |row| row.get(0)).map_err(resource_error)?;
    let mut indexes = Vec::new();
    let mut index_bytes = 0;
    for (index, unique) in index_names(connection, &name)? {
        index_bytes += bytes(connection, &index)?.unwrap_or(0);
        let columns = texts(connection, COLUMNS, &index)?;
        indexes.push(PhysicalIndex { name: index, unique, columns });
    }
    Ok(PhysicalTable {
        schema: None,
        bytes: bytes(connection, &name)?,
        rows: u64::try_from(rows).ok(),
        index_bytes: Some(index_bytes),
        indexes,
        foreign_keys: foreign_keys(connection, &name)?,
        name,
    })
}

fn foreign_keys(connection: &SqliteConnection, table: &str) -> Result<Vec<ForeignKey>, ResourceError> {
    let mut statement = connection.prepare(FOREIGN_KEYS)?;
    let mut rows = statement.query([table]).map_err(resource_error)?;
    let mut keys: Vec<ForeignKey> = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next().map_err(resource_error)? {
        let (id, table, column) = foreign_key_column(row).map_err(resource_error)?;
        if last.replace(id) != Some(id) {
            keys.push(ForeignKey { name: None, schema: None, table, columns: Vec::new() });
        }
        if let Some(key) = keys.last_mut() {
            key.columns.push(column);
        }
    }
    Ok(keys)
}

/// Which key, the table that it refers to, and a column with the one that it refers to.
fn foreign_key_column(row: &Row<'_>) -> rusqlite::Result<(i64, String, (String, String))> {
    Ok((row.get(0)?, row.get(1)?, (row.get(2)?, row.get(3)?)))
}

fn index_names(connection: &SqliteConnection, table: &str) -> Result<Vec<(String, bool)>, ResourceError> {
    let mut statement = connection.prepare(INDEXES)?;
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).map_err(resource_error)?;
    rows.collect::<Result<_, _>>().map_err(resource_error)
}

fn texts(connection: &SqliteConnection, sql: &str, parameter: &str) -> Result<Vec<String>, ResourceError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([parameter], |row| row.get(0)).map_err(resource_error)?;
    rows.collect::<Result<_, _>>().map_err(resource_error)
}

fn bytes(connection: &SqliteConnection, name: &str) -> Result<Option<u64>, ResourceError> {
    let mut statement = connection.prepare(PAGES)?;
    let found = statement.query_row([name], |row| row.get::<_, i64>(0)).optional().map_err(resource_error)?;
    Ok(found.and_then(|bytes| u64::try_from(bytes).ok()))
}
