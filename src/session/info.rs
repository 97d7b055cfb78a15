//! What is told about sessions.

use std::time::Duration;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    AttributeSummary, Departure, EndReason, Principal, RequestSummary, SessionHandle, SessionId, SessionState,
    StoreStatistics, StreamStatus,
};

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

impl SessionInfo {
    /// The session after its request released it.
    #[must_use]
    pub fn after(mut self, departure: &Departure) -> Self {
        self.idle_expires = departure.idle_expires;
        self.lifetime_expires = departure.lifetime_expires;
        // Its lifetime may have been over by now.
        self.ended_by_this |= departure.ended.is_some();
        self
    }
}

/// A session after a request released it.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    /// The session, with its exact expiries.
    pub info: SessionInfo,
    /// Why it ended, if it did.
    pub ended: Option<EndReason>,
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
    /// What its owner calls it: its attribute [`LABEL`] as last released, if that is a text of
    /// [`LONGEST_LABEL`] bytes at the most.
    pub label: Option<ByteString>,
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
    /// How many attributes it has, static ones included, as last released.
    pub attributes: usize,
    /// How many bytes they have; static ones take none of the session's.
    pub bytes: u64,
}

/// The name of the session attribute that is the session's label: for lists, and to find or end sessions by.
pub const LABEL: &str = "label";

/// How many bytes a label has at the most. A longer text is an attribute like any other.
pub const LONGEST_LABEL: usize = 256;

/// A session with its attributes, as its owner and operators see it. Values are not shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionDescription {
    /// How it stands.
    pub status: SessionStatus,
    /// Its attributes as last released, static ones included, by name.
    pub attributes: Vec<AttributeSummary>,
    /// Its streams, by name.
    pub streams: Vec<StreamStatus>,
    /// The last asynchronous request in it.
    pub asynchronous: Option<RequestSummary>,
}

/// Which sessions a list shows: those that everything which is given holds for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Those of one owner.
    pub owner: Option<Principal>,
    /// Those that are doing that.
    pub state: Option<SessionState>,
    /// Those of that label.
    pub label: Option<String>,
    /// Implicit ones alone, or explicit ones alone.
    pub implicit: Option<bool>,
    /// The one of that handle.
    pub handle: Option<SessionHandle>,
    /// Those after that handle: how the next page is asked for.
    pub after: Option<SessionHandle>,
    /// So many at the most; all without a number.
    pub limit: Option<usize>,
}

impl SessionFilter {
    /// Whether a session is one of those; which page it is on does not count.
    #[must_use]
    pub fn accepts(&self, session: &SessionStatus) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == session.owner)
            && self.state.is_none_or(|state| state == session.state)
            && self.label.as_deref().is_none_or(|label| session.label.as_deref() == Some(label))
            && self.implicit.is_none_or(|implicit| implicit == session.implicit)
            && self.handle.is_none_or(|handle| handle == session.handle)
    }
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
    /// Those of them that are in the store and not in memory.
    pub dormant: u64,
    /// Implicit sessions: as many requests run that named none.
    pub implicit: u64,
    /// Requests that wait for a session.
    pub waiters: u64,
    /// Ended sessions whose ends are remembered.
    pub tombstones: u64,
    /// What the store takes up; `None` where there is none.
    pub store: Option<StoreStatistics>,
}
