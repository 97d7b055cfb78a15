//! Ends in the store: those that somebody waits for, and those that have happened already.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Claimed;
use super::record::ended_session;
use super::residency::Residency;
use crate::session::durable::{Errand, Outcome as Written};
use crate::session::resident::aftermath::{Aftermath, Ended, Ending};
use crate::session::resident::shared::Shared;
use crate::session::resident::slot::Slot;
use crate::session::{EndProgress, EndReason, EndedSession, SessionError, SessionWrite, StoreError};

impl Shared {
    /// A session has ended in memory: the store is told. Until it has written that, nobody finds the session there.
    pub(in crate::session::resident) fn keep_end(&self, slot: &Slot, ending: &Ending) {
        let Some(keeper) = self.keeper.as_ref().filter(|_| !slot.implicit) else { return };
        keeper.residency.lock().ended(slot.handle, ending.kept);
        if ending.kept {
            let ended = ended_session(slot, ending.ended, ending.keys.clone());
            keeper.scribe.submit(Box::new(LateEnd::new(Arc::clone(&keeper.residency), ended)));
        }
    }

    /// Ends a session. It has ended when that is written, and not before.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when it could not be written: it has not ended.
    pub(in crate::session::resident) async fn end_kept(
        self: &Arc<Self>,
        claimed: Claimed,
        reason: EndReason,
    ) -> Result<EndProgress, SessionError> {
        let time = self.time();
        let (told, progress) = oneshot::channel();
        let ended = claimed.slot.end_to_come(reason, time);
        match (&self.keeper, ended) {
            (Some(keeper), Some(ended)) => {
                let shared = Arc::clone(self);
                keeper.scribe.submit(Box::new(AwaitedEnd { shared, claimed, ended, told: Some(told) }));
            }
            _ => return Ok(self.end_now(&claimed.slot, reason)),
        }
        progress.await.unwrap_or_else(|_| Err(StoreError::Failed { reason: "nobody wrote it".into() }.into()))
    }
}

impl Slot {
    /// The end of the session as it is to be written; `None` when there is nothing to wait for: it has ended, or is over, or no
    /// store knows it.
    fn end_to_come(&self, reason: EndReason, time: crate::session::clock::Time) -> Option<Ended> {
        let state = self.state();
        let is_known = state.ledger.as_ref().is_some_and(|ledger| ledger.is_known() || state.saving);
        let is_there = is_known && state.ended.is_none() && self.over(&state, time.now).is_none();
        is_there.then(|| Ended::new(reason, time.now, time))
    }
}

/// An end that has happened in memory.
pub(super) struct LateEnd {
    residency: Arc<Mutex<Residency>>,
    ended: EndedSession,
}

impl LateEnd {
    pub(super) fn new(residency: Arc<Mutex<Residency>>, ended: EndedSession) -> Self {
        Self { residency, ended }
    }
}

impl Errand for LateEnd {
    fn draft(&mut self) -> Option<SessionWrite> {
        let ended = self.ended.clone();
        Some(if ended.reason == EndReason::OwnerLost { SessionWrite::Lose(ended) } else { SessionWrite::End(ended) })
    }

    fn settle(self: Box<Self>, outcome: &Written) -> Option<Box<dyn Errand>> {
        match outcome {
            Written::Failed(_) => return Some(self),
            // What the store has of it stays there; nobody is given it.
            Written::Refused(error) => {
                tracing::error!(session = %self.ended.handle, %error, "the end of a session can't be written");
            }
            Written::Written(_) | Written::Nothing => self.residency.lock().gone(self.ended.handle),
        }
        None
    }
}

/// An end that happens when it is written.
struct AwaitedEnd {
    shared: Arc<Shared>,
    claimed: Claimed,
    ended: Ended,
    told: Option<oneshot::Sender<Result<EndProgress, SessionError>>>,
}

impl Errand for AwaitedEnd {
    fn draft(&mut self) -> Option<SessionWrite> {
        let slot = &self.claimed.slot;
        let state = slot.state();
        if state.ended.is_some() {
            return None;
        }
        Some(SessionWrite::End(ended_session(slot, self.ended, state.keys.all())))
    }

    fn settle(mut self: Box<Self>, outcome: &Written) -> Option<Box<dyn Errand>> {
        let result = match outcome {
            Written::Failed(error) | Written::Refused(error) => Err(SessionError::Store(error.clone())),
            Written::Written(_) | Written::Nothing => {
                let mut aftermath = Aftermath::default();
                let closing = self.claimed.slot.end_written(self.ended, &mut aftermath);
                self.shared.settle(&self.claimed.slot, aftermath);
                Ok(if closing { EndProgress::Closing } else { EndProgress::Closed })
            }
        };
        if let Some(told) = self.told.take() {
            // Whoever waited may have left.
            let _ = told.send(result);
        }
        None
    }
}
