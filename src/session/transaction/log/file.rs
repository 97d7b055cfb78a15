//! The file of a decision log.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::LogError;
use super::records::{self, TABLES, now};
use crate::session::transaction::LogId;
use crate::session::{IdSource, SystemIds};

/// What the file says that it is: `RjTx`.
const APPLICATION_ID: i32 = 0x526a_5478;

/// The form of the file. The first knew fewer kinds of records.
const FORMAT: i32 = 2;
const FIRST_FORMAT: i32 = 1;

/// How long what became of a transaction can be asked for.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How long it is waited before records are looked for that are too old, and how many are removed at once.
const SWEEP: Duration = Duration::from_mins(1);
const SWEPT: u32 = 10_000;

/// How long it is waited for another process to go away.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn make_folder(folder: &Path) -> Result<(), LogError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| LogError::io(folder, &error))
}

pub(super) struct LogFile {
    connection: Connection,
    /// When records were looked for that are too old, in milliseconds since 1970.
    swept: i64,
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
        let is_ours = application == APPLICATION_ID && (FIRST_FORMAT..=FORMAT).contains(&format);
        if !is_new && !is_ours {
            return Err(LogError::Foreign);
        }
        let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if is_new {
            work.execute_batch(TABLES)?;
            work.execute("INSERT INTO log VALUES (?)", [new_id()?])?;
            work.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        work.pragma_update(None, "user_version", FORMAT)?;
        let id: i64 = work.query_row("SELECT id FROM log", params![], |row| row.get(0))?;
        work.commit()?;
        Ok((Self { connection, swept: 0 }, LogId::new(id.cast_unsigned())))
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

    /// Now and then, removes records that are too old: some, if there are many.
    pub(super) fn sweep(&mut self) -> Result<(), LogError> {
        let now = now();
        if now - self.swept < milliseconds(SWEEP) {
            return Ok(());
        }
        self.swept = now;
        self.batch(false, |connection| records::sweep(connection, now - milliseconds(KEPT), SWEPT))?;
        Ok(())
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn new_id() -> Result<i64, LogError> {
    let mut bytes = [0; 8];
    let filled = SystemIds::new().fill(&mut bytes);
    filled.map_err(|error| LogError::Io { message: error.to_string().into() })?;
    Ok(i64::from_be_bytes(bytes))
}
