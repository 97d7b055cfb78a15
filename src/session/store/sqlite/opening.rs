//! What is looked at before a store is used. Nothing is written until all of it is as it should be.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use rusqlite::Connection;

use super::connection::{self, Role};
use super::fault::Fault;
use super::folder::Folder;
use super::log_end;
use super::schema::{APPLICATION_ID, FORMAT, STATEMENTS};
use super::state::State;
use crate::session::{Durability, StoreError};

/// With what every SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Bytes of the header of an SQLite file.
const HEADER: usize = 100;

/// What stands in the header at byte 18 of a file with a log.
const LOGGED: [u8; 2] = [2, 2];

/// Bytes of a page. Most sessions change one or two rows: small pages make small commits.
const PAGE: u32 = 4096;

/// Up to how many bytes a file is looked through from end to end.
const WHOLE: u64 = 2 << 30;

/// Refuses what is there and is no store of a format that this version knows, by the header of the file.
pub(super) fn examine(folder: &Folder) -> Result<(), StoreError> {
    let path = folder.path();
    let foreign = |reason: &str| StoreError::Foreign { path: path.into(), reason: reason.into() };
    let damaged = |reason: &str| StoreError::Damaged { path: path.into(), reason: reason.into() };
    if fs::symlink_metadata(path).is_ok() && !path.is_dir() {
        return Err(foreign("it is no folder, and no link to one"));
    }
    let file = folder.file();
    if !file.exists() {
        let log = fs::metadata(folder.log()).is_ok_and(|metadata| metadata.len() > 0);
        return if log { Err(damaged("`sessions.db-wal` is there and `sessions.db` is not")) } else { Ok(()) };
    }
    let header = read_header(&file).map_err(|error| error.at(path))?;
    let field =
        |at: usize| u32::from_be_bytes(std::array::from_fn(|index| header.get(at + index).copied().unwrap_or(0)));
    let (application, format) = (field(68), field(60));
    if !header.starts_with(MAGIC) {
        return Err(match application {
            APPLICATION_ID => damaged("the first bytes of `sessions.db` are not what they were"),
            _ if header.iter().all(|byte| *byte == 0) => damaged("`sessions.db` is empty"),
            _ => foreign("`sessions.db` is no SQLite file"),
        });
    }
    if application != APPLICATION_ID {
        return Err(foreign("`sessions.db` is the SQLite file of another program"));
    }
    if format > FORMAT {
        return Err(StoreError::TooNew { path: path.into(), found: format, known: FORMAT });
    }
    if format == 0 {
        return Err(damaged("`sessions.db` has no format"));
    }
    if header.get(18..20) != Some(&LOGGED) {
        return Err(damaged("`sessions.db` does not say that it has a log"));
    }
    // While there is a log, the file may be shorter or longer.
    let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let expected = u64::from(field(28)) * u64::from(PAGE);
    if length(&folder.log()) == 0 && length(&file) != expected {
        return Err(damaged(&format!("`sessions.db` has {} bytes, not {expected}", length(&file))));
    }
    Ok(())
}

fn read_header(file: &Path) -> Result<Vec<u8>, Fault> {
    let mut header = Vec::with_capacity(HEADER);
    File::open(file)?.take(HEADER as u64).read_to_end(&mut header)?;
    Ok(header)
}

/// Makes the file of a new store. It gets its name when it is complete, so that a start that is killed leaves nothing behind
/// that could be taken for a store.
pub(super) fn create(folder: &Folder) -> Result<(), Fault> {
    let path = folder.begin()?;
    let connection = Connection::open(&path)?;
    connection::harden(&connection)?;
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    for (_, statement) in STATEMENTS {
        connection.execute_batch(statement)?;
    }
    State { synced: true, ..State::default() }.write(&connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    folder.finish()
}

/// Opens the connection that writes, and looks through the file. If that finds something wrong, the files are as they were.
/// What it writes is synced.
pub(super) fn open(folder: &Folder) -> Result<Connection, Fault> {
    // Before SQLite opens it: to close a file gives up all locks that the process has on it.
    read_ahead(&folder.file())?;
    let log = log_end::check(&folder.log(), PAGE as usize);
    let opened = connection::open(&folder.file(), Role::Write, Durability::Full).and_then(|connection| {
        if check_all(&connection)?.synced {
            log?;
        }
        Ok(connection)
    });
    if opened.is_err() {
        folder.remove_empty_log()?;
    }
    opened.map_err(Fault::of_the_file)
}

fn check_all(connection: &Connection) -> Result<State, Fault> {
    // A migration from an older format belongs here: in one transaction, after which `user_version` is `FORMAT`.
    check_statements(connection)?;
    check_structure(connection)?;
    State::read(connection)
}

/// The tables have to be those that this version makes.
pub(super) fn check_statements(connection: &Connection) -> Result<(), Fault> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let found: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut expected = STATEMENTS.to_vec();
    expected.sort_unstable();
    let same = |((name, sql), (wanted, made)): (&(String, String), &(&str, &str))| name == wanted && sql == made;
    if found.len() != expected.len() || !found.iter().zip(&expected).all(same) {
        return Err(Fault::damaged("the tables are not those of its format"));
    }
    Ok(())
}

/// Every page has to be where and what SQLite expects. Of a large file only the tables are looked through whose size depends
/// on the number of sessions; what is in the others is found when it is read.
fn check_structure(connection: &Connection) -> Result<(), Fault> {
    if is_looked_through(connection)? {
        return check_copy(connection);
    }
    ["session", "session_key", "attribute", "ended", "state"]
        .iter()
        .try_for_each(|table| check(connection, &format!("PRAGMA quick_check({table})")))
}

/// Whether a file is small enough to be looked through from end to end when it is opened.
pub(super) fn is_looked_through(connection: &Connection) -> Result<bool, Fault> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    Ok(u64::try_from(pages).unwrap_or(0) <= WHOLE / u64::from(PAGE))
}

/// Looks through all of a file that nobody waits for.
pub(super) fn check_copy(connection: &Connection) -> Result<(), Fault> {
    check(connection, "PRAGMA quick_check(1)")
}

fn check(connection: &Connection, sql: &str) -> Result<(), Fault> {
    let verdict: String = connection.query_row(sql, [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Fault::damaged(verdict.replace('\n', " "))) }
}

/// Has the system read a file from its beginning to its end: the checks read it page by page, in an order that is slow on a
/// disk. Larger files than are looked through are left alone.
fn read_ahead(file: &Path) -> Result<(), Fault> {
    let mut file = File::open(file)?;
    if file.metadata()?.len() <= WHOLE {
        let mut buffer = vec![0; 1 << 20];
        while file.read(&mut buffer)? > 0 {}
    }
    Ok(())
}
