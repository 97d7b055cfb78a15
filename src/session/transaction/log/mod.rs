//! The decision log: what became of transactions, written down before it is done.
//!
//! A transaction that is committed in two phases is decided by one record: when all its branches are prepared, `committed` is
//! written and on the disk before the first of them is told to commit. After a crash a prepared branch whose transaction has
//! that record is committed, and every other is rolled back (*presumed abort*). A record stays for a month, so that a client
//! that lost its connection can ask what became of its transaction; one that a database may still be waiting for stays until
//! it does not.
//!
//! The log is an SQLite file in a folder of its own, which one process uses at a time. Its id stands in the names of all
//! branches, so that services that share a database leave each other's branches alone.

mod error;
mod file;
mod records;
mod writer;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;
use uuid::Uuid;

pub use error::LogError;
use records::Record;
pub(super) use records::{Entry, InDoubt, Known, Stands};
use writer::LogWriter;

use super::{Decision, LogId};
use crate::session::Principal;

/// A decision log that is open. Whoever opens the same folder in this process gets the same log.
pub(super) struct DecisionLog {
    id: LogId,
    writer: LogWriter,
    /// The transactions that go on in this process: recovery leaves them alone.
    running: Mutex<HashSet<Uuid>>,
    /// How often a prepared branch was left behind, which gives recovery something to do.
    left_behind: AtomicU64,
}

/// The logs that are open in this process, by their folders.
static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<DecisionLog>>>> = LazyLock::new(Mutex::default);

impl DecisionLog {
    /// Opens the log of a folder, which is made when it is not there. It blocks.
    ///
    /// # Errors
    ///
    /// [`LogError`] when it can't be used.
    pub(super) fn open(folder: &Path) -> Result<Arc<Self>, LogError> {
        let mut open = OPEN.lock();
        file::make_folder(folder)?;
        let key = folder.canonicalize().map_err(|error| LogError::io(folder, &error))?;
        if let Some(log) = open.get(&key).and_then(Weak::upgrade) {
            return Ok(log);
        }
        let (file, id) = file::LogFile::open(folder)?;
        let log = Arc::new(Self {
            id,
            writer: LogWriter::start(file)?,
            running: Mutex::default(),
            left_behind: AtomicU64::new(0),
        });
        open.retain(|_, log| log.strong_count() > 0);
        open.insert(key, Arc::downgrade(&log));
        Ok(log)
    }

    /// Its id.
    pub(super) fn id(&self) -> LogId {
        self.id
    }

    /// Notes that a transaction has begun; until the guard is dropped it goes on. The note is not waited for.
    pub(super) fn begin(self: &Arc<Self>, transaction: Uuid, owner: &Principal) -> Running {
        self.running.lock().insert(transaction);
        let running = Running { log: Arc::clone(self), transaction, owner: owner.clone() };
        running.note(Entry::Begun);
        running
    }

    /// Writes what was found out about a transaction of an earlier process, and returns when it is on the disk.
    pub(super) async fn write(&self, transaction: Uuid, entry: Entry) -> Result<(), LogError> {
        // Its owner stands there.
        self.writer.write(Record { transaction, owner: Principal::anonymous(), entry }).await
    }

    /// What is written of a transaction.
    pub(super) async fn read(&self, transaction: Uuid) -> Result<Option<Known>, LogError> {
        self.writer.read(transaction).await
    }

    /// What becomes of the prepared branches of a transaction that does not go on: one that is not decided is decided now, to
    /// be rolled back. `None` when its last branch, which can't be prepared, has to be asked about first.
    pub(super) async fn decide(&self, transaction: Uuid) -> Result<Option<Decision>, LogError> {
        self.writer.decide(transaction).await
    }

    /// The transactions whose last branch, which can't be prepared, was being committed, and nobody knows whether it was.
    pub(super) async fn in_doubt(&self) -> Result<Vec<InDoubt>, LogError> {
        self.writer.in_doubt().await
    }

    /// Whether a transaction goes on in this process.
    pub(super) fn is_running(&self, transaction: Uuid) -> bool {
        self.running.lock().contains(&transaction)
    }

    /// A prepared branch may have been left behind.
    pub(super) fn leave_behind(&self) {
        self.left_behind.fetch_add(1, Ordering::AcqRel);
    }

    /// How often that was so.
    pub(super) fn left_behind(&self) -> u64 {
        self.left_behind.load(Ordering::Acquire)
    }
}

impl fmt::Debug for DecisionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionLog").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A transaction that goes on in this process, and its records.
pub(super) struct Running {
    pub(super) log: Arc<DecisionLog>,
    transaction: Uuid,
    owner: Principal,
}

impl Running {
    /// Writes a record, and returns when it is on the disk.
    pub(super) async fn write(&self, entry: Entry) -> Result<(), LogError> {
        self.log.writer.write(self.record(entry)).await
    }

    /// Writes a record that may be lost with the machine.
    pub(super) fn note(&self, entry: Entry) {
        self.log.writer.note(self.record(entry));
    }

    fn record(&self, entry: Entry) -> Record {
        Record { transaction: self.transaction, owner: self.owner.clone(), entry }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.log.running.lock().remove(&self.transaction);
    }
}
