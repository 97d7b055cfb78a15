//! The session element of a response: the session that the request was joined to.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::document::perform::read_session_id;
use crate::document::{DocumentError, Element};

/// `<session id created timeout idleExpires lifetimeExpires/>`
///
/// The id is a secret: it is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseSession {
    /// The id, to join the session with; `None` where a cookie alone carries it. Of an implicit session it is of no use any more.
    pub id: Option<Box<str>>,
    /// Whether this request created the session.
    pub created: bool,
    /// The idle time-out that was granted; an implicit session has none.
    pub timeout: Option<GrantedTimeout>,
    /// When the session ends if nobody joins it again.
    pub idle_expires: Option<DateTime<Utc>>,
    /// When the session ends however busy it is.
    pub lifetime_expires: Option<DateTime<Utc>>,
}

/// The idle time-out of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantedTimeout {
    /// It ends when nobody is joined to it for so long.
    After(Duration),
    /// It does not end for being idle.
    Unbounded,
}

impl fmt::Debug for ResponseSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseSession")
            .field("id", &self.id.as_ref().map(|_| "…"))
            .field("created", &self.created)
            .field("timeout", &self.timeout)
            .field("idle_expires", &self.idle_expires)
            .field("lifetime_expires", &self.lifetime_expires)
            .finish()
    }
}

impl ResponseSession {
    pub(super) fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let id = fields.attribute("id").as_ref().map(read_session_id).transpose()?;
        let created = fields.required_attribute("created")?.boolean()?;
        let timeout = fields.attribute("timeout").map(|value| value.duration_or_unbounded()).transpose()?;
        let idle_expires = fields.attribute("idleExpires").map(|value| value.time()).transpose()?;
        let lifetime_expires = fields.attribute("lifetimeExpires").map(|value| value.time()).transpose()?;
        fields.finish()?;
        let timeout = timeout.map(|timeout| timeout.map_or(GrantedTimeout::Unbounded, GrantedTimeout::After));
        Ok(Self { id, created, timeout, idle_expires, lifetime_expires })
    }
}
