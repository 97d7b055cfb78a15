//! What a store keeps.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, Utc};

use super::{SessionKey, StoredAttribute};
use crate::session::{EndReason, Moment, Principal, SessionHandle};

/// All of a session but its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRecord {
    /// Its name in the store. It tells when the session was created.
    pub handle: SessionHandle,
    /// Whose it is. This never changes.
    pub owner: Principal,
    /// The idle time-out that was granted; `None` is unbounded. This never changes.
    pub timeout: Option<Duration>,
    /// When it ends however busy it is. This never changes.
    pub lifetime: Moment,
    /// The keys of ids that were rotated away, the oldest first, and at last the key of its id: a store keeps that order.
    pub keys: Vec<StoredKey>,
    /// When a request last released it.
    pub released: Moment,
    /// Under which fence it was last written.
    pub fence: u64,
    /// How often it was written: rises by one with each save.
    pub version: u64,
    /// The number of the last request in it that was numbered by its client; 0 before the first.
    pub sequence: u64,
    /// When to look whether it is over. Never too late; [`Moment::NEVER`] if it never is.
    pub due: Moment,
    /// Whether it holds something that is lost with the process: a stream, a cursor, an open transaction.
    pub perishable: bool,
    /// What its owner calls it.
    pub label: Option<ByteString>,
    /// How many attributes it has.
    pub attributes: u32,
    /// The bytes of their names and values, in memory.
    pub bytes: u64,
    /// The `order` of the next attribute that is set.
    pub next_order: u64,
}

/// The key of an id of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredKey {
    /// The SHA-256 of the id.
    pub key: SessionKey,
    /// Until when the id holds.
    pub until: Moment,
    /// Whether a newer id was used.
    pub superseded: bool,
}

/// A session as it was last saved.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSession {
    /// All but its attributes.
    pub record: SessionRecord,
    /// Its attributes, in any order.
    pub attributes: Vec<StoredAttribute>,
}

/// A session that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedSession {
    /// Its name.
    pub handle: SessionHandle,
    /// Whose it was.
    pub owner: Principal,
    /// Under which it is found.
    pub keys: Vec<SessionKey>,
    /// Why it ended.
    pub reason: EndReason,
    /// When it was over.
    pub moment: Moment,
    /// The same on the wall clock, as it was told.
    pub at: DateTime<Utc>,
    /// Until when this is remembered.
    pub until: Moment,
}

/// What names a remembered answer: a hash of whose it is, of its session and of the key that the client gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnswerScope(pub [u8; 32]);

/// An answer that belongs to no session, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedAnswer {
    /// Its name.
    pub scope: AnswerScope,
    /// How many bytes it has.
    pub bytes: u64,
    /// Until when it is remembered.
    pub until: Moment,
}

/// An answer that is remembered, so that a request that is sent again gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRecord {
    /// Its name.
    pub scope: AnswerScope,
    /// The session that it is kept with; it goes with it. Without one it is kept by itself.
    pub session: Option<SessionHandle>,
    /// Whether it answers the last request of its session that was numbered by its client: then it is none of those of which
    /// only the latest are kept.
    pub numbered: bool,
    /// Until when it is remembered.
    pub until: Moment,
    /// The answer, as whoever remembers it writes it.
    pub content: Bytes,
}
