//! How the change of a request is made before the request leaves.

use super::{Slot, State};
use crate::session::clock::Time;
use crate::session::resident::aftermath::Aftermath;
use crate::session::resident::lock::Fence;
use crate::session::{AttributeSnapshot, Dropped, SessionError, StagedAttributes};

impl Slot {
    /// A checkpoint of the request that holds the lock under `fence` is to be written. If that is not refused, the request can't
    /// lose the session until [`Slot::end_checkpoint`]. Answers with the attributes that it changes.
    pub(in crate::session::resident) fn begin_checkpoint(
        &self,
        fence: Fence,
    ) -> Result<AttributeSnapshot, SessionError> {
        let mut state = self.state();
        state.check_checkpoint(fence)?;
        state.keeping = true;
        Ok(state.attributes.clone())
    }

    /// Makes the change of the request that holds the lock under `fence`. Answers with the attributes as they are then.
    pub(in crate::session::resident) fn make_checkpoint(
        &self,
        fence: Fence,
        change: StagedAttributes,
    ) -> (Result<AttributeSnapshot, SessionError>, Dropped) {
        let mut state = self.state();
        match state.check_checkpoint(fence) {
            Ok(()) => state.make(change),
            Err(refusal) => (Err(refusal), state.attributes.refuse(change)),
        }
    }

    /// Makes the change that a store has written. The request may have been told to stop meanwhile: it is made all the same.
    pub(in crate::session::resident) fn make_written_checkpoint(
        &self,
        change: StagedAttributes,
    ) -> (Result<AttributeSnapshot, SessionError>, Dropped) {
        let mut state = self.state();
        match &state.ended {
            None => state.make(change),
            Some(ended) => (Err(ended.error()), state.attributes.refuse(change)),
        }
    }

    /// A checkpoint is written, or was not: a holder that has overstayed meanwhile loses the session to those who wait.
    pub(in crate::session::resident) fn end_checkpoint(&self, time: Time, aftermath: &mut Aftermath) {
        let mut state = self.state();
        state.keeping = false;
        if state.lock.waiters() > 0 {
            self.evict_overdue(&mut state, time, aftermath);
        }
    }
}

impl State {
    /// Whether the request that held the lock under `fence` holds it still, and may change anything.
    fn check_checkpoint(&self, fence: Fence) -> Result<(), SessionError> {
        self.check_commit(fence)?;
        if self.lock.is_held_under(fence) { Ok(()) } else { Err(SessionError::Conflict) }
    }

    fn make(&mut self, change: StagedAttributes) -> (Result<AttributeSnapshot, SessionError>, Dropped) {
        let dropped = self.attributes.apply(change);
        (Ok(self.attributes.clone()), dropped)
    }

    /// Whether a write is under way that has something to do with what the session looks like afterwards.
    pub(in crate::session::resident) fn is_being_written(&self) -> bool {
        self.saving || self.keeping
    }
}
