//! The tables and views of a database, and what they take.

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Params, Value};

use super::error::resource_error;
use super::link::Link;
use crate::resource::ResourceError;
use crate::resource::relational::{
    Column, DatabaseSchema, ForeignKey, PhysicalIndex, PhysicalSchema, PhysicalTable, SchemaFilter, Table, TableKind,
};

/// Which tables: those of the database that was named or that the connection works in, by a pattern, without views if only
/// tables are wanted. The pattern has no escapes: `|` is made to be one that stands for itself.
const FILTER: &str = "t.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND t.TABLE_NAME LIKE ? ESCAPE '|' \
    AND (? OR t.TABLE_TYPE LIKE '%BASE TABLE' OR t.TABLE_TYPE LIKE 'SYSTEM%') AND t.TABLE_TYPE <> 'SEQUENCE'";

fn parameters(filter: &SchemaFilter) -> Params {
    let pattern = filter.table.as_deref().unwrap_or("%").replace('|', "||");
    let schema = filter.schema.as_deref().map_or(Value::NULL, Value::from);
    Params::Positional(vec![schema, pattern.into(), (!filter.tables_only).into()])
}

async fn rows<R: FromRow + Send + 'static>(
    link: &mut Link,
    sql: &str,
    filter: &SchemaFilter,
) -> Result<Vec<R>, ResourceError> {
    link.driver().exec(sql, parameters(filter)).await.map_err(resource_error)
}

type ColumnRow = (String, String, String, String, String, String, Option<String>, Option<u32>);

/// Reads the schema.
pub(super) async fn read(link: &mut Link, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
    let sql = format!(
        "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE, \
         c.COLUMN_DEFAULT, CAST(k.ORDINAL_POSITION AS UNSIGNED) \
         FROM information_schema.TABLES t JOIN information_schema.COLUMNS c USING (TABLE_SCHEMA, TABLE_NAME) \
         LEFT JOIN information_schema.KEY_COLUMN_USAGE k ON k.CONSTRAINT_NAME = 'PRIMARY' \
         AND k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME \
         WHERE {FILTER} ORDER BY t.TABLE_NAME, c.ORDINAL_POSITION"
    );
    let mut found = DatabaseSchema::default();
    for row in rows::<ColumnRow>(link, &sql, filter).await? {
        let (schema, name, kind, column, type_name, nullable, default, primary_key) = row;
        let column = Column { name: column, type_name, nullable: nullable == "YES", default, primary_key };
        if let Some(table) = found.tables.last_mut().filter(|table| table.name == name) {
            table.columns.push(column);
        } else {
            let kind = if kind.ends_with("VIEW") { TableKind::View } else { TableKind::Table };
            found.tables.push(Table { schema: Some(schema), name, kind, columns: vec![column] });
        }
    }
    Ok(found)
}

type TableRow = (String, String, Option<u64>, Option<u64>, Option<u64>);
type ForeignKeyRow = (String, String, String, String, String, String);
type IndexRow = (String, String, bool, Option<String>, Option<u64>);

/// Reads what tables take. The number of rows is what the storage engine estimates.
pub(super) async fn read_physical(link: &mut Link, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
    let filter = SchemaFilter { tables_only: true, ..filter.clone() };
    let sql = format!(
        "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_ROWS, t.DATA_LENGTH, t.INDEX_LENGTH \
         FROM information_schema.TABLES t WHERE {FILTER} ORDER BY t.TABLE_NAME"
    );
    let mut found = PhysicalSchema::default();
    for (schema, name, rows, bytes, index_bytes) in rows::<TableRow>(link, &sql, &filter).await? {
        let table = PhysicalTable {
            schema: Some(schema),
            name,
            rows,
            bytes,
            index_bytes,
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
        };
        found.tables.push(table);
    }
    let sql = format!(
        "SELECT s.TABLE_NAME, s.INDEX_NAME, s.NON_UNIQUE = 0, s.COLUMN_NAME, CAST(s.SUB_PART AS UNSIGNED) \
         FROM information_schema.STATISTICS s JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME) \
         WHERE {FILTER} ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX"
    );
    for (table, name, unique, column, part) in rows::<IndexRow>(link, &sql, &filter).await? {
        let Some(table) = found.tables.iter_mut().find(|known| known.name == table) else { continue };
        let column = match (column, part) {
            (Some(column), Some(part)) => format!("{column}({part})"),
            (Some(column), None) => column,
            (None, _) => "(an expression)".to_owned(),
        };
        match table.indexes.last_mut().filter(|index| index.name == name) {
            Some(index) => index.columns.push(column),
            None => table.indexes.push(PhysicalIndex { name, unique, columns: vec![column] }),
        }
    }
    add_foreign_keys(link, &filter, &mut found).await?;
    Ok(found)
}

async fn add_foreign_keys(
    link: &mut Link,
    filter: &SchemaFilter,
    found: &mut PhysicalSchema,
) -> Result<(), ResourceError> {
    let sql = format!(
        "SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.COLUMN_NAME, \
         k.REFERENCED_COLUMN_NAME \
         FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME) \
         WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND {FILTER} \
         ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION"
    );
    for row in rows::<ForeignKeyRow>(link, &sql, filter).await? {
        let (table, name, schema, other, column, references) = row;
        let Some(table) = found.tables.iter_mut().find(|known| known.name == table) else { continue };
        let column = (column, references);
        match table.foreign_keys.last_mut().filter(|key| key.name.as_ref() == Some(&name)) {
            Some(key) => key.columns.push(column),
            None => table.foreign_keys.push(ForeignKey {
                name: Some(name),
                schema: Some(schema),
                table: other,
                columns: vec![column],
            }),
        }
    }
    Ok(())
}
