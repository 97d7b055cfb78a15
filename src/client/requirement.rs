//! What a request asks of its session.

use std::time::Duration;

use crate::document::{SessionElement, SessionMode, TimeoutWish};

/// Which session a request joins, and how. A request without one has an implicit session, which ends with it.
///
/// A [`Session`](super::Session) joins itself; what is said here comes on top: how long to wait, read access, a new id, the end.
///
/// ```
/// use std::time::Duration;
/// use rejoin::client::{Request, SessionRequirement};
///
/// let request = Request::new().session(SessionRequirement::create().timeout(Duration::from_mins(5)));
/// # let id = "q0Zk";
/// let last = Request::new().session(SessionRequirement::terminate(id).wait(Duration::ZERO));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct SessionRequirement {
    element: SessionElement,
}

impl SessionRequirement {
    fn of(mode: SessionMode, id: Option<&str>) -> Self {
        Self { element: SessionElement { id: id.map(Into::into), ..SessionElement::new(mode) } }
    }

    /// A new session.
    ///
    /// ```
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// let request = Request::new().session(SessionRequirement::create());
    /// ```
    pub fn create() -> Self {
        Self::of(SessionMode::Create, None)
    }

    /// The session of that id.
    ///
    /// ```
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// # let id = "q0Zk";
    /// let request = Request::new().session(SessionRequirement::join(id));
    /// ```
    pub fn join(id: &str) -> Self {
        Self::of(SessionMode::Join, Some(id))
    }

    /// The session of that id, which ends with the request.
    ///
    /// ```
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// # let id = "q0Zk";
    /// let request = Request::new().session(SessionRequirement::terminate(id));
    /// ```
    pub fn terminate(id: &str) -> Self {
        Self::of(SessionMode::Terminate, Some(id))
    }

    /// The session of that id or, when it is unknown or has ended, a new one with a new id.
    ///
    /// ```
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// # let id = "q0Zk";
    /// let request = Request::new().session(SessionRequirement::join_or_create(id));
    /// ```
    pub fn join_or_create(id: &str) -> Self {
        Self::of(SessionMode::JoinOrCreate, Some(id))
    }

    /// The session by which the request is sent.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// use std::time::Duration;
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// let hurry = SessionRequirement::of_the_session().wait(Duration::from_millis(100));
    /// session.perform(&Request::new().session(hurry)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_the_session() -> Self {
        Self::of(SessionMode::Join, None)
    }

    /// The same, which ends with the request.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::{Request, SessionRequirement};
    /// use rejoin::document::activities::SqlUpdateStatement;
    ///
    /// let mut last = Request::new().session(SessionRequirement::end_of_the_session());
    /// last.add(SqlUpdateStatement::new("DELETE FROM basket"));
    /// session.perform(&last).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn end_of_the_session() -> Self {
        Self::of(SessionMode::Terminate, None)
    }

    /// The idle time-out wished for, of a session that may be created. What was granted the response says.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// let request = Request::new().session(SessionRequirement::create().timeout(Duration::from_mins(5)));
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.element.timeout = Some(TimeoutWish::After(timeout));
        self
    }

    /// An idle time-out as long as the operator lets it.
    ///
    /// ```
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// let request = Request::new().session(SessionRequirement::create().timeout_unbounded());
    /// ```
    pub fn timeout_unbounded(mut self) -> Self {
        self.element.timeout = Some(TimeoutWish::Unbounded);
        self
    }

    /// How long to wait in the session's queue while another request holds it; zero is not at all.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// # let id = "q0Zk";
    /// let request = Request::new().session(SessionRequirement::join(id).wait(Duration::ZERO));
    /// ```
    pub fn wait(mut self, wait: Duration) -> Self {
        self.element.wait = Some(wait);
        self
    }

    /// Reads beside whoever holds the session: sees it as last released, and changes nothing.
    ///
    /// ```
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// # let id = "q0Zk";
    /// let request = Request::new().session(SessionRequirement::join(id).read_access());
    /// ```
    pub fn read_access(mut self) -> Self {
        self.element.read = true;
        self
    }

    /// Gives the session a new id, which the response names.
    ///
    /// ```
    /// use rejoin::client::{Request, SessionRequirement};
    ///
    /// # let id = "q0Zk";
    /// let request = Request::new().session(SessionRequirement::join(id).rotate());
    /// ```
    pub fn rotate(mut self) -> Self {
        self.element.rotate = true;
        self
    }

    /// What stands in the document.
    pub(super) fn element(&self) -> &SessionElement {
        &self.element
    }
}
