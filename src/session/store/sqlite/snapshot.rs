//! A store as it was at one moment, read from outside of the process that uses it.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::connection::{self, Role};
use super::fault::Fault;
use super::folder::Folder;
use super::{answer, backup, opening, reading, recovery};
use crate::session::{AnswerRecord, Durability, Recovery, SessionHandle, SessionRecord, StoreError, StoredSession};

/// A store as it was when this was opened, whether a service is using it or not. Nothing in it is changed; while this is open, its
/// log can't begin anew.
#[derive(Debug)]
pub(crate) struct SqliteSnapshot {
    // In this order they are dropped.
    connection: Connection,
    folder: Left,
}

/// The folder of a store that is left as it was found.
#[derive(Debug)]
struct Left(Folder);

impl Drop for Left {
    fn drop(&mut self) {
        leave(&self.0);
    }
}

/// How far a list of answers has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AnswerPosition(i64);

impl SqliteSnapshot {
    /// Opens the store in that folder.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is none, or it can't be read.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let folder = Folder::new(folder);
        let connection = open(&folder)?;
        connection.execute_batch("BEGIN; SELECT 1 FROM state").map_err(|error| Fault::from(error).at(folder.path()))?;
        Ok(Self { connection, folder: Left(folder) })
    }

    /// Copies the store in that folder, as it is now, into a folder that is not there yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is none, or it can't be read, or the copy can't be written.
    pub(crate) fn copy(folder: &Path, to: &Path) -> Result<(), StoreError> {
        let folder = Folder::new(folder);
        let connection = open(&folder)?;
        let copied = backup::write(&connection, to).map_err(|fault| fault.at(folder.path()));
        drop(connection);
        leave(&folder);
        copied
    }

    /// What a manager has to know when it starts.
    pub(crate) fn recover(&self) -> Result<Recovery, StoreError> {
        self.told(recovery::recover(&self.connection))
    }

    /// Some sessions after a handle.
    pub(crate) fn list(&self, after: Option<SessionHandle>, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        self.told(reading::list(&self.connection, after, limit, None))
    }

    /// A session with its attributes.
    pub(crate) fn load(&self, session: SessionHandle) -> Result<Option<StoredSession>, StoreError> {
        self.told(reading::load(&self.connection, session))
    }

    /// The next of the remembered answers, the oldest first.
    pub(crate) fn next_answer(&self, position: &mut AnswerPosition) -> Result<Option<AnswerRecord>, StoreError> {
        let next = self.told(answer::next(&self.connection, position.0))?;
        Ok(next.map(|(id, answer)| {
            position.0 = id;
            answer
        }))
    }

    fn told<T>(&self, outcome: Result<T, Fault>) -> Result<T, StoreError> {
        outcome.map_err(|fault| fault.at(self.folder.0.path()))
    }
}

fn open(folder: &Folder) -> Result<Connection, StoreError> {
    opening::examine(folder)?;
    let path = folder.path();
    if !folder.file().exists() {
        let reason = if path.is_dir() { "it has no file `sessions.db`" } else { "there is no such folder" };
        return Err(StoreError::Foreign { path: path.into(), reason: reason.into() });
    }
    let opened = connection::open(&folder.file(), Role::Read, Durability::Full);
    opened
        .and_then(|connection| opening::check_statements(&connection).map(|()| connection))
        .map_err(|fault| fault.at(path))
}

/// Removes what SQLite has put beside a file that nobody else uses: an empty log and its index. It is SQLite that removes them, as
/// only it can tell whether somebody reads. What can't be removed does no harm.
fn leave(folder: &Folder) {
    let is_empty = fs::metadata(folder.log()).is_ok_and(|log| log.len() == 0);
    let Some(_lock) = is_empty.then(|| folder.lock().ok()).flatten() else { return };
    if let Ok(connection) = connection::open(&folder.file(), Role::Write, Durability::Full) {
        let touched = connection.execute_batch("SELECT 1 FROM state");
        let _ = touched.is_ok().then(|| connection::finish_when_closed(&connection));
    }
}
