//! The log of commits (SQLite's WAL), and how it is brought back into the file while commits go on.
//!
//! A commit appends the pages that it changed to the log. A *pass* (a passive checkpoint) writes the latest of each page into
//! the file and syncs it, and nobody waits for that. But the log begins anew only when all of it is in the file at the moment
//! of a commit, and under load more has come while a pass ran. So passes are repeated until little is left, and then one is
//! made while commits wait: that one is short.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::fault::Fault;
use super::writer::Writer;

/// Pages in the log from which on it is brought back.
const START: u64 = 2048;

/// Pages that may be left when commits are made to wait.
const NEAR: u64 = 256;

/// Passes after which commits are made to wait at the latest, if each of them got on.
const PASSES: usize = 16;

/// How long to leave it alone when somebody reads what was there before.
const PAUSE: Duration = Duration::from_millis(100);

/// How many pages are in the log, and whether it is time to bring them back.
#[derive(Debug, Default)]
pub(super) struct LogLength {
    pages: AtomicU64,
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
struct Pass {
    left: u64,
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
    writer: Arc<Mutex<Writer>>,
    length: Arc<LogLength>,
}

impl Checkpointer {
    pub(super) fn new(connection: Connection, writer: Arc<Mutex<Writer>>, length: Arc<LogLength>) -> Self {
        Self { connection: Mutex::new(connection), writer, length }
    }

    /// Does it whenever the log is long, until it is told to stop.
    pub(super) fn run(&self) {
        while self.length.wait() {
            match self.bring_back() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(fault) => {
                    tracing::warn!(?fault, "the log of the session store could not be brought back; it grows")
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
        let mut last = pass(&connection)?;
        for _ in 0..PASSES {
            if last.left <= NEAR {
                break;
            }
            let next = pass(&connection)?;
            if next.left >= last.left {
                break;
            }
            last = next;
        }
        if last.left == 0 {
            return Ok(true);
        }
        if last.left > START {
            return Ok(false);
        }
        let _commits_wait = self.writer.lock();
        Ok(pass(&connection)?.left == 0)
    }
}

fn pass(connection: &Connection) -> Result<Pass, Fault> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
    let (pages, done): (i64, i64) = statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
    Ok(Pass { left: u64::try_from(pages - done).unwrap_or(0) })
}
