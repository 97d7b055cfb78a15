//! The connections that read.

use std::path::PathBuf;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::connection::{self, Role};
use super::fault::Fault;
use crate::session::Durability;

/// How many are kept.
const KEPT: usize = 4;

/// Connections that read, each used by one thread at a time.
#[derive(Debug)]
pub(super) struct Readers {
    file: PathBuf,
    durability: Durability,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(file: PathBuf, durability: Durability) -> Self {
        Self { file, durability, idle: Mutex::default() }
    }

    /// Reads with one of them what was committed before, all of it as of the same moment.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = self.idle.lock().pop();
        let connection = idle.map_or_else(|| self.open(), Ok)?;
        connection.prepare_cached("BEGIN")?.execute([])?;
        let answer = work(&connection);
        connection.prepare_cached("COMMIT")?.execute([])?;
        // One that has met an error is not trusted again.
        let mut idle = self.idle.lock();
        if answer.is_ok() && idle.len() < KEPT {
            idle.push(connection);
        }
        answer
    }

    /// A new one.
    pub(super) fn open(&self) -> Result<Connection, Fault> {
        connection::open(&self.file, Role::Read, self.durability)
    }

    /// Closes those that nobody uses.
    pub(super) fn close(&self) {
        self.idle.lock().clear();
    }
}
