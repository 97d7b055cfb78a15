//! What can go wrong with a session, and why a session ends.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{AttributeError, RandomUnavailable, StoreError};

/// Why a request did not get its session, or could not release it as it wanted.
///
/// No message names a session id.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Only implicit sessions are configured.
    #[error("this resource has implicit sessions only: leave the session out of the request")]
    Disabled,
    /// There never was such a session here, or it is not the caller's. The two can't be told apart.
    #[error("no such session")]
    NotFound,
    /// The session was the caller's and has ended.
    #[error("the session has ended ({reason}) at {}; create a new one", at.format("%FT%T%.3fZ"))]
    Ended {
        /// Why it ended.
        reason: EndReason,
        /// When it ended.
        at: DateTime<Utc>,
    },
    /// Another request still held the session when the wait was over.
    #[error(
        "another request has held the session since {}, and {waiters} more wait for it; try again, or wait longer",
        held_since.format("%FT%T%.3fZ")
    )]
    InUse {
        /// Since when the request that holds it has held it.
        held_since: DateTime<Utc>,
        /// How many requests wait for it.
        waiters: usize,
        /// After which time it is worth trying again.
        retry_after: Duration,
    },
    /// As many requests wait for the session as may.
    #[error("{waiters} requests wait for the session, which is as many as may; try again later")]
    QueueFull {
        /// How many wait.
        waiters: usize,
        /// After which time it is worth trying again.
        retry_after: Duration,
    },
    /// The principal has as many sessions as it may.
    #[error("you have {limit} sessions, which is as many as you may; end one first")]
    QuotaExceeded {
        /// How many it may have.
        limit: u64,
    },
    /// The resource has as many sessions as it may.
    #[error("the service has {limit} sessions, which is as many as it may; try again later")]
    ServerFull {
        /// How many it may have.
        limit: u64,
    },
    /// The service is shutting down and lets nobody in any more.
    #[error("the service is shutting down")]
    Draining,
    /// The request held the session for longer than it may, and lost it: nothing of what it changed was kept.
    #[error("the request held the session for too long and lost it to another; none of its changes were kept")]
    Conflict,
    /// Its owner stopped the request that held the session: nothing of what it changed was kept.
    #[error("the request was stopped by its owner; none of its changes were kept")]
    Terminated,
    /// An attribute could not be changed.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// The store of the sessions could not read or write: nothing was changed. The same request may succeed later.
    #[error("the sessions can't be read or written at this moment: nothing was changed; try again later")]
    Store(#[from] StoreError),
    /// No id could be made.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    /// The session manager remembers no answers.
    #[error("this resource remembers no answers: leave `Idempotency-Key` and `sequence` out")]
    Unrepeatable,
    /// What is remembered of a request can't be read.
    #[error("what is remembered of the request can't be read; it is not run again")]
    AnswerUnreadable,
}

impl SessionError {
    /// The name of the failure, as faults give it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disabled => "SessionsDisabled",
            Self::NotFound => "SessionNotFound",
            Self::Ended { .. } => "SessionEnded",
            Self::InUse { .. } => "SessionInUse",
            Self::QueueFull { .. } => "SessionQueueFull",
            Self::QuotaExceeded { .. } => "SessionQuotaExceeded",
            Self::ServerFull { .. } => "ServerBusy",
            Self::Draining => "Draining",
            Self::Conflict => "SessionConflict",
            Self::Terminated => "RequestTerminated",
            Self::Attribute(error) => error.code(),
            Self::Unrepeatable => "RequestInvalid",
            Self::Store(_) => "StoreUnavailable",
            Self::Random(_) | Self::AnswerUnreadable => "Internal",
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// It was implicit, and its request is complete.
    Completed,
    /// No request was joined to it for as long as its idle time-out.
    Idle,
    /// It had lived for as long as a session may.
    Lifetime,
    /// Its owner asked for the end.
    Terminated,
    /// An operator ended it, or an old id of it was used again.
    Killed,
    /// What it held was lost with the process or node that held it.
    OwnerLost,
    /// The service was shut down.
    Drained,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 7] =
        [Self::Completed, Self::Idle, Self::Lifetime, Self::Terminated, Self::Killed, Self::OwnerLost, Self::Drained];

    /// The `reason` that documents give. They know six: that an implicit session is complete is `terminated` to them.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed | Self::Terminated => "terminated",
            Self::Idle => "idle",
            Self::Lifetime => "lifetime",
            Self::Killed => "killed",
            Self::OwnerLost => "ownerLost",
            Self::Drained => "drained",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a request that takes part in a session has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interruption {
    /// Somebody ended the session.
    #[error("the session was ended ({reason}) while the request ran")]
    SessionEnded {
        /// Why it ended.
        reason: EndReason,
        /// When it ended.
        at: DateTime<Utc>,
    },
    /// The request has held the session for as long as it may.
    #[error("the request took longer than a request may hold a session")]
    ExecutionLimit,
    /// The owner of the session stops the request; the session stays.
    #[error("the request was stopped by its owner")]
    Terminated,
}
