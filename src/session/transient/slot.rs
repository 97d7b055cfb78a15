//! One session: its lock, its attributes and the times that decide when it is over, under one mutex.
//!
//! No method runs foreign code. What is left to do once the mutex is free (wake somebody, close what is alive, forget the
//! session) is put into an [`Aftermath`].

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use super::aftermath::{Aftermath, Ended, Ending};
use super::keys::{Keys, Presented};
use super::lock::{Fence, Full, JoinLock, Ticket, Turn};
use super::policy::{EVICTION_GRACE, Policy};
use super::watchers::Watchers;
use crate::session::clock::Time;
use crate::session::key::SessionKey;
use crate::session::lifetime::{after, over};
use crate::session::{
    AttributeSnapshot, Dropped, EndReason, Interruption, Moment, Principal, SessionError, SessionHandle, SessionStatus,
    StagedAttributes,
};

/// A session.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) handle: SessionHandle,
    pub(super) owner: Principal,
    pub(super) implicit: bool,
    pub(super) policy: Arc<Policy>,
    pub(super) created: Time,
    pub(super) timeout: Option<Duration>,
    pub(super) lifetime: Moment,
    state: Mutex<State>,
}

/// What changes of a session.
#[derive(Debug)]
pub(super) struct State {
    pub(super) lock: JoinLock,
    /// Who holds the lock; somebody does exactly when the lock is held.
    pub(super) holder: Option<Holder>,
    pub(super) readers: usize,
    /// When somebody last was joined; the idle time runs from here while nobody is.
    pub(super) released: Moment,
    /// Under which moment the session is in the list of deadlines: never later than the next deadline.
    pub(super) armed: Moment,
    pub(super) keys: Keys,
    pub(super) attributes: AttributeSnapshot,
    pub(super) ended: Option<Ended>,
    /// The service shuts down: the session ends as soon as nobody is joined.
    pub(super) draining: bool,
    pub(super) watchers: Watchers,
}

/// Who holds the lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    /// `None` as long as the waiter that it was handed to has not come for it.
    pub(super) request: Option<Uuid>,
    pub(super) since: Moment,
    /// Until when it may hold the lock.
    pub(super) limit: Moment,
}

impl Holder {
    fn is_overdue(&self, now: Moment) -> bool {
        self.overdue() <= now
    }

    /// When another may take the lock from it.
    pub(super) fn overdue(&self) -> Moment {
        self.limit.after(EVICTION_GRACE)
    }
}

/// What a request gets that joins.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) fence: Fence,
    pub(super) attributes: AttributeSnapshot,
    /// Until when it may take part.
    pub(super) limit: Moment,
}

/// How a request that wants exclusive access is received.
#[derive(Debug)]
pub(super) enum Entry {
    /// It has joined.
    Joined(Grant),
    /// It waits.
    Queued(Ticket),
}

/// How a session stands when a request leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    /// It lives.
    Alive,
    /// It has ended.
    Ended(EndReason),
    /// The request had lost it, and what became of it is none of its business.
    Lost,
}

/// A request that wants to join.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor<'a> {
    pub(super) key: &'a SessionKey,
    pub(super) request: Uuid,
    pub(super) time: Time,
}

/// What a new session is made from.
pub(super) struct Birth {
    pub(super) handle: SessionHandle,
    pub(super) owner: Principal,
    pub(super) implicit: bool,
    pub(super) policy: Arc<Policy>,
    pub(super) key: SessionKey,
    pub(super) timeout: Option<Duration>,
    pub(super) time: Time,
    pub(super) request: Uuid,
}

impl Slot {
    /// A session that the request that creates it holds.
    pub(super) fn new(birth: Birth) -> (Self, Grant) {
        let Time { now, .. } = birth.time;
        let lifetime = if birth.implicit { Moment::NEVER } else { after(now, birth.policy.settings.lifetime) };
        let mut lock = JoinLock::default();
        let fence = lock.try_take().unwrap_or_default();
        let limit = birth.policy.execution_limit(now);
        let state = State {
            lock,
            holder: Some(Holder { request: Some(birth.request), since: now, limit }),
            readers: 0,
            released: now,
            armed: after(now, birth.timeout).min(lifetime),
            keys: Keys::new(birth.key),
            attributes: AttributeSnapshot::default(),
            ended: None,
            draining: false,
            watchers: Watchers::default(),
        };
        let slot = Self {
            handle: birth.handle,
            owner: birth.owner,
            implicit: birth.implicit,
            policy: birth.policy,
            created: birth.time,
            timeout: birth.timeout,
            lifetime,
            state: Mutex::new(state),
        };
        (slot, Grant { fence, attributes: AttributeSnapshot::default(), limit })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// A request wants exclusive access and waits for it, at most for `wait`.
    pub(super) fn enter(
        &self,
        visitor: Visitor<'_>,
        wait: Duration,
        aftermath: &mut Aftermath,
    ) -> Result<Entry, SessionError> {
        let mut state = self.state();
        self.admit(&mut state, visitor, aftermath)?;
        refuse_when_draining(&state)?;
        self.evict_overdue(&mut state, visitor.time.now, aftermath);
        if let Some(fence) = state.lock.try_take() {
            return Ok(Entry::Joined(self.grant(&mut state, fence, visitor.request, visitor.time.now)));
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
    pub(super) fn enter_reading(&self, visitor: Visitor<'_>, aftermath: &mut Aftermath) -> Result<Grant, SessionError> {
        let mut state = self.state();
        self.admit(&mut state, visitor, aftermath)?;
        refuse_when_draining(&state)?;
        state.readers += 1;
        let (fence, attributes) = (state.lock.fence(), state.attributes.clone());
        Ok(Grant { fence, attributes, limit: self.policy.execution_limit(visitor.time.now) })
    }

    /// A waiter was woken.
    pub(super) fn poll(
        &self,
        ticket: Ticket,
        waker: &Waker,
        request: Uuid,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Option<Result<Grant, SessionError>> {
        let mut state = self.state();
        // An overdue holder loses the lock to those who wait.
        self.evict_overdue(&mut state, time.now, aftermath);
        let turn = state.lock.poll(ticket, waker);
        self.take_turn(&mut state, turn, request, time, aftermath)
    }

    /// A waiter has waited for long enough. Takes the lock if it was handed over just now.
    pub(super) fn give_up(
        &self,
        ticket: Ticket,
        request: Uuid,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Result<Grant, SessionError> {
        let mut state = self.state();
        let turn = state.lock.claim(ticket);
        if let Some(result) = self.take_turn(&mut state, turn, request, time, aftermath) {
            return result;
        }
        aftermath.wakers.extend(state.lock.leave(ticket));
        Err(in_use(&state, time))
    }

    /// A waiter goes away. What it may have been handed goes on to the next.
    pub(super) fn withdraw(&self, ticket: Ticket, time: Time, aftermath: &mut Aftermath) {
        let mut state = self.state();
        if state.lock.is_granted_to(ticket) {
            self.depart(&mut state, None, time, aftermath);
        } else {
            // Waking a waiter that goes away is of no use and no harm; its waker must not be dropped in here.
            aftermath.wakers.extend(state.lock.leave(ticket));
        }
    }

    /// When somebody who waits has to look again although nobody wakes it: the holder will have overstayed then.
    pub(super) fn overdue(&self) -> Moment {
        self.state().holder.map_or(Moment::NEVER, |holder| holder.overdue())
    }

    /// Makes the changes of the request that holds the lock under `fence`.
    pub(super) fn commit(&self, fence: Fence, staged: StagedAttributes) -> (Result<(), SessionError>, Dropped) {
        let mut state = self.state();
        let refusal = match state.ended {
            // It had lost the session, whatever became of that later.
            _ if state.lock.fence() != fence => Err(SessionError::Conflict),
            Some(ended) => Err(ended.error()),
            None => Ok(()),
        };
        let dropped = match &refusal {
            Ok(()) => state.attributes.apply(staged),
            Err(_) => state.attributes.refuse(staged),
        };
        (refusal, dropped)
    }

    /// Makes none of the changes.
    pub(super) fn discard(&self, staged: StagedAttributes) -> Dropped {
        self.state().attributes.refuse(staged)
    }

    /// The request that holds the lock under `fence` lets it go, and the session ends if it has a reason to.
    pub(super) fn leave(
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
    pub(super) fn leave_reading(&self, time: Time, aftermath: &mut Aftermath) -> Farewell {
        let mut state = self.state();
        state.readers = state.readers.saturating_sub(1);
        if state.ended.is_none() && !state.is_joined() {
            state.released = time.now;
            if let Some((reason, at)) = self.over_when_released(&state, time.now) {
                Self::end_now(&mut state, reason, at, time, aftermath);
            }
        }
        state.farewell()
    }

    /// Somebody ends the session, now. Answers whether a request holds it still.
    pub(super) fn end(&self, reason: EndReason, time: Time, aftermath: &mut Aftermath) -> bool {
        let mut state = self.state();
        if state.ended.is_none() {
            let (reason, at) = self.over(&state, time.now).unwrap_or((reason, time.now));
            Self::end_now(&mut state, reason, at, time, aftermath);
        }
        state.lock.is_held()
    }

    /// The service shuts down: the session ends as soon as nobody is joined.
    pub(super) fn drain(&self, time: Time, aftermath: &mut Aftermath) {
        let mut state = self.state();
        state.draining = true;
        if state.ended.is_none() && !state.is_joined() {
            Self::end_now(&mut state, EndReason::Drained, time.now, time, aftermath);
        }
    }

    /// Looks whether the session is over. If it is not, answers with the moment at which to look again.
    pub(super) fn visit(&self, time: Time, aftermath: &mut Aftermath, rearm: impl FnOnce(Moment)) {
        let mut state = self.state();
        state.armed = Moment::NEVER;
        if state.ended.is_some() {
            return;
        }
        if self.lifetime <= time.now {
            self.evict_overdue(&mut state, time.now, aftermath);
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
    pub(super) fn force(&self, time: Time, aftermath: &mut Aftermath) -> bool {
        let mut state = self.state();
        if state.holder.is_some_and(|holder| holder.is_overdue(time.now)) {
            self.depart(&mut state, None, time, aftermath);
        }
        !state.lock.is_held()
    }

    /// Why a request that takes part under `fence` has to stop, if it has. If not, leaves word where to wake it.
    pub(super) fn watch(&self, fence: Option<Fence>, key: &mut Option<u64>, waker: &Waker) -> Option<Interruption> {
        let mut state = self.state();
        if let Some(ended) = state.ended {
            return Some(Interruption::SessionEnded(ended.reason));
        }
        if fence.is_some_and(|fence| !state.lock.is_held_under(fence)) {
            return Some(Interruption::ExecutionLimit);
        }
        state.watchers.watch(key, waker);
        None
    }

    /// The session gets a new id. Answers with the key of an old one that is forgotten for it.
    pub(super) fn rotate(&self, key: SessionKey, now: Moment) -> Result<Option<SessionKey>, SessionError> {
        let mut state = self.state();
        match state.ended {
            Some(ended) => Err(ended.error()),
            None => Ok(state.keys.rotate(key, now)),
        }
    }

    /// The owner wants to know how the session stands.
    pub(super) fn look(&self, visitor: Visitor<'_>, aftermath: &mut Aftermath) -> Result<SessionStatus, SessionError> {
        let mut state = self.state();
        self.admit(&mut state, visitor, aftermath)?;
        Ok(self.status_of(&state, visitor.time))
    }

    /// Enters a new session into the list of deadlines.
    pub(super) fn arm(&self, insert: impl FnOnce(Moment)) {
        insert(self.state().armed);
    }

    /// When the session will end for idleness if it is released at `time`, on the wall clock.
    pub(super) fn idle_expiry(&self, time: Time) -> Option<DateTime<Utc>> {
        time.wall_at(after(time.now, self.timeout))
    }

    /// When the session ends for idleness if nobody joins it.
    pub(super) fn idle_deadline(&self, state: &State) -> Moment {
        after(state.released, self.timeout)
    }

    /// Whether a newcomer may come in at all.
    fn admit(&self, state: &mut State, visitor: Visitor<'_>, aftermath: &mut Aftermath) -> Result<(), SessionError> {
        let Visitor { key, time, .. } = visitor;
        let ended = if let Some(ended) = state.ended {
            ended
        } else {
            match state.keys.present(key, time.now) {
                Presented::Valid => {}
                Presented::OutOfDate => return Err(SessionError::NotFound),
                Presented::Reused => {
                    aftermath.id_reused = true;
                    return Err(Self::end_now(state, EndReason::Killed, time.now, time, aftermath).error());
                }
            }
            if let Some((reason, at)) = self.over(state, time.now) {
                Self::end_now(state, reason, at, time, aftermath)
            } else if self.lifetime <= time.now {
                // It ends when those who are joined release it; nobody new comes in.
                Ended::new(EndReason::Lifetime, self.lifetime, time)
            } else {
                return Ok(());
            }
        };
        Err(ended.error_for(self.policy.settings.retention, time.now))
    }

    fn grant(&self, state: &mut State, fence: Fence, request: Uuid, now: Moment) -> Grant {
        let limit = self.policy.execution_limit(now);
        state.holder = Some(Holder { request: Some(request), since: now, limit });
        Grant { fence, attributes: state.attributes.clone(), limit }
    }

    /// What a waiter's turn comes to; `None` while it has to wait.
    fn take_turn(
        &self,
        state: &mut State,
        turn: Turn,
        request: Uuid,
        time: Time,
        aftermath: &mut Aftermath,
    ) -> Option<Result<Grant, SessionError>> {
        if let Some(ended) = state.ended {
            return Some(Err(ended.error()));
        }
        match turn {
            Turn::Waiting => None,
            Turn::Lost => Some(Err(SessionError::Conflict)),
            Turn::Taken(_) if self.lifetime <= time.now => {
                // It went by while the request waited.
                state.lock.let_go();
                state.holder = None;
                Some(Err(Self::end_now(state, EndReason::Lifetime, self.lifetime, time, aftermath).error()))
            }
            Turn::Taken(fence) => Some(Ok(self.grant(state, fence, request, time.now))),
        }
    }

    /// Whoever holds the lock, or was handed it, lets it go: to the next, or because the session is over.
    fn depart(&self, state: &mut State, ends: Option<EndReason>, time: Time, aftermath: &mut Aftermath) {
        state.released = time.now;
        state.holder = None;
        if let Some(ended) = state.ended {
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
        } else {
            aftermath.wakers.extend(state.lock.hand_over());
            self.name_holder(state, time.now);
        }
    }

    /// The lock has just been let go, perhaps to a waiter, which has yet to come for it.
    fn name_holder(&self, state: &mut State, now: Moment) {
        state.holder =
            state.lock.is_held().then(|| Holder { request: None, since: now, limit: self.policy.execution_limit(now) });
    }

    /// Takes the lock from a holder whose time is over, if there is one.
    fn evict_overdue(&self, state: &mut State, now: Moment, aftermath: &mut Aftermath) {
        if state.ended.is_none() && state.holder.is_some_and(|holder| holder.is_overdue(now)) {
            state.released = now;
            aftermath.wakers.extend(state.lock.evict());
            self.name_holder(state, now);
            aftermath.wakers.extend(state.watchers.take());
        }
    }

    /// Why the session is over, and since when, if it is and nobody is joined.
    pub(super) fn over(&self, state: &State, now: Moment) -> Option<(EndReason, Moment)> {
        if state.is_joined() || self.implicit {
            return None;
        }
        over(self.idle_deadline(state), self.lifetime, now)
    }

    /// The same at the moment of a release, when the idle time begins.
    fn over_when_released(&self, state: &State, now: Moment) -> Option<(EndReason, Moment)> {
        let lifetime_over = self.lifetime <= now;
        match (lifetime_over, state.draining) {
            (true, _) => Some((EndReason::Lifetime, self.lifetime)),
            (false, true) => Some((EndReason::Drained, now)),
            (false, false) => None,
        }
    }

    /// The earliest moment at which the session may be over.
    fn next_visit(&self, state: &State, now: Moment) -> Moment {
        if self.lifetime <= now {
            // Somebody is joined, or it would be over.
            return state.holder.map_or(Moment::NEVER, |holder| holder.overdue());
        }
        let idle_from = if state.is_joined() { now } else { state.released };
        after(idle_from, self.timeout).min(self.lifetime)
    }

    /// Ends the session. If a request holds it, what remains of it is closed when that leaves.
    fn end_now(state: &mut State, reason: EndReason, at: Moment, time: Time, aftermath: &mut Aftermath) -> Ended {
        let ended = Ended::new(reason, at, time);
        state.ended = Some(ended);
        state.lock.take_back_grant();
        let closing = state.lock.is_held();
        if !closing {
            state.holder = None;
            aftermath.finished = Some((reason, state.attributes.take()));
        }
        aftermath.wakers.extend(state.lock.dismiss());
        aftermath.wakers.extend(state.watchers.take());
        aftermath.ending = Some(Ending { ended, keys: state.keys.all(), armed: state.armed, closing });
        ended
    }
}

impl State {
    fn farewell(&self) -> Farewell {
        self.ended.map_or(Farewell::Alive, |ended| Farewell::Ended(ended.reason))
    }

    /// Whether any request is joined, the lock held or not.
    pub(super) fn is_joined(&self) -> bool {
        self.readers > 0 || self.lock.is_held()
    }
}

fn refuse_when_draining(state: &State) -> Result<(), SessionError> {
    if state.draining { Err(SessionError::Draining) } else { Ok(()) }
}

fn in_use(state: &State, time: Time) -> SessionError {
    let since = state.holder.map_or(time.now, |holder| holder.since);
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
