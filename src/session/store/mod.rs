//! Where sessions are kept that outlive the process.
//!
//! A session manager keeps its sessions in memory while requests use them, and writes what a release changes into a
//! [`SessionStore`] before it tells anybody. The store knows nothing of locks, waiting or lifetimes: it keeps records
//! ([`SessionRecord`]), attributes ([`StoredAttribute`]), remembered answers ([`AnswerRecord`]) and the ends of sessions
//! ([`EndedSession`]), and refuses a write whose holder has lost the session.
//!
//! Moments in a store are on the *timeline* of the store: nanoseconds that began in 1970 and never go back, whatever the
//! wall clock does.

pub(crate) mod archive;
mod codec;
#[cfg(test)]
pub(crate) mod conformance;
mod durability;
mod error;
mod event;
#[cfg(test)]
pub(crate) mod memory;
mod record;
mod sqlite;
mod time_mark;
mod value;
mod write;

use std::fmt;
use std::path::Path;

pub use super::key::SessionKey;
use super::{Moment, SessionHandle};
pub use codec::ValueError;
pub use durability::Durability;
pub use error::StoreError;
pub use event::{StoreEvent, StoreOperation};
pub use record::{AnswerRecord, AnswerScope, CountedAnswer, EndedSession, SessionRecord, StoredKey, StoredSession};
pub use sqlite::SqliteStore;
pub(crate) use sqlite::{AnswerPosition, SqliteSnapshot, StoreTransaction};
pub use time_mark::TimeMark;
pub use value::{StoredAttribute, StoredValue, ValueKind};
pub use write::{AttributeWrite, SaveSession, SessionWrite, Verdict};

/// Keeps sessions beyond the life of a process.
///
/// Every method blocks until it is done and is called on a thread that may block. `commit` is called by one thread at a time,
/// the others from any.
///
/// # What every store keeps
///
/// 1. *Batches.* The writes of a batch take effect in their order. When `commit` returns, all that it answered
///    [`Verdict::Done`] to is as durable as the store was opened for; when it fails, nothing of the batch has happened. A write that is
///    [`Verdict::Stale`] or [`Verdict::Refused`] takes nothing from the others; a disk that fails, fails them all.
/// 2. *Fences.* A save under a fence that is lower than the stored one, or that expects another version than the stored one,
///    is answered [`Verdict::Stale`] and changes nothing. The comparison is part of the write.
/// 3. *Ends.* A session that has ended can't be saved any more: that is stale too. Its attributes are gone, its end is found
///    by each of its keys until the moment at which it may be forgotten.
/// 4. *Damage.* What can't be read as it was written is [`StoreError::Damaged`], and never taken for something else. A session
///    whose record is damaged is passed over by `list` and `due`, and told of ([`StoreStatistics::damaged`]): the others are
///    not held up by it.
pub trait SessionStore: Send + Sync + fmt::Debug + 'static {
    /// What a manager has to know when it starts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    fn recover(&self) -> Result<Recovery, StoreError>;

    /// The handle of the session that an id with that key names, now or before it was rotated away. One that has ended is not
    /// found: a manager is told of those when it starts ([`Recovery::ended`]), and knows them from then on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    fn find(&self, key: &SessionKey) -> Result<Option<SessionHandle>, StoreError>;

    /// A session with its attributes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    fn load(&self, session: SessionHandle) -> Result<Option<StoredSession>, StoreError>;

    /// An answer that is remembered.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    fn answer(&self, scope: &AnswerScope) -> Result<Option<AnswerRecord>, StoreError>;

    /// Makes the writes of a batch, and answers one verdict for each.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when nothing of the batch was written.
    fn commit(&self, batch: &[SessionWrite]) -> Result<Vec<Verdict>, StoreError>;

    /// Some sessions without their attributes, after a handle, in the order of their handles: fewer than `limit` only if there
    /// are no more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    fn list(&self, after: Option<SessionHandle>, limit: usize) -> Result<Vec<SessionRecord>, StoreError>;

    /// Some sessions that have to be looked at by `now` ([`SessionRecord::due`]), the earliest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    fn due(&self, now: Moment, limit: usize) -> Result<Vec<SessionRecord>, StoreError>;

    /// Forgets some of the ends and answers that need not be remembered beyond `now`; then some of the ends that are more than
    /// `ends`, those first that would be forgotten first, each with the answer that is kept as long as it. Ends that are
    /// remembered for ever are not counted. Answers how many answers and ends have had their time, and how many ends had to give
    /// way; called again until that is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when nothing was forgotten.
    fn sweep(&self, now: Moment, ends: u64, limit: usize) -> Result<usize, StoreError>;

    /// Tidies up what writing left behind, without holding up a commit for longer than a few milliseconds. Called from time
    /// to time.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not; nothing is lost.
    fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Notes how the timeline of the store stands to the clocks of the machine, for the next start.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it was not noted.
    fn mark(&self, mark: &TimeMark) -> Result<(), StoreError>;

    /// Writes a copy of everything as it is at one moment, while the store is in use, to a place where nothing is yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the copy could not be written.
    fn back_up(&self, to: &Path) -> Result<(), StoreError>;

    /// What it takes up, for gauges.
    fn statistics(&self) -> StoreStatistics {
        StoreStatistics::default()
    }
}

/// What a manager has to know of a store when it starts.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// How many sessions each owner has.
    pub owners: Vec<(super::Principal, u64)>,
    /// The ends that are remembered, the oldest first.
    pub ended: Vec<EndedSession>,
    /// The answers that belong to no session, the oldest first.
    pub answers: Vec<CountedAnswer>,
    /// Sessions that held something which was lost with the process that held it.
    pub perished: Vec<SessionRecord>,
    /// The latest moment at which anything happened that was written.
    pub last_moment: Option<Moment>,
    /// How the timeline stood to the clocks of the machine when that was last noted.
    pub mark: Option<TimeMark>,
    /// How often the store was opened before.
    pub openings: u64,
}

/// What a store takes up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStatistics {
    /// Bytes on disk.
    pub bytes: u64,
    /// How many sessions were passed over since it was opened because their records are damaged.
    pub damaged: u64,
}
