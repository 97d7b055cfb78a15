//! The table of people in an embedded database.

use std::path::Path;

use rusqlite::{Connection, params};

use super::people::{Person, Random, SEED};

/// The query that reads the table whole.
pub(crate) const SELECT_ALL: &str = "SELECT * FROM people";

/// The query that reads one row.
pub(crate) const SELECT_ONE: &str = "SELECT * FROM people WHERE id = ?";

/// Makes a database at `path` with a table `people` of that many rows, some 92 bytes each as CSV. The same number gives
/// the same rows.
///
/// # Errors
///
/// What the database says.
pub(crate) fn make(path: &Path, rows: u32) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF;
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, comment TEXT, phone TEXT, balance REAL, created TIMESTAMP)",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)")?;
        let mut random = Random(SEED);
        for id in 1..=rows {
            let Person { name, comment, phone, balance, created } = random.person();
            insert.execute(params![id, name, comment, phone, balance, created])?;
        }
    }
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
