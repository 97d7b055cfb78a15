//! A request's part in its session, from the join to the release.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::PerformError;
use super::admission::Admitted;
use crate::session::{
    EndReason, Interruption, Joined, Outcome, Released, Remember, SessionAttributes, SessionError, SessionHandle,
    SessionManager,
};

/// The request's part in its session.
pub(super) struct Participation {
    pub(super) joined: Joined,
    sessions: Arc<dyn SessionManager>,
    /// Whether the session is new and was prepared for use: if that is not kept, it is no session to use.
    pub(super) is_prepared: bool,
    /// Whether the client has heard of the session, though its request is not complete.
    pub(super) is_told: bool,
}

impl Participation {
    pub(super) fn new(joined: Joined, sessions: Arc<dyn SessionManager>) -> Self {
        Self { joined, sessions, is_prepared: false, is_told: false }
    }

    /// Waits for a place to run, but not for longer than the request may hold its session.
    pub(super) async fn wait_for_place(
        self,
        admitted: &Admitted,
    ) -> Result<(OwnedSemaphorePermit, Self), PerformError> {
        let interrupted = self.joined.ended();
        let place = tokio::select! {
            biased;
            interruption = interrupted => Err(failure_of(interruption)),
            place = admitted.start() => place.map_err(PerformError::from),
        };
        match place {
            Ok(place) => Ok((place, self)),
            Err(failure) => {
                self.withdraw().await;
                Err(failure)
            }
        }
    }

    /// Why the request failed, with what it can't take back. To be asked before the session is given back.
    pub(super) fn explain(&self, failure: PerformError) -> PerformError {
        explained(failure, self.joined.attributes())
    }

    /// Gives the session back with the changes of the request.
    pub(super) async fn commit(self) -> Result<Released, PerformError> {
        self.commit_with(None).await
    }

    /// The same, and remembers its answer.
    pub(super) async fn commit_with(self, remember: Option<Remember>) -> Result<Released, PerformError> {
        let useless = self.useless_unless_committed();
        let attributes = self.joined.attributes().clone();
        let released = self.joined.release_with(Outcome::Commit, remember).await;
        if let (Err(_), Some(session)) = (&released, useless) {
            let _ = self.sessions.end(session, EndReason::Killed).await;
        }
        released.map_err(|error| explained(error.into(), &attributes))
    }

    /// Gives the session back unchanged. One that was prepared for the first time ends, before anybody else gets it.
    pub(super) async fn discard(self) {
        // That it ended meanwhile is said by the failure of the request.
        let _ = self.discard_with(None).await;
    }

    /// The same, and remembers its answer.
    pub(super) async fn discard_with(self, remember: Option<Remember>) -> Result<(), SessionError> {
        let useless = self.useless_unless_committed();
        self.give_back(Outcome::Discard, remember, useless).await
    }

    /// Gives the session back unchanged. A session that was made for this request ends: nobody has heard its id.
    pub(super) async fn abandon(self) {
        let _ = self.abandon_with(None).await;
    }

    /// The same, and remembers the answer of the request.
    pub(super) async fn abandon_with(self, remember: Option<Remember>) -> Result<(), SessionError> {
        let made = self.made();
        self.give_back(Outcome::Discard, remember, made).await
    }

    /// The same for a request that is refused before anything of it ran: it does not end a session that is there.
    pub(super) async fn withdraw(self) {
        let made = self.made();
        let _ = self.give_back(Outcome::Withdraw, None, made).await;
    }

    /// The session, if it was made for this request and stays.
    fn made(&self) -> Option<SessionHandle> {
        let info = self.joined.info();
        (info.created && !info.implicit).then_some(info.handle)
    }

    /// The session, if it would be there without what prepared it, or nobody would have heard of it.
    fn useless_unless_committed(&self) -> Option<SessionHandle> {
        let info = self.joined.info();
        if self.is_prepared && !info.implicit { Some(info.handle) } else { self.made().filter(|_| !self.is_told) }
    }

    /// Gives the session back unchanged. The one that is `useless` then ends in the same step: if the process died between the
    /// two, it would be there and nobody's.
    async fn give_back(
        self,
        outcome: Outcome,
        remember: Option<Remember>,
        useless: Option<SessionHandle>,
    ) -> Result<(), SessionError> {
        let released = match useless {
            None => self.joined.release_with(outcome, remember).await,
            Some(_) => self.joined.release_and_end(outcome, remember, EndReason::Killed).await,
        };
        if let Err(error) = &released {
            tracing::debug!(%error, "a session ended before its request");
        }
        let has_ended = released.as_ref().is_ok_and(|released| released.ended.is_some());
        if let Some(session) = useless.filter(|_| !has_ended) {
            // What could not be written has not happened. It may have ended by itself in this moment.
            let _ = self.sessions.end(session, EndReason::Killed).await;
        }
        released.map(drop)
    }
}

fn explained(failure: PerformError, attributes: &SessionAttributes) -> PerformError {
    let transactions = attributes.settled();
    if transactions.is_empty() {
        return failure;
    }
    PerformError::AfterTransaction { failure: Box::new(failure), transactions }
}

pub(super) fn failure_of(interruption: Interruption) -> PerformError {
    match interruption {
        Interruption::ExecutionLimit => PerformError::TimedOut,
        Interruption::SessionEnded { reason, at } => PerformError::SessionEnded { reason, at },
        Interruption::Terminated => PerformError::Terminated,
    }
}
