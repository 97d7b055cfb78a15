//! Where the columns of a result come from.

use tokio_postgres::{Column, Error, Row};

use super::connection::Connection;
use crate::block::ColumnOrigin;

/// Tells the declared type of each column and, of those that are columns of a table, where they stand.
const ORIGINS: &str = "\
    SELECT pg_catalog.format_type(asked.type, asked.modifier), t.relname::text, a.attname::text, NOT a.attnotnull,
           a.attidentity <> '' OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false)
    FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::int4[]), pg_catalog.unnest($3::oid[]),
                    pg_catalog.unnest($4::int2[])) WITH ORDINALITY AS asked(type, modifier, relation, number, place)
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = asked.relation AND a.attnum = asked.number
         LEFT JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    ORDER BY asked.place";

/// The origin of each column.
pub(super) async fn of(connection: &Connection, columns: &[Column]) -> Result<Vec<ColumnOrigin>, Error> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let client = connection.client();
    let known = connection.origins.lock().clone();
    let statement = match known {
        Some(statement) => statement,
        None => {
            let statement = client.prepare(ORIGINS).await?;
            connection.origins.lock().insert(statement).clone()
        }
    };
    let types: Vec<u32> = columns.iter().map(|column| column.type_().oid()).collect();
    let modifiers: Vec<i32> = columns.iter().map(Column::type_modifier).collect();
    let relations: Vec<u32> = columns.iter().map(|column| column.table_oid().unwrap_or(0)).collect();
    let numbers: Vec<i16> = columns.iter().map(|column| column.column_id().unwrap_or(0)).collect();
    let rows = client.query(&statement, &[&types, &modifiers, &relations, &numbers]).await?;
    rows.iter().map(origin).collect()
}

fn origin(row: &Row) -> Result<ColumnOrigin, Error> {
    Ok(ColumnOrigin {
        type_name: row.try_get(0)?,
        table: row.try_get(1)?,
        column: row.try_get(2)?,
        nullable: row.try_get(3)?,
        auto_increment: row.try_get::<_, Option<bool>>(4)?.unwrap_or(false),
    })
}
