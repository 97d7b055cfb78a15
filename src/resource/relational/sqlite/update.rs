//! Running an update on the writing connection, on a thread that may block.

use std::sync::Arc;

use rusqlite::CachedStatement;

use super::bind::bind;
use super::connection::SqliteConnection;
use super::control::Control;
use super::error::{resource_error, sql as sql_error};
use super::gathered_rows::GatheredRows;
use super::returning::Returning;
use crate::resource::ResourceError;
use crate::resource::relational::{Parameter, UpdateEnd};

/// Runs an update for every row of parameters, all or none; gives the number of changed rows and, if they are wanted, the rows
/// that it gives.
pub(super) fn run(
    connection: &SqliteConnection,
    sql: &str,
    mut rows: GatheredRows,
    wants_rows: bool,
    control: &Arc<Control>,
) -> Result<UpdateEnd, ResourceError> {
    let _guard = connection.under(control);
    let mut statement = connection.prepare(sql)?;
    check(&statement)?;
    let Some(first) = rows.blocking_next()? else { return Ok(UpdateEnd::default()) };
    let mut returning = wants_rows.then(|| Returning::of(sql, &statement)).transpose()?;
    if rows.is_empty() && returning.is_none() {
        // A single statement is all or none by itself.
        let changed = execute(connection, &mut statement, &first, None)?;
        return Ok(UpdateEnd { changed, rows: Vec::new() });
    }
    let transaction = Transaction::begin(connection)?;
    let mut changed = execute(connection, &mut statement, &first, returning.as_mut())?;
    while let Some(row) = rows.blocking_next()? {
        changed += execute(connection, &mut statement, &row, returning.as_mut())?;
    }
    // Rows that are too many are an error as long as all can be taken back.
    let rows = returning.map(|returning| returning.finish(&statement)).transpose()?.unwrap_or_default();
    drop(statement);
    transaction.commit()?;
    Ok(UpdateEnd { changed, rows })
}

pub(super) fn check(statement: &CachedStatement<'_>) -> Result<(), ResourceError> {
    if !statement.readonly() {
        return Ok(());
    }
    if statement.column_count() > 0 {
        Err(sql_error("the statement only reads; use a query statement"))
    } else {
        Err(sql_error("the text holds no statement"))
    }
}

/// Runs the statement once. Rows that it gives (`RETURNING`) go nowhere unless they are wanted.
pub(super) fn execute(
    connection: &SqliteConnection,
    statement: &mut CachedStatement<'_>,
    row: &[Parameter],
    mut returning: Option<&mut Returning>,
) -> Result<u64, ResourceError> {
    bind(statement, row)?;
    let before = connection.driver().total_changes();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(resource_error)? {
        if let Some(returning) = &mut returning {
            returning.push(row)?;
        }
    }
    drop(rows);
    // A statement that changes no rows, such as CREATE TABLE, leaves the count of the one before it.
    let changed_any = connection.driver().total_changes() != before;
    Ok(if changed_any { connection.driver().changes() } else { 0 })
}

/// An open transaction, rolled back when dropped.
struct Transaction<'a> {
    connection: &'a SqliteConnection,
    open: bool,
}

impl<'a> Transaction<'a> {
    fn begin(connection: &'a SqliteConnection) -> Result<Self, ResourceError> {
        connection.run_own("BEGIN IMMEDIATE")?;
        Ok(Self { connection, open: true })
    }

    fn commit(mut self) -> Result<(), ResourceError> {
        self.connection.run_own("COMMIT")?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            // The pool drops a connection that is still in a transaction after this.
            let _ = self.connection.run_own("ROLLBACK");
        }
    }
}
