//! How a transaction that can't be prepared shows later that it was committed: by a row that it wrote itself.
//!
//! `SQLite` has no commit in two phases. Where it takes part in a transaction of several databases, or a decision log is kept,
//! the transaction writes its name into the table `rejoin_commit` of its own database before it is committed: after a crash
//! the name is there, or the transaction was not committed. Names are removed after a month.

use rusqlite::OptionalExtension;

use super::connection::SqliteConnection;
use super::error::resource_error;
use crate::resource::ResourceError;
use crate::session::{Decision, Xid};

/// The witness of a transaction that has written nothing: it does not matter whether it was committed.
pub(super) const NOTHING_WRITTEN: &str = "nothing written";

/// Writes the name of the transaction that is open.
pub(super) fn write(connection: &SqliteConnection, xid: Xid) -> Result<String, ResourceError> {
    let name = xid.to_string();
    connection.run_own(&format!(
        "CREATE TABLE IF NOT EXISTS rejoin_commit (xid TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
         DELETE FROM rejoin_commit WHERE at < unixepoch() - 30 * 24 * 3600;
         INSERT INTO rejoin_commit VALUES ('{name}', unixepoch())"
    ))?;
    Ok(name)
}

/// What became of the transaction of a witness.
pub(super) fn outcome(connection: &SqliteConnection, witness: &str) -> Result<Decision, ResourceError> {
    if witness == NOTHING_WRITTEN {
        return Ok(Decision::Rollback);
    }
    let mut tables = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'rejoin_commit'")?;
    if tables.query_row([], |_| Ok(())).optional().map_err(resource_error)?.is_none() {
        return Ok(Decision::Rollback);
    }
    let mut names = connection.prepare("SELECT 1 FROM rejoin_commit WHERE xid = ?")?;
    let found = names.query_row([witness], |_| Ok(())).optional().map_err(resource_error)?;
    Ok(if found.is_some() { Decision::Commit } else { Decision::Rollback })
}
