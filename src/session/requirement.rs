//! What a request asks of sessions.

use std::time::Duration;

use super::SessionId;
use crate::document::TimeoutWish;

/// The session that a request wants to take part in.
///
/// The first four are those of OGSA-DAI (no session, new, existing, terminate), the last is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionRequirement {
    /// A session of the request's own, that ends with it.
    Implicit {
        /// Whether it is found by its id while the request runs: by who feeds it and reads what comes out. A join waits for its
        /// end.
        reachable: bool,
    },
    /// A new session. The service issues its id.
    Create {
        /// The idle time-out wished for; the configured default without one. Too long a wish is cut down to the maximum.
        timeout: Option<TimeoutWish>,
    },
    /// A session that exists.
    Join {
        /// Which.
        id: SessionId,
        /// How long to wait while another request holds it; the configured time without one. Zero is not at all.
        wait: Option<Duration>,
        /// Whether the request takes the lock.
        access: Access,
        /// Whether the session gets a new id. The old one holds for a grace time, until the new one is used.
        rotate: bool,
    },
    /// A session that exists and ends once the request is done with it.
    Terminate {
        /// Which.
        id: SessionId,
        /// As for [`SessionRequirement::Join`].
        wait: Option<Duration>,
        /// Whether the request has anything to do in the session. If not, ending a session that has ended succeeds again.
        activities: bool,
    },
    /// A session that exists or, when it is unknown or has ended, a new one under a new id.
    JoinOrCreate {
        /// Which.
        id: SessionId,
        /// As for [`SessionRequirement::Join`].
        wait: Option<Duration>,
        /// As for [`SessionRequirement::Create`].
        timeout: Option<TimeoutWish>,
    },
}

impl SessionRequirement {
    /// The same, where a session of the request's own is found by its id while the request runs.
    #[must_use]
    pub fn made_reachable(self) -> Self {
        match self {
            Self::Implicit { .. } => Self::Implicit { reachable: true },
            other => other,
        }
    }
}

/// How a request takes part in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Alone: no other request has exclusive access at the same time.
    Exclusive,
    /// Beside others and without waiting: sees the attributes as they were last released and changes nothing.
    Read,
}
