//! Running a query on a connection, on a thread that may block.

use std::sync::Arc;

use rusqlite::CachedStatement;

use super::bind::bind;
use super::connection::SqliteConnection;
use super::control::Control;
use super::error::{resource_error, sql as sql_error};
use super::rows::RowsBuilder;
use super::shape::ShapeCache;
use crate::block::Block;
use crate::resource::ResourceError;
use crate::resource::relational::Statement;

/// Runs a query and hands its blocks to `send`, at least one; gives the number of rows.
pub(super) fn run(
    connection: &mut SqliteConnection,
    statement: &Statement,
    control: &Arc<Control>,
    send: impl FnMut(&SqliteConnection, Block) -> Result<(), ResourceError>,
) -> Result<u64, ResourceError> {
    let _guard = connection.under(control);
    // The statement borrows the connection, so the shapes step out of it for the while.
    let mut shapes = std::mem::take(&mut connection.shapes);
    let result = stream(connection, &mut shapes, statement, control, send);
    connection.shapes = shapes;
    result
}

fn stream(
    connection: &SqliteConnection,
    shapes: &mut ShapeCache,
    statement: &Statement,
    control: &Control,
    mut send: impl FnMut(&SqliteConnection, Block) -> Result<(), ResourceError>,
) -> Result<u64, ResourceError> {
    let mut prepared = connection.prepare(&statement.sql)?;
    check(&prepared)?;
    bind(&mut prepared, &statement.parameters)?;
    let mut rows = prepared.raw_query();
    // The first step sees whether the schema has changed; only then is it known what the columns are.
    let Some(row) = rows.next().map_err(resource_error)? else {
        drop(rows);
        let shape = shapes.shape(&statement.sql, &prepared);
        send(connection, Block::Rows(RowsBuilder::new(shape).finish()?))?;
        return Ok(0);
    };
    let shape = shapes.shape(&statement.sql, row.as_ref());
    let mut builder = RowsBuilder::new(shape);
    let mut next = Some(row);
    while let Some(row) = next {
        builder.push(row)?;
        if builder.is_full(control.looks()) {
            send(connection, Block::Rows(builder.take(control.looks())?))?;
        }
        next = rows.next().map_err(resource_error)?;
    }
    drop(rows);
    let total = builder.total();
    if builder.has_rows() {
        send(connection, Block::Rows(builder.finish()?))?;
    }
    Ok(total)
}

pub(super) fn check(statement: &CachedStatement<'_>) -> Result<(), ResourceError> {
    if !statement.readonly() {
        return Err(ResourceError::ReadOnly {
            message: "a query may not change the database; use an update statement".to_owned(),
        });
    }
    if statement.column_count() == 0 {
        return Err(sql_error("the statement gives no rows; a query needs one that does, such as SELECT"));
    }
    Ok(())
}
