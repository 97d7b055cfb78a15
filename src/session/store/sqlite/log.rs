//! The log of commits (SQLite's WAL), and how it is brought back into the file while commits go on.
//!
//! A commit appends the pages that it changed to the log. A *pass* (a passive checkpoint) writes the latest of each page into
//! the file, and nobody waits for that. But the log begins anew only when all of it is in the file at the moment of a commit,
//! and under load more has come while a pass ran. So passes are repeated until little is left, or no less than before, and
//! then one is made while commits wait: that one is short. A pass that was overtaken leaves the sync of the file to a later
//! one, so the file is synced after each; otherwise the last one would have to wait for the disk to take everything.
//!
//! How much is left can't be asked of SQLite: a pass tells how long the log was when it began. It is counted at the commits.
//!
//! # A sync of the file that fails
//!
//! The system reports it once, and takes the pages for written from then on. SQLite has noted those pages as brought back, and
//! would not write them again. So no pass is made any more until the store is opened anew: that forgets what was brought back,
//! and begins with the first page of the log. Until then commits go on, and are as durable as before, in a log that grows; and
//! once it is [`FULL`], they are refused. If commits are left to the operating system, the log itself may be what was lost, so
//! they are refused at once. A disk that is full is another matter: nothing was taken for written, and the pass is
//! tried again.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::fault::Fault;
use super::writer::Writer;
use crate::session::Durability;

/// Pages in the log from which on it is brought back: 32 MiB.
const START: u64 = 8192;

/// Pages that may be left when commits are made to wait: 1 MiB.
const NEAR: u64 = 256;

/// Pages from which on nothing more is committed to a log that can't be brought back: 1 GiB.
const FULL: u64 = 1 << 18;

/// How long to leave it alone when somebody reads what was there before.
const PAUSE: Duration = Duration::from_millis(100);

/// How many pages are in the log, and whether it is time to bring them back.
#[derive(Debug, Default)]
pub(super) struct LogLength {
    pages: AtomicU64,
    /// A sync of the file has failed.
    is_stuck: AtomicBool,
    signal: Mutex<Signal>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    is_long: bool,
    stop: bool,
}

/// How far a pass came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    /// Pages of the log that are in the file.
    done: u64,
    /// Whether that were all, when it began.
    is_complete: bool,
}

impl LogLength {
    /// Notes the length after a commit.
    pub(super) fn set(&self, pages: u64) {
        self.pages.store(pages, Ordering::Relaxed);
        if pages >= START {
            let mut signal = self.signal.lock();
            if !signal.is_long {
                signal.is_long = true;
                self.changed.notify_one();
            }
        }
    }

    /// Notes that all of it is in the file: the next commit begins it anew, unless somebody reads it.
    fn begin_anew(&self) {
        self.pages.store(0, Ordering::Relaxed);
        self.signal.lock().is_long = false;
    }

    /// How many pages have come that a pass left; nothing if the log has begun anew since.
    pub(super) fn left_by(&self, pass: Pass) -> Option<u64> {
        self.pages().checked_sub(pass.done)
    }

    /// The length after the last commit.
    pub(super) fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    /// Refuses a commit that would not be safe in the log, or for which there is no room.
    pub(super) fn check(&self, durability: Durability) -> Result<(), Fault> {
        let is_unsafe = durability == Durability::Os || self.pages.load(Ordering::Relaxed) > FULL;
        if self.is_stuck() && is_unsafe {
            return Err(stuck());
        }
        Ok(())
    }

    /// Whether a sync of the file has failed.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    /// Notes that a sync of the file has failed.
    pub(super) fn get_stuck(&self) {
        self.is_stuck.store(true, Ordering::Relaxed);
    }

    /// Lets the thread that waits end.
    pub(super) fn stop(&self) {
        self.signal.lock().stop = true;
        self.changed.notify_all();
    }

    /// Waits until the log is long. Answers whether to go on.
    fn wait(&self) -> bool {
        let mut signal = self.signal.lock();
        while !signal.is_long && !signal.stop {
            self.changed.wait(&mut signal);
        }
        signal.is_long = false;
        !signal.stop
    }

    /// Waits for a while. Answers whether to go on.
    fn pause(&self) -> bool {
        let mut signal = self.signal.lock();
        if !signal.stop {
            self.changed.wait_for(&mut signal, PAUSE);
        }
        !signal.stop
    }
}

/// Brings the log back.
#[derive(Debug)]
pub(super) struct Checkpointer {
    connection: Mutex<Connection>,
    /// The file, to sync it. It must not be closed before SQLite has closed it: that would give up the locks.
    file: Arc<File>,
    writer: Arc<Mutex<Writer>>,
    length: Arc<LogLength>,
}

impl Checkpointer {
    pub(super) fn new(
        connection: Connection,
        file: Arc<File>,
        writer: Arc<Mutex<Writer>>,
        length: Arc<LogLength>,
    ) -> Self {
        Self { connection: Mutex::new(connection), file, writer, length }
    }

    /// Does it whenever the log is long, until it is told to stop.
    pub(super) fn run(&self) {
        while self.length.wait() {
            match self.bring_back() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(fault) => {
                    tracing::error!(?fault, "the log of the session store could not be brought back, and grows");
                }
            }
            if !self.length.pause() {
                return;
            }
        }
    }

    /// Brings back all of the log. Answers whether it could: not if somebody reads what was there before.
    pub(super) fn bring_back(&self) -> Result<bool, Fault> {
        let connection = self.connection.lock();
        if self.length.is_stuck() {
            return Err(stuck());
        }
        let brought = self.bring_back_with(&connection);
        if let Err(fault) = &brought
            && !fault.is_passing()
        {
            self.length.get_stuck();
        }
        brought
    }

    fn bring_back_with(&self, connection: &Connection) -> Result<bool, Fault> {
        let mut last = pass(connection)?;
        let mut brought = last.done;
        loop {
            self.file.sync_data()?;
            let Some(left) = self.length.left_by(last) else { return Ok(true) };
            // More comes than can be brought back: commits would wait the longer, the longer it goes on.
            let is_overtaken = left >= brought;
            if left <= NEAR || is_overtaken {
                break;
            }
            brought = left;
            let next = pass(connection)?;
            if next.done == last.done {
                return Ok(false);
            }
            last = next;
        }
        let _commits_wait = self.writer.lock();
        let is_complete = pass(connection)?.is_complete;
        if is_complete {
            self.length.begin_anew();
        }
        Ok(is_complete)
    }
}

fn stuck() -> Fault {
    Fault::Io(std::io::Error::other(
        "the disk has failed to keep what was written to `sessions.db`; the log has it: restart the service",
    ))
}

pub(super) fn pass(connection: &Connection) -> Result<Pass, Fault> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
    let (pages, done): (i64, i64) = statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
    Ok(Pass { done: u64::try_from(done).unwrap_or(0), is_complete: done == pages })
}
