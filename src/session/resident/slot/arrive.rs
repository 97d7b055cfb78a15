//! How requests come to a session, wait for it, and get it.

use std::task::Waker;
use std::time::Duration;

use uuid::Uuid;

use super::{Entry, Grant, Slot, State, Visitor};
use crate::session::clock::Time;
use crate::session::resident::aftermath::{Aftermath, Ended};
use crate::session::resident::keys::Presented;
use crate::session::resident::lock::{Fence, Full, Ticket, Turn};
use crate::session::resident::operate::Described;
use crate::session::{EndReason, Moment, SessionError};

impl Slot {
    /// A request wants exclusive access and waits for it, at most for `wait`.
    pub(in crate::session::resident) fn enter(
        &self,
        visitor: Visitor<'_>,
        wait: Duration,
        aftermath: &mut Aftermath,
    ) -> Result<Entry, SessionError> {
        let mut state = self.state();
        self.admit(&mut state, visitor, aftermath)?;
        refuse_when_draining(&state)?;
        self.evict_overdue(&mut state, visitor.time, aftermath);
        if let Some(ended) = &state.ended {
            return Err(ended.error());
        }
        if let Some(fence) = state.lock.try_take(visitor.request, visitor.time.now) {
            return Ok(Entry::Joined(self.grant(&state, fence, visitor.time.now)));
        }
        if wait.is_zero() {
            return Err(in_use(&state, visitor.time));
        }
        let max_waiters = usize::try_from(self.policy.settings.join.max_waiters).unwrap_or(usize::MAX);
        match state.lock.enqueue(max_waiters) {
            Ok(ticket) => Ok(Entry::Queued(ticket)),
            Err(Full) => Err(SessionError::QueueFull { waiters: max_waiters, retry_after: retry_after(&state) }),
        }
    }

    /// A request wants to read.
    pub(in crate::session::resident) fn enter_reading(
        &self,
        visitor: Visitor<'_>,
        aftermath: &mut Aftermath,
    ) -> Result<Grant, SessionError> {
        let mut state = self.state();
        self.admit(&mut state, visitor, aftermath)?;
        refuse_when_draining(&state)?;
        state.readers += 1;
        Ok(self.grant(&state, state.lock.fence(), visitor.time.now))
    }

    /// A waiter was woken.
    pub(in crate::session::resident) fn poll(
        &self,
        ticket: Ticket,
        waker: &Waker,
        request: Uuid,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Option<Result<Grant, SessionError>> {
        let mut state = self.state();
        // An overdue holder loses the lock to those who wait.
        self.evict_overdue(&mut state, time, aftermath);
        let turn = state.lock.poll(ticket, request, time.now, waker);
        self.take_turn(&mut state, turn, time, aftermath)
    }

    /// A waiter has waited for long enough. Takes the lock if it was handed over just now.
    pub(in crate::session::resident) fn give_up(
        &self,
        ticket: Ticket,
        request: Uuid,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Result<Grant, SessionError> {
        let mut state = self.state();
        let turn = state.lock.claim(ticket, request, time.now);
        if let Some(result) = self.take_turn(&mut state, turn, time, aftermath) {
            return result;
        }
        aftermath.wakers.extend(state.lock.leave(ticket));
        Err(in_use(&state, time))
    }

    /// A waiter goes away. What it may have been handed goes on to the next.
    pub(in crate::session::resident) fn withdraw(&self, ticket: Ticket, time: Time, aftermath: &mut Aftermath) {
        let mut state = self.state();
        if state.lock.is_granted_to(ticket) {
            self.depart(&mut state, None, time, aftermath);
        } else {
            // Waking a waiter that goes away is of no use and no harm; its waker must not be dropped in here.
            aftermath.wakers.extend(state.lock.leave(ticket));
        }
    }

    /// The owner wants to know how the session stands.
    pub(in crate::session::resident) fn look(
        &self,
        visitor: Visitor<'_>,
        aftermath: &mut Aftermath,
    ) -> Result<Described, SessionError> {
        let mut state = self.state();
        self.admit(&mut state, visitor, aftermath)?;
        Ok(self.description_of(&state, visitor.time))
    }

    /// Whether a newcomer may come in at all.
    pub(in crate::session::resident) fn admit(
        &self,
        state: &mut State,
        visitor: Visitor<'_>,
        aftermath: &mut Aftermath,
    ) -> Result<(), SessionError> {
        let Visitor { key, time, .. } = visitor;
        if !state.keys.know(key) || state.is_unloaded() {
            return Err(SessionError::NotFound);
        }
        let ended = if let Some(ended) = &state.ended {
            **ended
        } else if let Some((reason, at)) = self.over(state, time.now) {
            Self::end_now(state, reason, at, time, aftermath)
        } else {
            let outdates_others = state.keys.outdates_others(key);
            match state.keys.present(key, time.now) {
                Presented::Valid if self.lifetime > time.now => {
                    if outdates_others {
                        state.mark_unwritten(aftermath);
                    }
                    return Ok(());
                }
                // It ends when those who are joined release it; nobody new comes in.
                Presented::Valid => Ended::new(EndReason::Lifetime, self.lifetime, time),
                Presented::OutOfDate => return Err(SessionError::NotFound),
                Presented::Reused => {
                    aftermath.id_reused = true;
                    Self::end_now(state, EndReason::Killed, time.now, time, aftermath)
                }
            }
        };
        Err(ended.error_for(self.policy.settings.retention, time.now))
    }

    fn grant(&self, state: &State, fence: Fence, now: Moment) -> Grant {
        Grant { fence, attributes: state.attributes.clone(), limit: self.policy.execution_limit(now) }
    }

    /// What a waiter's turn comes to; `None` while it has to wait.
    fn take_turn(
        &self,
        state: &mut State,
        turn: Turn,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Option<Result<Grant, SessionError>> {
        if let Some(ended) = &state.ended {
            return Some(Err(ended.error()));
        }
        match turn {
            Turn::Waiting => None,
            Turn::Lost if state.draining => Some(Err(SessionError::Draining)),
            Turn::Lost => Some(Err(SessionError::Conflict)),
            Turn::Taken(_) if self.lifetime <= time.now => {
                // It went by while the request waited.
                state.lock.let_go();
                Some(Err(Self::end_now(state, EndReason::Lifetime, self.lifetime, time, aftermath).error()))
            }
            Turn::Taken(fence) => Some(Ok(self.grant(state, fence, time.now))),
        }
    }
}

fn refuse_when_draining(state: &State) -> Result<(), SessionError> {
    if state.draining { Err(SessionError::Draining) } else { Ok(()) }
}

fn in_use(state: &State, time: Time) -> SessionError {
    let since = state.lock.holder().map_or(time.now, |holder| holder.since);
    SessionError::InUse {
        held_since: time.wall_at(since).unwrap_or(time.wall),
        waiters: state.lock.waiters(),
        retry_after: retry_after(state),
    }
}

/// Advice: a second for each request that is there, half a minute at the most.
fn retry_after(state: &State) -> Duration {
    Duration::from_secs((state.lock.waiters() as u64 + 1).min(30))
}
