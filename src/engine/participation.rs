//! A request's part in its session, from the join to the release.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::PerformError;
use super::admission::Admitted;
use crate::session::{EndReason, Interruption, Joined, Outcome, Released, SessionError, SessionHandle, SessionManager};

/// The request's part in its session.
pub(super) struct Participation {
    pub(super) joined: Joined,
    sessions: Arc<dyn SessionManager>,
    /// Whether the session is new and was prepared for use: if that is not kept, it is no session to use.
    pub(super) is_prepared: bool,
}

impl Participation {
    pub(super) fn new(joined: Joined, sessions: Arc<dyn SessionManager>) -> Self {
        Self { joined, sessions, is_prepared: false }
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

    /// Gives the session back with the changes of the request.
    pub(super) async fn commit(self) -> Result<Released, SessionError> {
        let unusable = self.unusable_unless_committed();
        let released = self.joined.release(Outcome::Commit).await;
        if let (Err(_), Some(session)) = (&released, unusable) {
            let _ = self.sessions.end(session, EndReason::Killed).await;
        }
        released
    }

    /// Gives the session back unchanged. One that was prepared for the first time ends, before anybody else gets it.
    pub(super) async fn discard(self) {
        if let Some(session) = self.unusable_unless_committed() {
            let _ = self.sessions.end(session, EndReason::Killed).await;
        }
        // That it ended meanwhile is said by the failure of the request.
        let _ = self.joined.release(Outcome::Discard).await;
    }

    /// The session, if it would be there without what prepared it.
    fn unusable_unless_committed(&self) -> Option<SessionHandle> {
        let info = self.joined.info();
        (self.is_prepared && !info.implicit).then_some(info.handle)
    }

    /// Gives the session back unchanged. A session that was made for this request ends: nobody has heard its id.
    pub(super) async fn abandon(self) {
        self.give_back(Outcome::Discard).await;
    }

    /// The same for a request that is refused before anything of it ran: it does not end a session that is there.
    pub(super) async fn withdraw(self) {
        self.give_back(Outcome::Withdraw).await;
    }

    async fn give_back(self, outcome: Outcome) {
        let info = self.joined.info().clone();
        if let Err(error) = self.joined.release(outcome).await {
            tracing::debug!(%error, "a session ended before its request");
        }
        if info.created && !info.implicit {
            // It may have ended by itself in this moment.
            let _ = self.sessions.end(info.handle, EndReason::Killed).await;
        }
    }
}

pub(super) fn failure_of(interruption: Interruption) -> PerformError {
    match interruption {
        Interruption::ExecutionLimit => PerformError::TimedOut,
        Interruption::SessionEnded { reason, at } => PerformError::SessionEnded { reason, at },
        Interruption::Terminated => PerformError::Terminated,
    }
}
