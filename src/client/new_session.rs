//! A session that has yet to be made.

use std::future::IntoFuture;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{DataService, Error, Request, Session, SessionRequirement};

/// A session that is to be made: awaited, it is there.
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
/// let session = service.session().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a session is made when this is awaited"]
pub struct NewSession {
    service: DataService,
    requirement: SessionRequirement,
}

impl NewSession {
    pub(super) fn new(service: DataService) -> Self {
        Self { service, requirement: SessionRequirement::create() }
    }

    /// The idle time-out wished for: the session ends when no request has come for so long. Without it, the service's own.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use std::time::Duration;
    ///
    /// let session = service.session().timeout(Duration::from_mins(5)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.requirement = self.requirement.timeout(timeout);
        self
    }

    /// An idle time-out as long as the operator lets it: for a session that is [ended](Session::end) whatever happens.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let session = service.session().timeout_unbounded().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout_unbounded(mut self) -> Self {
        self.requirement = self.requirement.timeout_unbounded();
        self
    }
}

impl IntoFuture for NewSession {
    type Output = Result<Session, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let response = self.service.perform(&Request::new().session(self.requirement)).await?;
            match &response.session().id {
                Some(id) => Ok(Session::new(self.service, id)),
                None => Err(Error::Unexpected("the answer does not name the session that was made".into())),
            }
        })
    }
}
