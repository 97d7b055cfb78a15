//! How the changes of a request are kept by a store, step by step: nothing of them is seen before they are written.

use super::{Slot, State};
use crate::session::clock::Time;
use crate::session::resident::aftermath::{Aftermath, Ended};
use crate::session::resident::kept::Ledger;
use crate::session::resident::lock::Fence;
use crate::session::{AttributeSnapshot, Dropped, EndReason, Moment, SessionError, StagedAttributes};

/// What a request finds whose changes are about to be written.
pub(in crate::session::resident) struct Saving {
    /// The attributes that it changes.
    pub(in crate::session::resident) base: AttributeSnapshot,
    /// The end of the session, if it ends with the request.
    pub(in crate::session::resident) end: Option<Ended>,
}

impl Slot {
    /// The changes of the request that holds the lock under `fence` are to be written. If that is not refused, the request
    /// can't lose the session any more, until [`Slot::leave_saved`].
    pub(in crate::session::resident) fn begin_save(
        &self,
        fence: Fence,
        ends: Option<EndReason>,
        commits: bool,
        time: Time,
    ) -> Result<Saving, SessionError> {
        let mut state = self.state();
        if commits {
            state.check_commit(fence)?;
        } else if !state.lock.is_held_under(fence) || state.ended.is_some() {
            return Err(SessionError::Conflict);
        }
        state.saving = true;
        let over = match ends {
            Some(reason) => Some((reason, time.now)),
            None if state.readers == 0 && self.lifetime <= time.now => Some((EndReason::Lifetime, self.lifetime)),
            None => None,
        };
        let end = over.map(|(reason, moment)| Ended::new(reason, moment, time));
        Ok(Saving { base: state.attributes.clone(), end })
    }

    /// Why what a request wanted to write was refused: the session was ended before, or written by somebody else.
    pub(in crate::session::resident) fn lost(&self) -> SessionError {
        self.state().ended.as_ref().map_or(SessionError::Conflict, |ended| ended.error())
    }

    /// The changes are written, and are made.
    pub(in crate::session::resident) fn apply(&self, staged: StagedAttributes) -> Dropped {
        self.state().attributes.apply(staged)
    }

    /// The request whose changes were written, or could not be, lets the session go, which it left at the moment `released`.
    /// `end` is the end that was written with them.
    pub(in crate::session::resident) fn leave_saved(
        &self,
        (released, is_written): (Moment, bool),
        end: Option<Ended>,
        time: Time,
        aftermath: &mut Aftermath,
    ) {
        let mut state = self.state();
        state.saving = false;
        let was_queued = state.ledger.as_ref().is_some_and(|ledger| ledger.is_queued());
        // A reader may have left while this was being written.
        let left = state.released.max(released);
        match end {
            Some(ended) if state.ended.is_none() => {
                state.lock.let_go();
                Self::end_as(&mut state, ended, true, aftermath);
            }
            _ => self.depart(&mut state, None, time, aftermath),
        }
        if state.ended.is_none() {
            // It counts from here although writing took its time: so it was told.
            state.released = left;
        }
        if is_written && let Some(ledger) = &mut state.ledger {
            // That it was left then is what was written.
            let is_queued = was_queued || left > released;
            ledger.set_queued(is_queued);
            aftermath.unwritten = is_queued;
        }
    }

    /// The store has written the end of the session: it has ended now. Answers whether a request holds it still.
    pub(in crate::session::resident) fn end_written(&self, ended: Ended, aftermath: &mut Aftermath) -> bool {
        let mut state = self.state();
        if state.ended.is_none() {
            Self::end_as(&mut state, ended, true, aftermath);
        }
        state.lock.is_held()
    }

    /// What the store has of it, to be noted; nothing of a session that no store keeps.
    pub(in crate::session::resident) fn note(&self, note: impl FnOnce(&mut Ledger)) {
        if let Some(ledger) = &mut self.state().ledger {
            note(ledger);
        }
    }
}

impl State {
    /// Whether the request that held the lock under `fence` may make its changes.
    pub(super) fn check_commit(&self, fence: Fence) -> Result<(), SessionError> {
        match &self.ended {
            // It had lost the session, whatever became of that later.
            _ if self.lock.fence() != fence => Err(SessionError::Conflict),
            Some(ended) => Err(ended.error()),
            None if self.lock.is_stopped() => Err(SessionError::Terminated),
            None => Ok(()),
        }
    }

    /// Whether the session holds what is lost with the process: something alive, a stream, a request on its way.
    pub(in crate::session::resident) fn is_perishable(&self) -> bool {
        self.attributes.has_live()
            || self.ledger.as_ref().is_some_and(|ledger| ledger.is_anchored())
            || self.remains.as_ref().is_some_and(|remains| !remains.streams.is_empty())
    }

    /// Something has changed beside the attributes that a store has to know: it does not let go of the session before.
    pub(super) fn mark_unwritten(&mut self, aftermath: &mut Aftermath) {
        if let Some(ledger) = &mut self.ledger {
            ledger.mark_unwritten();
            aftermath.unwritten = true;
        }
    }

    /// Whether the session has left the memory for the store.
    pub(in crate::session::resident) fn is_unloaded(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.is_unloaded())
    }
}
