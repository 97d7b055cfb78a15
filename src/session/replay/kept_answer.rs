//! An answer as it is remembered, and told again.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::session::{SessionHandle, SessionId, SessionInfo};

/// An answer as it is remembered, and told again: the same status and the same bytes.
#[derive(Clone, PartialEq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: Cow<'static, str>,
    /// The body.
    pub body: Bytes,
    /// Whether the request was only begun when it was answered.
    pub accepted: bool,
    /// The session that it tells; a fault tells none.
    pub session: Option<KeptSession>,
}

/// The session of an answer that is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptSession {
    /// The id that the answer told.
    pub id: SessionId,
    /// Its name for logs.
    pub handle: SessionHandle,
    /// Whether the request created it.
    pub created: bool,
    /// Whether it was the request's own.
    pub implicit: bool,
    /// Whether it ended with the request.
    pub ended_by_this: bool,
    /// When it would end for being idle.
    pub idle_expires: Option<DateTime<Utc>>,
    /// When it would end however busy it is.
    pub lifetime_expires: Option<DateTime<Utc>>,
}

impl KeptSession {
    /// What is remembered of a session.
    #[must_use]
    pub fn of(session: &SessionInfo) -> Self {
        Self {
            id: session.id.clone(),
            handle: session.handle,
            created: session.created,
            implicit: session.implicit,
            ended_by_this: session.ended_by_this,
            idle_expires: session.idle_expires,
            lifetime_expires: session.lifetime_expires,
        }
    }

    /// The session as the answer told it. What no answer tells is not known any more.
    #[must_use]
    pub fn into_info(self) -> SessionInfo {
        let Self { id, handle, created, implicit, ended_by_this, idle_expires, lifetime_expires } = self;
        SessionInfo {
            id,
            handle,
            created,
            implicit,
            ended_by_this,
            timeout: None,
            idle_expires,
            lifetime_expires,
            fence: 0,
        }
    }
}

/// The body may hold the id of a session.
impl fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptAnswer")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body.len())
            .field("accepted", &self.accepted)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
