//! The embedded store: an SQLite file in a folder of its own.
//!
//! `docs/session-store.md` describes the files and the tables, `docs/decisions/session-store.md` says why SQLite.
//!
//! One connection writes, one batch in one transaction; a few read beside it; one brings the log back into the file
//! ([`log`]). What a commit that fails leaves behind is said at [`writer`]. Every row has a checksum, which is compared
//! whenever the row is read.

mod answer;
mod attribute;
mod backup;
mod change;
mod checksum;
mod columns;
mod connection;
mod damaged;
mod ended;
mod fault;
mod folder;
mod log;
mod log_end;
mod opening;
mod readers;
mod reading;
mod record;
mod recovery;
mod schema;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod transaction;
mod write;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rusqlite::Connection;

use self::connection::Role;
use self::damaged::DamagedRows;
use self::fault::Fault;
use self::folder::Folder;
use self::log::{Checkpointer, LogLength};
use self::readers::Readers;
pub(crate) use self::snapshot::{AnswerPosition, SqliteSnapshot};
use self::state::State;
pub(crate) use self::transaction::StoreTransaction;
use self::writer::Writer;
use super::{
    AnswerRecord, AnswerScope, Durability, Recovery, SessionKey, SessionRecord, SessionStore, SessionWrite, StoreError,
    StoreStatistics, StoredSession, TimeMark, Verdict,
};
use crate::session::{Moment, SessionHandle};

/// Pages that are given back to the system in one transaction.
const VACUUM_PAGES: u32 = 64;

/// Transactions of that kind in one call.
const VACUUM_STEPS: usize = 64;

/// Rows that are forgotten in one transaction: commits wait for no longer than that takes.
const SWEEP: usize = 64;

/// Sessions in an SQLite file.
///
/// ```
/// use rejoin::session::{Durability, SessionStore, SqliteStore};
///
/// let folder = tempfile::tempdir()?;
/// let store = SqliteStore::open(&folder.path().join("sessions"), Durability::Full)?;
/// assert_eq!(store.recover()?.openings, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    folder: Folder,
    readers: Readers,
    damaged: DamagedRows,
    length: Arc<LogLength>,
    checkpointer: Arc<Checkpointer>,
    thread: Option<JoinHandle<()>>,
    writer: Arc<Mutex<Writer>>,
    /// Closed after the connections.
    _file: Arc<File>,
    /// Held as long as the store is open.
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in a folder, or makes one there.
    ///
    /// The whole file is looked through, and nothing is written before that has found nothing wrong.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process, or another store of this one, has it open; [`StoreError::TooNew`],
    /// [`StoreError::Foreign`] and [`StoreError::Damaged`] if it is not to be used, and then nothing in it was changed; others if
    /// it can't be read or written.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self, StoreError> {
        let folder = Folder::new(folder);
        if !folder.has_lock() {
            // Nobody has it open. Nothing is put into a folder that is not ours.
            opening::examine(&folder)?;
            folder.make().map_err(|fault| fault.at(folder.path()))?;
        }
        let lock = folder.lock()?;
        opening::examine(&folder)?;
        Self::open_locked(&folder, lock, durability).map_err(|fault| fault.at(folder.path()))
    }

    fn open_locked(folder: &Folder, lock: File, durability: Durability) -> Result<Self, Fault> {
        let file = folder.file();
        if !file.exists() {
            opening::create(folder)?;
        }
        folder.remove_unfinished()?;
        let connection = opening::open(folder)?;
        let length = Arc::new(LogLength::default());
        let mut writer = Writer::new(connection, file.clone(), durability, Arc::clone(&length))?;
        writer.transaction(|connection| {
            let state = State::read(connection)?;
            let synced = durability == Durability::Full;
            State { openings: state.openings + 1, synced, ..state }.write(connection)
        })?;
        connection::keep(writer.connection(), durability)?;
        let writer = Arc::new(Mutex::new(writer));
        let connection = connection::open(&file, Role::Checkpoint, durability)?;
        let open_file = Arc::new(File::options().read(true).write(true).open(&file)?);
        let checkpointer =
            Arc::new(Checkpointer::new(connection, Arc::clone(&open_file), Arc::clone(&writer), Arc::clone(&length)));
        let runs = Arc::clone(&checkpointer);
        let thread = thread::Builder::new().name("rejoin-store-log".into()).spawn(move || runs.run())?;
        let readers = Readers::new(file, durability);
        Ok(Self {
            folder: folder.clone(),
            readers,
            damaged: DamagedRows::default(),
            length,
            checkpointer,
            thread: Some(thread),
            writer,
            _file: open_file,
            _lock: lock,
        })
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.readers.read(work).map_err(|fault| fault.at(self.folder.path()))
    }

    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.writer.lock().transaction(work).map_err(|fault| fault.at(self.folder.path()))
    }

    /// Forgets so much in several transactions. `forget` says how much it has, and that is less than it may if there is no more.
    fn sweep_in_steps(
        &self,
        limit: usize,
        forget: impl Fn(&Connection, usize) -> Result<usize, Fault>,
    ) -> Result<usize, StoreError> {
        let mut swept = 0;
        while swept < limit {
            let step = SWEEP.min(limit - swept);
            let gone = self.write(|connection| forget(connection, step))?;
            swept += gone;
            if gone < step {
                break;
            }
        }
        Ok(swept)
    }

    /// Gives pages that nothing uses any more back to the system, if they are many. Answers whether there may be more.
    fn give_back(&self) -> Result<bool, Fault> {
        let mut writer = self.writer.lock();
        let number = |name: &str| writer.connection().pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (free, all) = (number("freelist_count")?, number("page_count")?);
        if free < 1024 || free < all / 4 {
            return Ok(false);
        }
        writer.transaction(|connection| {
            let sql = format!("PRAGMA incremental_vacuum({VACUUM_PAGES})");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(true)
        })
    }
}

impl SessionStore for SqliteStore {
    fn recover(&self) -> Result<Recovery, StoreError> {
        self.read(recovery::recover)
    }

    fn find(&self, key: &SessionKey) -> Result<Option<SessionHandle>, StoreError> {
        self.read(|connection| reading::find(connection, key))
    }

    fn load(&self, session: SessionHandle) -> Result<Option<StoredSession>, StoreError> {
        self.read(|connection| reading::load(connection, session))
    }

    fn answer(&self, scope: &AnswerScope) -> Result<Option<AnswerRecord>, StoreError> {
        self.read(|connection| answer::find(connection, scope))
    }

    fn commit(&self, batch: &[SessionWrite]) -> Result<Vec<Verdict>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = self.writer.lock();
        let mut is_unmade = false;
        let together = writer.transaction(|connection| {
            let verdicts: Result<_, Fault> = batch.iter().map(|write| write::write(connection, write)).collect();
            is_unmade = verdicts.is_err();
            verdicts
        });
        let written = match together {
            // Nothing was written. Once more, each apart from the others, without what the fault is a matter of.
            Err(fault) if is_unmade && fault.is_of_one_write() => writer.transaction(|connection| {
                let path = self.folder.path();
                batch.iter().map(|write| write::write_apart(connection, write, path)).collect()
            }),
            written => written,
        };
        written.map_err(|fault| fault.at(self.folder.path()))
    }

    fn list(&self, after: Option<SessionHandle>, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        self.read(|connection| reading::list(connection, after, limit, Some(&self.damaged)))
    }

    fn due(&self, now: Moment, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        self.read(|connection| reading::due(connection, now, limit, &self.damaged))
    }

    fn sweep(&self, now: Moment, ends: u64, limit: usize) -> Result<usize, StoreError> {
        let swept = self.sweep_in_steps(limit, |connection, step| sweep_some(connection, now, step))?;
        if swept == limit {
            return Ok(swept);
        }
        // They are counted where no commit waits for that.
        let surplus = self.read(ended::count)?.saturating_sub(ends);
        let surplus = usize::try_from(surplus).unwrap_or(usize::MAX).min(limit - swept);
        Ok(swept + self.sweep_in_steps(surplus, ended::forget_oldest)?)
    }

    fn compact(&self) -> Result<(), StoreError> {
        let failed = |fault: Fault| fault.at(self.folder.path());
        for _ in 0..VACUUM_STEPS {
            if !self.give_back().map_err(failed)? {
                break;
            }
        }
        self.checkpointer.bring_back().map_err(failed)?;
        Ok(())
    }

    fn mark(&self, mark: &TimeMark) -> Result<(), StoreError> {
        self.write(|connection| State { mark: Some(*mark), ..State::read(connection)? }.write(connection))
    }

    fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        let source = self.readers.open().map_err(|fault| fault.at(self.folder.path()))?;
        backup::write(&source, to).map_err(|fault| fault.at(self.folder.path()))
    }

    fn statistics(&self) -> StoreStatistics {
        StoreStatistics { bytes: self.folder.bytes(), damaged: self.damaged.count() }
    }
}

/// Forgets some ends, and answers if there are fewer ends than that.
fn sweep_some(connection: &Connection, now: Moment, limit: usize) -> Result<usize, Fault> {
    let ended = ended::sweep(connection, now, limit)?;
    let swept = ended + answer::sweep(connection, now, limit - ended)?;
    if swept > 0 {
        let state = State::read(connection)?;
        State { swept: state.swept.max(Some(now)), ..state }.write(connection)?;
    }
    Ok(swept)
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.length.stop();
        if let Some(thread) = self.thread.take() {
            // It does not panic, and if it did there is nothing left to do.
            let _ = thread.join();
        }
        self.readers.close();
        if !self.length.is_stuck() {
            // If that fails the log stays, and the next start brings it back.
            let _ = connection::finish_when_closed(self.writer.lock().connection());
        }
    }
}
