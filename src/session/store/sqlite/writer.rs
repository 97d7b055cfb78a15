//! The connection that writes, one transaction at a time.
//!
//! # A commit that fails
//!
//! SQLite appends the pages of a transaction to its log, the last of them marked as the end of a commit, and syncs the log. If
//! that sync fails, the transaction is rolled back: no connection sees it, and the next commit overwrites its pages in the log,
//! from the first one on. All that was answered before lies before them, and was synced. But until they are overwritten they
//! are in the file, perhaps complete: a process that starts after a kill at that moment would find a commit there, though it
//! was answered that nothing has happened.
//!
//! So a commit that failed is *settled* before anything else is done: the connection is opened anew, which forgets whatever it
//! had in memory, and a small commit overwrites the beginning of the failed one. The checksums of the log run on from page to
//! page: what is left of the failed one behind it can't be read any more. While settling fails as well (the disk is still
//! full, or broken), every write is refused.
//!
//! That a sync reports a failure only once, and that the system then takes the pages for written, does no harm here: all that
//! is answered later is written after it, and synced again. For the file itself see [`log`](super::log).

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;

use super::connection::{self, Role};
use super::fault::Fault;
use super::log::LogLength;
use super::state::State;
use crate::session::Durability;

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    file: PathBuf,
    durability: Durability,
    length: Arc<LogLength>,
    /// A commit has failed, and it is not certain that nobody will ever see it.
    in_doubt: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        file: PathBuf,
        durability: Durability,
        length: Arc<LogLength>,
    ) -> Result<Self, Fault> {
        let mut writer = Self { connection, file, durability, length, in_doubt: false };
        writer.watch_length()?;
        Ok(writer)
    }

    /// Does something in a transaction. If that fails, nothing has happened.
    pub(super) fn transaction<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        self.length.check(self.durability)?;
        if self.in_doubt {
            self.settle()?;
        }
        self.run("BEGIN IMMEDIATE")?;
        let outcome = work(&self.connection);
        let committed = outcome.and_then(|answer| {
            let commit = self.run("COMMIT");
            self.in_doubt = commit.is_err();
            commit.map(|()| answer)
        });
        if committed.is_err() {
            self.give_up();
        }
        committed
    }

    /// Something outside of a transaction of its own.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Lets commits fail until the connection is opened anew.
    #[cfg(test)]
    pub(super) fn refuse_commits(&mut self) {
        self.connection.commit_hook(Some(|| true)).unwrap();
    }

    fn run(&self, sql: &str) -> Result<(), Fault> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Rolls back, and settles at once if that is needed. If it can't be done now, the next transaction tries again.
    fn give_up(&mut self) {
        if !self.connection.is_autocommit() && self.run("ROLLBACK").is_err() {
            self.in_doubt = true;
        }
        if self.in_doubt
            && let Err(fault) = self.settle()
        {
            tracing::error!(
                ?fault,
                "a commit of the session store failed, and it can't be written to: writes are refused"
            );
        }
    }

    /// Makes sure that a commit that failed is gone for ever.
    fn settle(&mut self) -> Result<(), Fault> {
        self.connection = connection::open(&self.file, Role::Write, self.durability)?;
        self.watch_length()?;
        self.run("BEGIN IMMEDIATE")?;
        let state = State::read(&self.connection)?;
        State { settled: state.settled + 1, ..state }.write(&self.connection)?;
        self.run("COMMIT")?;
        self.in_doubt = false;
        Ok(())
    }

    fn watch_length(&mut self) -> Result<(), Fault> {
        let length = Arc::clone(&self.length);
        self.connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            length.set(u64::try_from(pages).unwrap_or(0));
            Ok(())
        }))?;
        Ok(())
    }
}
