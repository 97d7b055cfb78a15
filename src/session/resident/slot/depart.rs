//! How requests leave a session, with their changes or without, and how it is taken from those that don't.

use super::{Farewell, Slot, State};
use crate::session::clock::Time;
use crate::session::resident::aftermath::Aftermath;
use crate::session::resident::lock::Fence;
use crate::session::{Dropped, EndReason, SessionError, StagedAttributes};

impl Slot {
    /// Makes the changes of the request that holds the lock under `fence`.
    pub(in crate::session::resident) fn commit(
        &self,
        fence: Fence,
        staged: StagedAttributes,
    ) -> (Result<(), SessionError>, Dropped) {
        let mut state = self.state();
        let refusal = state.check_commit(fence);
        let dropped = match &refusal {
            Ok(()) => state.attributes.apply(staged),
            Err(_) => state.attributes.refuse(staged),
        };
        (refusal, dropped)
    }

    /// Makes none of the changes.
    pub(in crate::session::resident) fn discard(&self, staged: StagedAttributes) -> Dropped {
        self.state().attributes.refuse(staged)
    }

    /// The request that holds the lock under `fence` lets it go, and the session ends if it has a reason to.
    pub(in crate::session::resident) fn leave(
        &self,
        fence: Fence,
        ends: Option<EndReason>,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Farewell {
        let mut state = self.state();
        if state.lock.fence() != fence {
            return Farewell::Lost;
        }
        if state.lock.is_held_under(fence) {
            self.depart(&mut state, ends, time, aftermath);
        }
        state.farewell()
    }

    /// A request with read access goes away.
    pub(in crate::session::resident) fn leave_reading(&self, time: Time, aftermath: &mut Aftermath) -> Farewell {
        let mut state = self.state();
        state.readers = state.readers.saturating_sub(1);
        state.left_at(time.now);
        if state.ended.is_none() && !state.is_joined() {
            state.mark_unwritten(aftermath);
            if let Some((reason, at)) = self.over_when_released(&state, time.now) {
                Self::end_now(&mut state, reason, at, time, aftermath);
            }
        }
        state.farewell()
    }

    /// Whoever holds the lock, or was handed it, lets it go: to the next, or because the session is over.
    pub(super) fn depart(&self, state: &mut State, ends: Option<EndReason>, time: Time, aftermath: &mut Aftermath) {
        state.left_at(time.now);
        state.mark_unwritten(aftermath);
        if let Some(ended) = &state.ended {
            // What remained of it waited for this.
            state.lock.let_go();
            aftermath.finished = Some((ended.reason, state.attributes.take()));
            return;
        }
        let over = match ends {
            Some(reason) => Some((reason, time.now)),
            None if state.readers > 0 => None,
            None => self.over_when_released(state, time.now),
        };
        if let Some((reason, at)) = over {
            state.lock.let_go();
            Self::end_now(state, reason, at, time, aftermath);
        } else if state.draining && state.ledger.is_some() {
            // The store has it; those who wait are told so.
            aftermath.wakers.extend(state.lock.dismiss());
            state.lock.let_go();
        } else {
            aftermath.wakers.extend(state.lock.hand_over(time.now));
        }
    }

    /// Takes the lock from a holder whose time is over, if there is one, or ends the session for it.
    pub(super) fn evict_overdue(&self, state: &mut State, time: Time, aftermath: &mut Aftermath) {
        if state.ended.is_some() || state.keeping || time.now < self.overdue_of(state) {
            return;
        }
        aftermath.evicted = state.lock.holder();
        if self.policy.settings.join.overrun_ends {
            Self::end_now(state, EndReason::Killed, time.now, time, aftermath);
            return;
        }
        state.left_at(time.now);
        state.mark_unwritten(aftermath);
        aftermath.wakers.extend(state.lock.evict(time.now));
        aftermath.wakers.extend(state.take_watchers());
    }
}
