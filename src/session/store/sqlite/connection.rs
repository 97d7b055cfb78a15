//! Connections to the file of a store.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault::Fault;
use crate::session::Durability;

/// How long a statement waits for somebody who looks at the file from outside and holds a lock.
const BUSY: Duration = Duration::from_secs(5);

/// To how many bytes the log is cut down when it begins anew.
const LOG_BYTES: i64 = 64 << 20;

/// More than there are different statements.
const STATEMENTS: usize = 64;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that writes.
    Write,
    /// One that reads.
    Read,
    /// The one that brings the log back into the file.
    Checkpoint,
}

impl Role {
    /// KiB of pages that it keeps.
    fn cache(self) -> i64 {
        match self {
            Self::Write => 32 << 10,
            Self::Read => 4 << 10,
            Self::Checkpoint => 256,
        }
    }
}

/// Opens a store that is there. When the connection is closed, the files stay as they are: see [`finish_when_closed`].
pub(super) fn open(file: &Path, role: Role, durability: Durability) -> Result<Connection, Fault> {
    let access = if role == Role::Read { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    harden(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    keep(&connection, durability)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "cache_size", -role.cache())?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Says what is done with a commit before it is answered.
pub(super) fn keep(connection: &Connection, durability: Durability) -> Result<(), Fault> {
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Os => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(())
}

/// Lets SQLite trust nothing in the file, and wait for who looks at it.
pub(super) fn harden(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    for needless in [
        DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
        DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW,
        DbConfig::SQLITE_DBCONFIG_DQS_DDL,
        DbConfig::SQLITE_DBCONFIG_DQS_DML,
    ] {
        connection.set_db_config(needless, false)?;
    }
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Brings the log back into the file when the last connection is closed, and removes it.
pub(super) fn finish_when_closed(connection: &Connection) -> Result<(), Fault> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}
