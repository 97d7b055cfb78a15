//! A request that goes on behind its answer.

use std::time::Duration;

use super::{Code, Error, Failure, Response, Session, SessionStream};
use crate::document::{EndReason, ProgressStatus, Status};

/// The first pause between two looks; each is half as long again as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A request that was answered when it had begun. Its end-points are [streams](RunningRequest::stream) of its session; somebody has
/// to read them, because the request waits for them.
///
/// ```no_run
/// # async fn example(session: rejoin::client::Session, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
/// let running = session.start(&request).await?;
/// let csv = running.stream("csv").read().await?.whole().await?;
/// let progress = running.finished().await?;
/// println!("{} bytes since {}", csv.len(), progress.started);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RunningRequest {
    session: Session,
    response: Response,
}

impl RunningRequest {
    pub(super) fn new(session: Session, response: Response) -> Self {
        Self { session, response }
    }

    /// The id of the request.
    ///
    /// ```no_run
    /// # async fn example(running: rejoin::client::RunningRequest) -> Result<(), rejoin::client::Error> {
    /// println!("request {} has begun", running.request_id());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.response.request_id()
    }

    /// Its session.
    ///
    /// ```no_run
    /// # async fn example(running: rejoin::client::RunningRequest) -> Result<(), rejoin::client::Error> {
    /// println!("{:?}", running.session().status().await?.state);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// One of its streams: an `inputStream` or `outputStream`, or an end-point, by the name of its output.
    ///
    /// ```no_run
    /// # async fn example(running: rejoin::client::RunningRequest) -> Result<(), rejoin::client::Error> {
    /// running.stream("ids").write_all("text/plain", "17").await?;
    /// println!("{:?}", running.stream("csv").read().await?.whole().await?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stream(&self, name: &str) -> SessionStream {
        self.session.stream(name)
    }

    /// How far it has got; `None` when the session has a later request of this kind, or none.
    ///
    /// # Errors
    ///
    /// Any of [`Error`]: [`Code::SessionEnded`] for an implicit session whose request is done.
    ///
    /// ```no_run
    /// # async fn example(running: rejoin::client::RunningRequest) -> Result<(), rejoin::client::Error> {
    /// if let Some(progress) = running.progress().await? {
    ///     println!("{:?} since {}", progress.status, progress.started);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn progress(&self) -> Result<Option<ProgressStatus>, Error> {
        let requests = self.session.status().await?.requests;
        let own = requests.into_iter().find(|request| request.id == self.request_id());
        Ok(own.and_then(|request| request.progress))
    }

    /// Waits until it has completed.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with why it failed, or was stopped. [`Error::OutcomeUnknown`] where its session, or its place
    /// in it, is gone.
    ///
    /// ```no_run
    /// # async fn example(running: rejoin::client::RunningRequest) -> Result<(), rejoin::client::Error> {
    /// let progress = running.finished().await?;
    /// println!("it took until {:?}", progress.ended);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn finished(&self) -> Result<ProgressStatus, Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            let progress = self.progress().await.map_err(gone)?.ok_or_else(|| Error::OutcomeUnknown {
                reason: "a later request has taken its place in the session".into(),
            })?;
            match progress.status {
                Status::Processing | Status::Unstarted => {}
                Status::Completed => return Ok(progress),
                Status::Error | Status::Terminated => return Err(self.failure(progress)),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Stops it. Nothing that it changed in the session is kept. Answers whether it, or another request, held the session.
    ///
    /// # Errors
    ///
    /// Those of [`Session::stop_request`].
    ///
    /// ```no_run
    /// # async fn example(running: rejoin::client::RunningRequest) -> Result<(), rejoin::client::Error> {
    /// running.stop().await?;
    /// assert!(running.finished().await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stop(&self) -> Result<bool, Error> {
        self.session.stop_request().await
    }

    fn failure(&self, progress: ProgressStatus) -> Error {
        Error::refused(match progress.error {
            Some(error) => Failure::of_response(error, self.request_id()),
            None => Failure::stopped(progress.status, self.request_id()),
        })
    }
}

/// A session that is over does not tell any more how its request ended.
fn gone(error: Error) -> Error {
    match error.failure() {
        Some(failure) if matches!(failure.code, Code::SessionEnded | Code::SessionNotFound) => {
            let reason = failure.ended.map_or("", |(reason, _)| EndReason::as_str(reason));
            Error::OutcomeUnknown { reason: format!("the session of the request is over ({reason})") }
        }
        _ => error,
    }
}
