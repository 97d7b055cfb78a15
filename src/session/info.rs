//! What is told about sessions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{EndReason, Principal, SessionHandle, SessionId};

/// The session that a request has joined: what its response says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionInfo {
    /// The secret id, by which the client joins the session again.
    pub id: SessionId,
    /// The name for logs and lists.
    pub handle: SessionHandle,
    /// Whether this request created it.
    pub created: bool,
    /// Whether it is the request's own and ends with it.
    pub implicit: bool,
    /// Whether it ends when this request releases it.
    pub ended_by_this: bool,
    /// The idle time-out that was granted; `None` is unbounded.
    pub timeout: Option<Duration>,
    /// When it will end unless somebody joins it again: at the join, what it would be if the request were done at once;
    /// after the release, exactly. `None` if it won't.
    pub idle_expires: Option<DateTime<Utc>>,
    /// When it will end however busy it is; `None` if it won't.
    pub lifetime_expires: Option<DateTime<Utc>>,
    /// Rises with every exclusive join. A commit under an older one is refused.
    pub fence: u64,
}

/// A session after a request released it.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    /// The session, with its exact expiries.
    pub info: SessionInfo,
    /// Why it ended, if it did.
    pub ended: Option<EndReason>,
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// No request holds it.
    Available,
    /// A request holds it.
    Busy,
    /// It was ended while a request held it, and waits for that to stop.
    Closing,
}

impl SessionState {
    /// The name, as lists show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Busy => "BUSY",
            Self::Closing => "CLOSING",
        }
    }
}

/// A session as its owner and operators see it. It does not have the id: that gives access.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStatus {
    /// The name for logs and lists.
    pub handle: SessionHandle,
    /// Whose it is.
    pub owner: Principal,
    /// What it is doing.
    pub state: SessionState,
    /// Whether it ends with the request that created it.
    pub implicit: bool,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When a request last released it; `None` while one is joined.
    pub released: Option<DateTime<Utc>>,
    /// The idle time-out; `None` is unbounded.
    pub timeout: Option<Duration>,
    /// When it will end unless somebody joins it; `None` while somebody is joined, and if it won't.
    pub idle_expires: Option<DateTime<Utc>>,
    /// When it will end however busy it is; `None` if it won't.
    pub lifetime_expires: Option<DateTime<Utc>>,
    /// Rises with every exclusive join.
    pub fence: u64,
    /// How many requests wait for it.
    pub waiters: usize,
    /// How many requests have joined it with read access.
    pub readers: usize,
    /// The request that holds it.
    pub request: Option<Uuid>,
    /// Since when.
    pub held_since: Option<DateTime<Utc>>,
    /// How many attributes it has, static ones not counted, as last released.
    pub attributes: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// Which sessions a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Those of one owner.
    pub owner: Option<Principal>,
    /// The one of that handle.
    pub handle: Option<SessionHandle>,
    /// Those after that handle: how the next page is asked for.
    pub after: Option<SessionHandle>,
    /// So many at the most; all without a number.
    pub limit: Option<usize>,
}

/// How far the end of a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndProgress {
    /// It is over.
    Closed,
    /// A request holds the session and was told to stop; it is over when that has, or when its time is.
    Closing,
}

/// How many of everything a session manager has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionStatistics {
    /// Explicit sessions, those that have ended and wait for their requests to stop included.
    pub explicit: u64,
    /// Implicit sessions: as many requests run that named none.
    pub implicit: u64,
    /// Requests that wait for a session.
    pub waiters: u64,
    /// Ended sessions whose ends are remembered.
    pub tombstones: u64,
}
