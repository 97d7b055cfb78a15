//! What tables and their indexes take, from the catalogue.

use async_trait::async_trait;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::connection::Connection;
use super::control::Control;
use super::scope::{Scope, Work};
use super::streaming::Broken;
use crate::resource::ResourceError;
use crate::resource::relational::{PhysicalIndex, PhysicalSchema, PhysicalTable, SchemaFilter};

/// The tables that a filter takes in, a row for each index: `$1` the schema or NULL, `$2` the pattern or NULL.
const SIZES: &str = "\
    SELECT n.nspname::text, c.relname::text, c.reltuples::float8,
           pg_catalog.pg_table_size(c.oid), pg_catalog.pg_indexes_size(c.oid),
           i.relname::text, x.indisunique,
           ARRAY(SELECT pg_catalog.pg_get_indexdef(x.indexrelid, k, true)
                 FROM pg_catalog.generate_series(1, x.indnkeyatts) k)
    FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_index x ON x.indrelid = c.oid
         LEFT JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
          AND n.nspname = coalesce($1::text, pg_catalog.current_schema())
          AND c.relname LIKE coalesce(pg_catalog.replace($2::text, '\\', '\\\\'), '%')
    ORDER BY n.nspname, c.relname, i.relname";

/// Reads the sizes of tables.
pub(super) async fn read<S: Scope>(
    scope: &S,
    filter: &SchemaFilter,
    control: &Control,
) -> Result<PhysicalSchema, ResourceError> {
    scope.reading(PhysicalWork(filter), control).await
}

struct PhysicalWork<'a>(&'a SchemaFilter);

#[async_trait]
impl Work for PhysicalWork<'_> {
    type Done = PhysicalSchema;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<PhysicalSchema, Broken> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&self.0.schema, &self.0.table];
        let rows = control.wait(connection.client().query(SIZES, &parameters)).await?;
        let rows = rows.map_err(|error| Broken::Driver(error, 0))?;
        gathered(&rows).map_err(|error| Broken::Driver(error, 0))
    }
}

/// The tables of rows that come table by table.
fn gathered(rows: &[Row]) -> Result<PhysicalSchema, Error> {
    let mut tables: Vec<PhysicalTable> = Vec::new();
    for row in rows {
        let (schema, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if tables.last().is_none_or(|last| last.name != name || last.schema.as_deref() != Some(&schema)) {
            // Of a table that was dropped meanwhile there is no size.
            let bytes = |index: usize| {
                row.try_get::<_, Option<i64>>(index).map(|bytes| bytes.and_then(|bytes| u64::try_from(bytes).ok()))
            };
            tables.push(PhysicalTable {
                schema: Some(schema),
                name,
                rows: estimate(row.try_get(2)?),
                bytes: bytes(3)?,
                index_bytes: bytes(4)?,
                indexes: Vec::new(),
            });
        }
        let (Some(table), Some(name)) = (tables.last_mut(), row.try_get::<_, Option<String>>(5)?) else { continue };
        table.indexes.push(PhysicalIndex { name, unique: row.try_get(6)?, columns: row.try_get(7)? });
    }
    Ok(PhysicalSchema { tables })
}

/// The number of rows as the server estimates it; it is negative where it never has.
fn estimate(rows: f64) -> Option<u64> {
    format!("{rows:.0}").parse().ok()
}
