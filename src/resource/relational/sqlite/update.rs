//! Running an update on the writing connection, on a thread that may block.

use std::sync::Arc;

use rusqlite::CachedStatement;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::bind::bind;
use super::connection::SqliteConnection;
use super::control::Control;
use super::error::{resource_error, sql as sql_error};
use crate::resource::ResourceError;
use crate::resource::relational::{Parameter, ParameterRows};

/// Runs an update for every row of parameters, all or none; gives the number of changed rows.
pub(super) fn run(
    connection: &SqliteConnection,
    sql: &str,
    rows: ParameterRows,
    control: &Arc<Control>,
    cancel: &CancellationToken,
) -> Result<u64, ResourceError> {
    let _guard = connection.under(control);
    let mut statement = connection.prepare(sql)?;
    check(&statement)?;
    let mut source = Source { rows, cancel };
    if source.rows.is_one() {
        // A single statement is all or none by itself.
        let Some(row) = source.next()? else { return Ok(0) };
        return execute(connection, &mut statement, &row);
    }
    // The first row is awaited outside of the transaction, which keeps others from writing.
    let Some(first) = source.next()? else { return Ok(0) };
    let transaction = Transaction::begin(connection)?;
    let mut changed = execute(connection, &mut statement, &first)?;
    while let Some(row) = source.next()? {
        changed += execute(connection, &mut statement, &row)?;
    }
    drop(statement);
    transaction.commit()?;
    Ok(changed)
}

fn check(statement: &CachedStatement<'_>) -> Result<(), ResourceError> {
    if !statement.readonly() {
        return Ok(());
    }
    if statement.column_count() > 0 {
        Err(sql_error("the statement only reads; use a query statement"))
    } else {
        Err(sql_error("the text holds no statement"))
    }
}

/// Runs the statement once. Rows that it gives (`RETURNING`) are not wanted here.
fn execute(
    connection: &SqliteConnection,
    statement: &mut CachedStatement<'_>,
    row: &[Parameter],
) -> Result<u64, ResourceError> {
    bind(statement, row)?;
    let before = connection.driver().total_changes();
    let mut rows = statement.raw_query();
    while rows.next().map_err(resource_error)?.is_some() {}
    drop(rows);
    // A statement that changes no rows, such as CREATE TABLE, leaves the count of the one before it.
    let changed_any = connection.driver().total_changes() != before;
    Ok(if changed_any { connection.driver().changes() } else { 0 })
}

/// The rows of parameters, seen from a thread that may block.
struct Source<'a> {
    rows: ParameterRows,
    cancel: &'a CancellationToken,
}

impl Source<'_> {
    fn next(&mut self) -> Result<Option<Vec<Parameter>>, ResourceError> {
        Handle::current().block_on(async {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => Err(ResourceError::Cancelled),
                // What broke the stream is reported where it happened.
                row = self.rows.next() => row.map_err(|_| ResourceError::Cancelled),
            }
        })
    }
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
