//! What tables and their indexes take, from the catalogue.

use async_trait::async_trait;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::connection::Connection;
use super::control::Control;
use super::scope::{Scope, Work};
use super::streaming::Broken;
use crate::resource::ResourceError;
use crate::resource::relational::{ForeignKey, PhysicalIndex, PhysicalSchema, PhysicalTable, SchemaFilter};

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

/// Their foreign keys, with the same parameters. One that refers to a table of parts has one for each part besides.
const FOREIGN_KEYS: &str = "\
    SELECT n.nspname::text, c.relname::text, k.conname::text, m.nspname::text, o.relname::text,
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(number, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(number, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)
    FROM pg_catalog.pg_constraint k
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_class o ON o.oid = k.confrelid
         JOIN pg_catalog.pg_namespace m ON m.oid = o.relnamespace
         LEFT JOIN pg_catalog.pg_constraint whole ON whole.oid = k.conparentid
    WHERE k.contype = 'f' AND whole.conrelid IS DISTINCT FROM k.conrelid AND c.relpersistence <> 't'
          AND n.nspname = coalesce($1::text, pg_catalog.current_schema())
          AND c.relname LIKE coalesce(pg_catalog.replace($2::text, '\\', '\\\\'), '%')
    ORDER BY n.nspname, c.relname, k.conname";

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
        let driver = |error| Broken::Driver(error, 0);
        let rows = control.wait(connection.client().query(SIZES, &parameters)).await?.map_err(driver)?;
        let mut found = gathered(&rows).map_err(driver)?;
        let rows = control.wait(connection.client().query(FOREIGN_KEYS, &parameters)).await?.map_err(driver)?;
        add_foreign_keys(&rows, &mut found).map_err(driver)?;
        Ok(found)
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
                foreign_keys: Vec::new(),
            });
        }
        let (Some(table), Some(name)) = (tables.last_mut(), row.try_get::<_, Option<String>>(5)?) else { continue };
        table.indexes.push(PhysicalIndex { name, unique: row.try_get(6)?, columns: row.try_get(7)? });
    }
    Ok(PhysicalSchema { tables })
}

fn add_foreign_keys(rows: &[Row], found: &mut PhysicalSchema) -> Result<(), Error> {
    for row in rows {
        let (schema, name): (Option<String>, String) = (row.try_get(0)?, row.try_get(1)?);
        let table = found.tables.iter_mut().find(|table| table.name == name && table.schema == schema);
        let (columns, references): (Vec<String>, Vec<String>) = (row.try_get(5)?, row.try_get(6)?);
        let key = ForeignKey {
            name: row.try_get(2)?,
            schema: row.try_get(3)?,
            table: row.try_get(4)?,
            columns: columns.into_iter().zip(references).collect(),
        };
        if let Some(table) = table {
            table.foreign_keys.push(key);
        }
    }
    Ok(())
}

/// The number of rows as the server estimates it; it is negative where it never has.
fn estimate(rows: f64) -> Option<u64> {
    format!("{rows:.0}").parse().ok()
}
