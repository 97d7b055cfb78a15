//! How a session ends.

use super::{Slot, State};
use crate::session::clock::Time;
use crate::session::lifetime::{after, over};
use crate::session::resident::aftermath::{Aftermath, Ended, Ending};
use crate::session::{EndReason, Moment};

impl Slot {
    /// Somebody ends the session, now. Answers whether a request holds it still.
    pub(in crate::session::resident) fn end(&self, reason: EndReason, time: Time, aftermath: &mut Aftermath) -> bool {
        let mut state = self.state();
        if state.ended.is_none() {
            let (reason, at) = self.over(&state, time.now).unwrap_or((reason, time.now));
            Self::end_now(&mut state, reason, at, time, aftermath);
        }
        state.lock.is_held()
    }

    /// The service shuts down: the session ends as soon as nobody is joined, or is let go of if a store has it. A holder that
    /// has overstayed is not waited for.
    pub(in crate::session::resident) fn drain(&self, time: Time, aftermath: &mut Aftermath) {
        let mut state = self.state();
        state.draining = true;
        self.evict_overdue(&mut state, time, aftermath);
        if state.ended.is_none()
            && !state.is_joined()
            && let Some(reason) = state.end_by_drain()
        {
            Self::end_now(&mut state, reason, time.now, time, aftermath);
        }
    }

    /// Ends the session if it is over.
    pub(in crate::session::resident) fn end_if_over(&self, time: Time, aftermath: &mut Aftermath) {
        let mut state = self.state();
        if state.ended.is_none()
            && let Some((reason, at)) = self.over(&state, time.now)
        {
            Self::end_now(&mut state, reason, at, time, aftermath);
        }
    }

    /// Looks whether the session is over. If it is not, answers with the moment at which to look again.
    pub(in crate::session::resident) fn visit(
        &self,
        time: Time,
        aftermath: &mut Aftermath,
        rearm: impl FnOnce(Moment),
    ) {
        let mut state = self.state();
        state.armed = Moment::NEVER;
        if state.ended.is_some() || state.is_unloaded() {
            return;
        }
        if self.lifetime <= time.now {
            self.evict_overdue(&mut state, time, aftermath);
            if state.ended.is_some() {
                return;
            }
        }
        if let Some((reason, at)) = self.over(&state, time.now) {
            Self::end_now(&mut state, reason, at, time, aftermath);
            return;
        }
        state.armed = self.next_visit(&state, time.now);
        rearm(state.armed);
    }

    /// The session has ended and waits for its holder: takes the lock from a holder whose time is over. Answers whether there
    /// is nothing to wait for any more.
    pub(in crate::session::resident) fn force(&self, time: Time, aftermath: &mut Aftermath) -> bool {
        let mut state = self.state();
        if self.overdue_of(&state) <= time.now && !state.keeping {
            self.depart(&mut state, None, time, aftermath);
        }
        !state.lock.is_held()
    }

    /// Why the session is over, and since when, if it is and nobody is joined.
    pub(in crate::session::resident) fn over(&self, state: &State, now: Moment) -> Option<(EndReason, Moment)> {
        if state.is_joined() || self.implicit {
            return None;
        }
        over(self.idle_deadline(state), self.lifetime, now)
    }

    /// The same at the moment of a release, when the idle time begins.
    pub(super) fn over_when_released(&self, state: &State, now: Moment) -> Option<(EndReason, Moment)> {
        let lifetime_over = self.lifetime <= now;
        match (lifetime_over, state.draining) {
            (true, _) => Some((EndReason::Lifetime, self.lifetime)),
            (false, true) => state.end_by_drain().map(|reason| (reason, now)),
            (false, false) => None,
        }
    }

    /// The earliest moment at which the session may be over.
    fn next_visit(&self, state: &State, now: Moment) -> Moment {
        if self.lifetime <= now {
            // Somebody is joined, or it would be over.
            return self.next_look_of(state, now);
        }
        let idle_from = if state.is_joined() { now } else { state.released };
        after(idle_from, self.timeout).min(self.lifetime)
    }

    /// Ends the session. If a request holds it, what remains of it is closed when that leaves.
    pub(super) fn end_now(
        state: &mut State,
        reason: EndReason,
        at: Moment,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Ended {
        let ended = Ended::new(reason, at, time);
        Self::end_as(state, ended, false, aftermath);
        ended
    }

    /// The same, as it was told before: to the store, if it is `stored`.
    pub(super) fn end_as(state: &mut State, ended: Ended, stored: bool, aftermath: &mut Aftermath) {
        state.ended = Some(Box::new(ended));
        state.lock.take_back_grant();
        let closing = state.lock.is_held();
        if !closing {
            aftermath.finished = Some((ended.reason, state.attributes.take()));
        }
        aftermath.remains = state.remains.take();
        aftermath.wakers.extend(state.lock.dismiss());
        aftermath.wakers.extend(state.take_watchers());
        let kept = state.ledger.is_some() && !stored;
        aftermath.ending = Some(Ending { ended, keys: state.keys.all(), armed: state.armed, closing, kept });
    }
}

impl State {
    /// Why the session ends when the service shuts down, if it does: what a store has of it stays, but not what is alive.
    fn end_by_drain(&self) -> Option<EndReason> {
        match &self.ledger {
            None => Some(EndReason::Drained),
            Some(_) if self.is_perishable() => Some(EndReason::OwnerLost),
            Some(_) => None,
        }
    }
}
