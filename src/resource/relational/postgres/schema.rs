//! The tables and views of a database, from its catalogue.

use async_trait::async_trait;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::connection::Connection;
use super::control::Control;
use super::scope::{Scope, Work};
use super::streaming::Broken;
use crate::resource::ResourceError;
use crate::resource::relational::{Column, DatabaseSchema, SchemaFilter, Table, TableKind};

/// The columns of all tables and views that a filter takes in: `$1` the schema or NULL, `$2` the pattern or NULL, `$3` whether
/// only tables count.
const COLUMNS: &str = "\
    SELECT n.nspname::text, c.relname::text, c.relkind IN ('v', 'm'),
           a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.array_position(k.conkey, a.attnum)
    FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated = ''
         LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT ($3 AND c.relkind IN ('v', 'm'))
          AND n.nspname = coalesce($1::text, pg_catalog.current_schema()) AND c.relpersistence <> 't'
          AND c.relname LIKE coalesce(pg_catalog.replace($2::text, '\\', '\\\\'), '%')
    ORDER BY n.nspname, c.relname, a.attnum";

/// Reads tables and views with their columns.
pub(super) async fn read<S: Scope>(
    scope: &S,
    filter: &SchemaFilter,
    control: &Control,
) -> Result<DatabaseSchema, ResourceError> {
    scope.reading(SchemaWork(filter), control).await
}

struct SchemaWork<'a>(&'a SchemaFilter);

#[async_trait]
impl Work for SchemaWork<'_> {
    type Done = DatabaseSchema;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<DatabaseSchema, Broken> {
        let filter = self.0;
        let parameters: [&(dyn ToSql + Sync); 3] = [&filter.schema, &filter.table, &filter.tables_only];
        let rows = control
            .wait(connection.client().query(COLUMNS, &parameters))
            .await?
            .map_err(|error| Broken::Driver(error, 0))?;
        gathered(&rows).map_err(|error| Broken::Driver(error, 0))
    }
}

/// The tables of rows that come table by table.
fn gathered(rows: &[Row]) -> Result<DatabaseSchema, Error> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let (schema, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if tables.last().is_none_or(|last| last.name != name || last.schema.as_deref() != Some(&schema)) {
            let kind = if row.try_get(2)? { TableKind::View } else { TableKind::Table };
            tables.push(Table { schema: Some(schema), name, kind, columns: Vec::new() });
        }
        let (Some(table), Some(name)) = (tables.last_mut(), row.try_get::<_, Option<String>>(3)?) else { continue };
        let primary_key = row.try_get::<_, Option<i32>>(7)?;
        table.columns.push(Column {
            name,
            type_name: row.try_get(4)?,
            nullable: row.try_get(5)?,
            default: row.try_get(6)?,
            primary_key: primary_key.and_then(|place| u32::try_from(place).ok()),
        });
    }
    Ok(DatabaseSchema { tables })
}
