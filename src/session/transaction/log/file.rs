//! The file of a decision log.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::LogError;
use crate::session::transaction::{Decision, LogId};
use crate::session::{IdSource, Principal, SystemIds};

/// What the file says that it is: `RjTx`.
const APPLICATION_ID: i32 = 0x526a_5478;
const FORMAT: i32 = 1;

/// How long what became of a transaction can be asked for.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How long it is waited for another process to go away.
const PATIENCE: Duration = Duration::from_secs(2);

const TABLES: &str = "
CREATE TABLE log (id INTEGER NOT NULL) STRICT;
CREATE TABLE outcome (
    id BLOB PRIMARY KEY NOT NULL,
    owner TEXT,
    state INTEGER NOT NULL,
    resource TEXT,
    witness TEXT,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX in_doubt ON outcome (id) WHERE state = 1;
CREATE INDEX by_age ON outcome (at);
";

const BEGUN: i64 = 0;
const COMMITTING: i64 = 1;
const COMMITTED: i64 = 2;
const ROLLED_BACK: i64 = 3;

/// Something that is known of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) struct Record {
    pub(in crate::session::transaction) transaction: Uuid,
    pub(in crate::session::transaction) entry: Entry,
}

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) enum Entry {
    /// It has begun, in the session of that owner.
    Begun { owner: Principal },
    /// All branches are prepared but one, which can't be, and is being committed. Its data resource will tell by the witness
    /// whether it was.
    Committing { resource: Box<str>, witness: Box<str> },
    /// All of it holds, or will.
    Committed,
    /// Nothing of it holds, or will.
    RolledBack,
}

/// What is known of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) struct Known {
    pub(in crate::session::transaction) owner: Principal,
    /// `None` while it is not decided.
    pub(in crate::session::transaction) decision: Option<Decision>,
    /// A branch that can't be prepared was being committed.
    pub(in crate::session::transaction) is_committing: bool,
}

/// A transaction of which nobody knows whether its last branch was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) struct InDoubt {
    pub(in crate::session::transaction) transaction: Uuid,
    /// The data resource that can tell, and what it needs for that.
    pub(in crate::session::transaction) resource: Box<str>,
    pub(in crate::session::transaction) witness: Box<str>,
}

pub(super) fn make_folder(folder: &Path) -> Result<(), LogError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| LogError::io(folder, &error))
}

pub(super) struct LogFile {
    connection: Connection,
}

impl LogFile {
    /// Opens the file, or makes it; gives the id of the log as well.
    pub(super) fn open(folder: &Path) -> Result<(Self, LogId), LogError> {
        let path = folder.join("transactions.db");
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(PATIENCE)?;
        // The lock is kept as long as the file is open: one process at a time.
        connection
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
        let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
        let (application, format) = (pragma("application_id")?, pragma("user_version")?);
        let is_new = (application, format) == (0, 0)
            && connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))? == 0;
        if !is_new && (application, format) != (APPLICATION_ID, FORMAT) {
            return Err(LogError::Foreign);
        }
        let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if is_new {
            work.execute_batch(TABLES)?;
            work.execute("INSERT INTO log VALUES (?)", [new_id()?])?;
            work.pragma_update(None, "application_id", APPLICATION_ID)?;
            work.pragma_update(None, "user_version", FORMAT)?;
        }
        let oldest = now() - i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        work.execute("DELETE FROM outcome WHERE at < ? AND state <> ?", params![oldest, COMMITTING])?;
        let id: i64 = work.query_row("SELECT id FROM log", [], |row| row.get(0))?;
        work.commit()?;
        Ok((Self { connection }, LogId::new(id.cast_unsigned())))
    }

    /// Does some work in one transaction of the file, which is on the disk afterwards if `is_safe`.
    pub(super) fn batch<T>(
        &mut self,
        is_safe: bool,
        work: impl FnOnce(&Connection) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        self.connection.execute_batch(if is_safe {
            "PRAGMA synchronous = FULL"
        } else {
            "PRAGMA synchronous = NORMAL"
        })?;
        let batch = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done = work(&batch)?;
        batch.commit()?;
        Ok(done)
    }
}

/// Writes a record. What is decided stays as it is.
pub(super) fn put(connection: &Connection, record: &Record) -> Result<(), LogError> {
    let (state, owner, resource, witness) = match &record.entry {
        Entry::Begun { owner } => (BEGUN, owner.id(), None, None),
        Entry::Committing { resource, witness } => (COMMITTING, None, Some(&**resource), Some(&**witness)),
        Entry::Committed => (COMMITTED, None, None, None),
        Entry::RolledBack => (ROLLED_BACK, None, None, None),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO outcome VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE
         SET state = ?3, resource = ?4, witness = ?5, at = ?6 WHERE state < 2 AND state < ?3",
    )?;
    statement.execute(params![record.transaction.as_bytes(), owner, state, resource, witness, now()])?;
    Ok(())
}

/// What is known of a transaction.
pub(super) fn get(connection: &Connection, transaction: Uuid) -> Result<Option<Known>, LogError> {
    let mut statement = connection.prepare_cached("SELECT owner, state FROM outcome WHERE id = ?")?;
    let found = statement.query_row([transaction.as_bytes()], |row| {
        let owner: Option<String> = row.get(0)?;
        let state: i64 = row.get(1)?;
        let decision = match state {
            COMMITTED => Some(Decision::Commit),
            ROLLED_BACK => Some(Decision::Rollback),
            _ => None,
        };
        let owner = owner.map_or_else(Principal::anonymous, Principal::new);
        Ok(Known { owner, decision, is_committing: state == COMMITTING })
    });
    Ok(found.optional()?)
}

/// The transactions of which nobody knows whether their last branch was committed.
pub(super) fn in_doubt(connection: &Connection) -> Result<Vec<InDoubt>, LogError> {
    let mut statement =
        connection.prepare_cached("SELECT id, resource, witness FROM outcome WHERE state = 1 ORDER BY id")?;
    let found = statement.query_map([], |row| {
        let transaction = Uuid::from_bytes(row.get(0)?);
        let (resource, witness): (String, String) = (row.get(1)?, row.get(2)?);
        Ok(InDoubt { transaction, resource: resource.into(), witness: witness.into() })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn now() -> i64 {
    Utc::now().timestamp_millis()
}

fn new_id() -> Result<i64, LogError> {
    let mut bytes = [0; 8];
    let filled = SystemIds::new().fill(&mut bytes);
    filled.map_err(|error| LogError::Io { message: error.to_string().into() })?;
    Ok(i64::from_be_bytes(bytes))
}
