//! The connections that read.

use std::path::PathBuf;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::connection::{self, Role};
use super::fault::Fault;
use crate::session::Durability;

/// How many are kept.
const KEPT: usize = 4;

/// How many there are at the most: each takes two open files, of which a process may have no more than a thousand or so. Whoever
/// comes when all are in use waits.
const MOST: usize = 16;

/// Connections that read, each used by one thread at a time.
#[derive(Debug)]
pub(super) struct Readers {
    file: PathBuf,
    durability: Durability,
    pool: Mutex<Pool>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    in_use: usize,
}

/// The right to use one of them.
struct Turn<'readers>(&'readers Readers);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.pool.lock().in_use -= 1;
        self.0.given_back.notify_one();
    }
}

impl Readers {
    pub(super) fn new(file: PathBuf, durability: Durability) -> Self {
        Self { file, durability, pool: Mutex::default(), given_back: Condvar::new() }
    }

    /// Reads with one of them what was committed before, all of it as of the same moment.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let (_turn, idle) = self.wait();
        let connection = idle.map_or_else(|| self.open(), Ok)?;
        connection.prepare_cached("BEGIN")?.execute([])?;
        let answer = work(&connection);
        connection.prepare_cached("COMMIT")?.execute([])?;
        // One that has met an error is not trusted again.
        let mut pool = self.pool.lock();
        if answer.is_ok() && pool.idle.len() < KEPT {
            pool.idle.push(connection);
        }
        answer
    }

    /// Waits until one may be used.
    fn wait(&self) -> (Turn<'_>, Option<Connection>) {
        let mut pool = self.pool.lock();
        self.given_back.wait_while(&mut pool, |pool| pool.in_use == MOST);
        pool.in_use += 1;
        (Turn(self), pool.idle.pop())
    }

    /// A new one.
    pub(super) fn open(&self) -> Result<Connection, Fault> {
        connection::open(&self.file, Role::Read, self.durability)
    }

    /// Closes those that nobody uses.
    pub(super) fn close(&self) {
        self.pool.lock().idle.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::session::SqliteStore;

    #[test]
    fn however_many_read_few_connections_are_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions");
        let _store = SqliteStore::open(&path, Durability::Os).unwrap();
        let readers = Readers::new(path.join("sessions.db"), Durability::Os);
        let (reading, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let read = || {
            let answer = readers.read(|_| {
                most.fetch_max(reading.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(1));
                reading.fetch_sub(1, Ordering::SeqCst);
                // One in two fails: its place is free all the same.
                if most.load(Ordering::SeqCst) % 2 == 0 { Ok(()) } else { Err(Fault::damaged("nothing")) }
            });
            drop(answer);
        };
        thread::scope(|scope| (0..4 * MOST).for_each(|_| drop(scope.spawn(read))));
        assert!(most.into_inner() <= MOST);
        assert_eq!(readers.pool.lock().in_use, 0);
    }
}
