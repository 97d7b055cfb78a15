//! Many writes that happen together or not at all.

use std::path::Path;

use rusqlite::{Connection, params};

use super::fault::Fault;
use super::{SqliteStore, answer, reading, write};
use crate::session::{AnswerScope, SessionHandle, SessionKey, SessionWrite, StoreError, Verdict};

/// A transaction that somebody else fills.
#[derive(Debug)]
pub(crate) struct StoreTransaction<'store> {
    connection: &'store Connection,
    path: &'store Path,
}

impl SqliteStore {
    /// Makes writes, more than need fit into memory, all of them or, if `work` fails, none.
    pub(crate) fn together<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&StoreTransaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut refusal = None;
        let path = self.folder.path();
        let done = self.writer.lock().transaction(|connection| {
            work(&StoreTransaction { connection, path }).map_err(|error| {
                refusal = Some(error);
                Fault::damaged("the work failed")
            })
        });
        done.map_err(|fault| refusal.unwrap_or_else(|| fault.at(path).into()))
    }
}

impl StoreTransaction<'_> {
    /// Whether there is such a session, or its end is remembered.
    pub(crate) fn knows(&self, session: SessionHandle) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS(SELECT 1 FROM session WHERE handle = ?1) OR EXISTS(SELECT 1 FROM ended WHERE handle = ?1)";
        let handle = session.uuid();
        let known =
            || Ok(self.connection.prepare_cached(sql)?.query_row(params![handle.as_bytes()], |row| row.get(0))?);
        self.told(known())
    }

    /// The session that has the key.
    pub(crate) fn find(&self, key: &SessionKey) -> Result<Option<SessionHandle>, StoreError> {
        self.told(reading::find(self.connection, key))
    }

    /// Whether such an answer is remembered.
    pub(crate) fn remembers(&self, scope: &AnswerScope) -> Result<bool, StoreError> {
        self.told(answer::find(self.connection, scope)).map(|answer| answer.is_some())
    }

    /// Makes a write.
    pub(crate) fn write(&self, write: &SessionWrite) -> Result<Verdict, StoreError> {
        self.told(write::write(self.connection, write))
    }

    /// Removes a session, or its end, as if it had never been.
    pub(crate) fn forget(&self, session: SessionHandle) -> Result<(), StoreError> {
        self.told(write::forget(self.connection, session))
    }

    fn told<T>(&self, outcome: Result<T, Fault>) -> Result<T, StoreError> {
        outcome.map_err(|fault| fault.at(self.path))
    }
}
