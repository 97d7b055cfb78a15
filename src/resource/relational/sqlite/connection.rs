//! One connection: how it is opened and hardened, and how statements are prepared on it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{CachedStatement, Connection, OpenFlags};

use super::address::SqliteMode;
use super::authorizer::{Gate, Purpose, authorizer};
use super::control::{Control, ControlGuard, ControlSlot, STEPS};
use super::error::{resource_error, sql as sql_error};
use super::shape::ShapeCache;
use crate::resource::ResourceError;

/// How many prepared statements a connection keeps.
pub(super) const STATEMENTS: usize = 64;

/// The longest statement, in bytes.
const SQL_BYTES: i32 = 1024 * 1024;

/// The longest text or blob, in bytes; rows are held whole, so this bounds the memory that one can take.
pub(super) const VALUE_BYTES: usize = 64 * 1024 * 1024;

/// The longest sleep between two tries to get a lock.
const LONGEST_SLEEP: Duration = Duration::from_millis(10);

/// Where a connection leads to: a file, or a named database in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// What `SQLite` opens: a path, or a URI for the database in memory.
    pub(super) path: std::path::PathBuf,
    /// Whether it is in memory.
    pub(super) in_memory: bool,
    pub(super) mode: SqliteMode,
    /// How long a statement waits for a lock.
    pub(super) busy_timeout: Duration,
}

/// A connection that runs one statement at a time.
#[derive(Debug)]
pub(super) struct SqliteConnection {
    connection: Connection,
    slot: ControlSlot,
    gate: Gate,
    /// What the results of the statements look like.
    pub(super) shapes: ShapeCache,
}

impl SqliteConnection {
    /// Opens a connection for one purpose.
    pub(super) fn open(target: &Target, purpose: Purpose) -> Result<Self, ResourceError> {
        let mut connection = Connection::open_with_flags(&target.path, open_flags(target)).map_err(|error| {
            match resource_error(error) {
                ResourceError::Unavailable { message } => {
                    ResourceError::Unavailable { message: with_path(message, &target.path) }
                }
                other => other,
            }
        })?;
        let slot = ControlSlot::default();
        let gate = Gate::default();
        prepare_connection(&mut connection, target, purpose, &slot, &gate).map_err(resource_error)?;
        Ok(Self { connection, slot, gate, shapes: ShapeCache::default() })
    }

    /// Puts the connection under a control, for as long as the guard lives.
    pub(super) fn under(&self, control: &Arc<Control>) -> ControlGuard {
        self.slot.occupy(control)
    }

    /// The driver's connection.
    pub(super) fn driver(&self) -> &Connection {
        &self.connection
    }

    /// Whether the connection may be used after a pause: the file that it has opened is still the one at its path.
    pub(super) fn is_fresh(&self) -> bool {
        #[cfg(unix)]
        {
            let mut moved = 0;
            // A database in memory has no answer, and can't move.
            let _ = self.connection.file_control(None::<&str>, rusqlite::FileControl::HasMoved(&mut moved));
            moved == 0
        }
        #[cfg(not(unix))]
        true
    }

    /// Runs statements of our own, which may do what those of clients may not.
    pub(super) fn run_own(&self, sql: &str) -> Result<(), ResourceError> {
        self.gate.opened(|| self.connection.execute_batch(sql)).map_err(resource_error)
    }

    /// Gives back the memory of cached pages that no statement uses just now.
    pub(super) fn release_memory(&self) {
        // What can't be released is not lost.
        let _ = self.run_own("PRAGMA shrink_memory");
    }

    /// Prepares the one statement that the text holds, or takes it from the cache.
    pub(super) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, ResourceError> {
        if sql.contains('\0') {
            return Err(sql_error("the statement holds a NUL character; remove it"));
        }
        self.gate.take_refusal();
        self.connection.prepare_cached(sql).map_err(|error| {
            let error = self.gate.take_refusal().unwrap_or_else(|| resource_error(error));
            in_whole_text(error, sql)
        })
    }
}

/// The driver names the path in some messages only.
fn with_path(message: String, path: &Path) -> String {
    let path = path.display().to_string();
    if message.contains(&path) { message } else { format!("{message}: {path}") }
}

/// The driver counts from the first character that is not white space.
fn in_whole_text(error: ResourceError, sql: &str) -> ResourceError {
    match error {
        ResourceError::Sql { message, code, offset } => {
            let before = sql.chars().take_while(|character| character.is_whitespace()).count();
            ResourceError::Sql { message, code, offset: offset.map(|offset| offset + before) }
        }
        other => other,
    }
}

fn open_flags(target: &Target) -> OpenFlags {
    // A connection is used by one thread at a time, so it needs no mutex of its own.
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags |= match target.mode {
        SqliteMode::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        SqliteMode::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
        SqliteMode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    if target.in_memory {
        flags |= OpenFlags::SQLITE_OPEN_URI;
    }
    flags
}

fn prepare_connection(
    connection: &mut Connection,
    target: &Target,
    purpose: Purpose,
    slot: &ControlSlot,
    gate: &Gate,
) -> rusqlite::Result<()> {
    connection.busy_handler(Some(busy_handler(target.busy_timeout, slot.clone())))?;
    if target.mode != SqliteMode::ReadOnly && !target.in_memory {
        // Readers and the writer don't wait for one another. Where the file system can't do it, the mode stays as it is.
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    if purpose == Purpose::Read {
        connection.execute_batch("PRAGMA query_only = ON")?;
    }
    harden(connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let look = slot.clone();
    connection.progress_handler(STEPS, Some(move || look.look()))?;
    connection.authorizer(Some(authorizer(purpose, gate.clone())))
}

/// Takes away what a client's statement or a hostile database file could misuse.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        // A name in double quotes that no column has is an error, not a text.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(setting, value)?;
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES),
        (Limit::SQLITE_LIMIT_LENGTH, i32::try_from(VALUE_BYTES).unwrap_or(i32::MAX)),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1000),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 200),
        (Limit::SQLITE_LIMIT_VDBE_OP, 1_000_000),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

/// Waits for a lock with ever longer sleeps, until the time is over or the statement has to stop.
fn busy_handler(timeout: Duration, slot: ControlSlot) -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = Instant::now();
    move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        if slot.look() || since.elapsed() >= timeout {
            return false;
        }
        let sleep = Duration::from_micros(100 << tries.clamp(0, 10));
        std::thread::sleep(sleep.min(LONGEST_SLEEP));
        true
    }
}
