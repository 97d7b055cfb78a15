//! Who a session belongs to, and who takes part in it.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// Somebody whom an authenticator knows, by a stable id: a user may change the name, never the id. Or nobody in particular.
///
/// A session belongs to the principal that created it. To every other it does not exist.
///
/// ```
/// use rejoin::session::Principal;
///
/// assert_ne!(Principal::new("anonymous"), Principal::anonymous());
/// assert_eq!(Principal::new("u-17").to_string(), "u-17");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Option<Arc<str>>);

impl Principal {
    /// The principal of that stable id.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(Some(id.into()))
    }

    /// Whoever did not say who he is. All who did not are one principal: what protects their sessions from each other is the
    /// secret of the session id.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// The stable id; `None` for the anonymous principal.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id().unwrap_or("(anonymous)"))
    }
}

/// A request that takes part in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// On whose behalf.
    pub principal: Principal,
    /// The id of the request, for logs and lists.
    pub request_id: Uuid,
}
