//! One request's part in a session, from the join to the release.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, Either, Ready};
use uuid::Uuid;

use super::{
    Checkpoints, EndReason, Interruption, Released, Remember, RequestProgress, SessionAttributes, SessionError,
    SessionId, SessionInfo, SessionStreams, StagedAttributes,
};

/// An answer that is there at once, or comes later.
pub type Answer<T> = Either<Ready<T>, BoxFuture<'static, T>>;

/// What becomes of the attribute changes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// All are made.
    Commit,
    /// None is made.
    Discard,
    /// None is made, because the request was refused before anything of it ran: a session that it was to end stays.
    Withdraw,
}

/// One request's part in a session, as its session manager sees it: what is behind a [`Joined`].
///
/// A manager makes one at each join. [`Joined`] calls [`Participation::release`] exactly once, whatever happens to the request.
pub trait Participation: Send + Sync {
    /// Resolves when the request has to stop, because somebody ended the session or its time is over.
    fn interrupted(&self) -> BoxFuture<'static, Interruption>;

    /// The streams of the session; of one that has ended a table that takes none.
    fn streams(&self) -> Arc<SessionStreams>;

    /// The request goes on without its client: from now on the session tells how far it has got. Takes the place of what was
    /// told before.
    fn report(&self, request: Uuid, activities: Vec<Box<str>>) -> Arc<RequestProgress>;

    /// What makes the checkpoints of the request; `None` when there is nothing to keep: the session ends with the request, or
    /// the request only reads. A checkpoint is a change like any other then.
    fn checkpoints(&self) -> Option<Arc<dyn Checkpoints>> {
        None
    }

    /// The request is about to be answered although it goes on: if the session outlives the process, it is noted that this
    /// request does not. Returns when that is certain.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when it could not be noted.
    fn anchor(&self) -> BoxFuture<'static, Result<(), SessionError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Ends the participation: makes the changes or does not, lets the next request in, ends the session if it is to end.
    ///
    /// A discard is done when the call returns; its answer need not be waited for. A commit is done when the answer comes. If
    /// the answer to a commit is dropped, the manager finishes the release by itself. While a checkpoint is being made, either
    /// comes after it, and the manager sees to that by itself.
    fn release(self: Box<Self>, leaving: Leaving) -> Releasing;
}

/// How a request leaves its session.
#[derive(Debug)]
pub struct Leaving {
    /// What becomes of its changes.
    pub outcome: Outcome,
    /// Its changes.
    pub staged: StagedAttributes,
    /// Its answer, if that is to be remembered, whatever the outcome is but [`Outcome::Withdraw`].
    pub remember: Option<Remember>,
    /// Why the session ends with it, in the same step, whatever the outcome, if the request leaves nothing that anybody could use.
    pub ends: Option<EndReason>,
}

/// The answer to a release.
pub type Releasing = Answer<Result<Departure, SessionError>>;

/// How a session stands right after a request released it. Empty when the request had lost the session before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Departure {
    /// When it will end unless somebody joins it; `None` if it won't, or has.
    pub idle_expires: Option<DateTime<Utc>>,
    /// When it will end however busy it is; `None` if it won't, or has.
    pub lifetime_expires: Option<DateTime<Utc>>,
    /// Why it ended, if it did.
    pub ended: Option<EndReason>,
}

/// A request has joined a session: the guard of its part in it.
///
/// As long as it is there, no other request has exclusive access, and the session does not end for idleness. It is given back
/// exactly once: by [`Joined::release`], or by dropping it (a panic, a client that went away), which discards the changes.
pub struct Joined {
    info: SessionInfo,
    attributes: SessionAttributes,
    /// `None` once it was released.
    participation: Option<Box<dyn Participation>>,
}

impl Joined {
    /// A guard for a participation: what a session manager answers a join with.
    #[must_use]
    pub fn new(info: SessionInfo, attributes: SessionAttributes, participation: Box<dyn Participation>) -> Self {
        if let Some(checkpoints) = participation.checkpoints() {
            attributes.keep_checkpoints_in(checkpoints);
        }
        Self { info, attributes, participation: Some(participation) }
    }

    /// The same under another id.
    #[must_use]
    pub(super) fn renamed(mut self, id: SessionId) -> Self {
        self.info.id = id;
        self
    }

    /// The session.
    #[must_use]
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// The attributes of the session, with the changes of this request. Clone them for every activity that uses them.
    #[must_use]
    pub fn attributes(&self) -> &SessionAttributes {
        &self.attributes
    }

    /// Resolves when the request has to stop: somebody ended the session, or the request has held it for as long as it may.
    /// The request is then cancelled and released with [`Outcome::Discard`]. Never resolves otherwise.
    #[must_use]
    pub fn ended(&self) -> BoxFuture<'static, Interruption> {
        match &self.participation {
            Some(participation) => participation.interrupted(),
            None => Box::pin(std::future::pending()),
        }
    }

    /// The streams of the session, to open some.
    #[must_use]
    pub fn streams(&self) -> Arc<SessionStreams> {
        match &self.participation {
            Some(participation) => participation.streams(),
            None => Arc::new(SessionStreams::of_ended_session()),
        }
    }

    /// The request goes on without its client: from now on its session tells how far it has got. `None` when it was released.
    #[must_use]
    pub fn report(&self, request: Uuid, activities: Vec<Box<str>>) -> Option<Arc<RequestProgress>> {
        Some(self.participation.as_ref()?.report(request, activities))
    }

    /// The request is about to be answered although it goes on: should the process be lost while it runs, the session ends
    /// ([`EndReason::OwnerLost`]). Returns when that is certain.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when it could not be noted.
    pub async fn anchor(&self) -> Result<(), SessionError> {
        match &self.participation {
            Some(participation) => participation.anchor().await,
            None => Ok(()),
        }
    }

    /// Gives the session back, with all attribute changes or with none, and lets the next request in.
    ///
    /// # Errors
    ///
    /// With any of them nothing was changed: [`SessionError::Ended`] when the session has been ended meanwhile,
    /// [`SessionError::Conflict`] when the request had lost it because it took too long. After a discard there are none.
    pub async fn release(self, outcome: Outcome) -> Result<Released, SessionError> {
        self.release_with(outcome, None).await
    }

    /// The same, and remembers the answer of the request in the same step: if its changes are kept, so is its answer.
    ///
    /// # Errors
    ///
    /// As for [`Joined::release`]; then the answer is not remembered either.
    pub async fn release_with(self, outcome: Outcome, remember: Option<Remember>) -> Result<Released, SessionError> {
        self.leave(outcome, remember, None).await
    }

    /// The same, and ends the session, all in the same step: it was made for this request, and is of no use to anybody.
    ///
    /// # Errors
    ///
    /// As for [`Joined::release`]; then the session may be there still.
    pub async fn release_and_end(
        self,
        outcome: Outcome,
        remember: Option<Remember>,
        reason: EndReason,
    ) -> Result<Released, SessionError> {
        self.leave(outcome, remember, Some(reason)).await
    }

    async fn leave(
        mut self,
        outcome: Outcome,
        remember: Option<Remember>,
        ends: Option<EndReason>,
    ) -> Result<Released, SessionError> {
        let staged = self.attributes.finish();
        let info = self.info.clone();
        let Some(participation) = self.participation.take() else {
            return Ok(Released { info, ended: None });
        };
        let departure = participation.release(Leaving { outcome, staged, remember, ends }).await?;
        Ok(Released { info: info.after(&departure), ended: departure.ended })
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(participation) = self.participation.take() {
            let staged = self.attributes.finish();
            // By contract a discard is done when the call returns.
            drop(participation.release(Leaving { outcome: Outcome::Discard, staged, remember: None, ends: None }));
        }
    }
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined").field("info", &self.info).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_and_its_attributes_go_where_the_request_goes() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<Joined>();
        travels::<SessionAttributes>();
        travels::<SessionError>();
    }
}
