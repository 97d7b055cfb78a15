//! One session: its lock, its attributes and the times that decide when it is over, under one mutex.
//!
//! `arrive` is how requests come in, `depart` how they leave, `end` how all is over.
//!
//! No method runs code of others. What is left to do once the mutex is free (wake somebody, close what is alive, forget the
//! session) is put into an [`Aftermath`](super::aftermath::Aftermath).

mod arrive;
mod checkpoint;
mod depart;
mod end;
mod save;

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::aftermath::Ended;
use super::kept::Ledger;
use super::keys::Keys;
use super::lock::{Fence, JoinLock, Ticket};
use super::policy::{EVICTION_GRACE, Policy};
use super::remains::Remains;
use super::sync::{Mutex, MutexGuard};
use super::watchers::Watchers;
use crate::session::clock::Time;
use crate::session::key::SessionKey;
use crate::session::lifetime::after;
use crate::session::{AttributeSnapshot, EndReason, Interruption, Moment, Principal, SessionError, SessionHandle};

pub(super) use save::Saving;

/// How long whoever looks for an overdue holder leaves one alone whose checkpoint is being written.
const PATIENCE: Duration = Duration::from_secs(1);

/// A session.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) handle: SessionHandle,
    pub(super) owner: Principal,
    pub(super) implicit: bool,
    /// Whether it is found by its id.
    pub(super) reachable: bool,
    pub(super) policy: Arc<Policy>,
    pub(super) timeout: Option<Duration>,
    pub(super) lifetime: Moment,
    state: Mutex<State>,
}

/// What changes of a session.
#[derive(Debug)]
pub(super) struct State {
    pub(super) lock: JoinLock,
    pub(super) readers: u32,
    /// The changes of the request that holds the session are being written: it can't lose it any more.
    pub(super) saving: bool,
    /// A checkpoint is being written: the request that holds the session can't lose it until it is.
    pub(super) keeping: bool,
    /// When somebody last was joined, or the session was created; the idle time runs from here while nobody is.
    pub(super) released: Moment,
    /// Under which moment the session is in the list of deadlines: never later than the next deadline.
    pub(super) armed: Moment,
    pub(super) keys: Keys,
    pub(super) attributes: AttributeSnapshot,
    pub(super) ended: Option<Box<Ended>>,
    /// The service shuts down: the session ends as soon as nobody is joined.
    pub(super) draining: bool,
    pub(super) watchers: Option<Box<Watchers>>,
    /// What asynchronous requests left; most sessions have none.
    pub(super) remains: Option<Box<Remains>>,
    /// What a store has of it; `None` where there is none, and of implicit sessions.
    pub(super) ledger: Option<Box<Ledger>>,
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

/// Whether a session stays when its request is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Explicit,
    /// It ends with its request, and is found by its id until then, or not at all.
    Implicit {
        reachable: bool,
    },
}

/// What a new session is made from.
pub(super) struct Birth {
    pub(super) handle: SessionHandle,
    pub(super) owner: Principal,
    pub(super) kind: Kind,
    pub(super) policy: Arc<Policy>,
    pub(super) key: SessionKey,
    pub(super) timeout: Option<Duration>,
    pub(super) time: Time,
    pub(super) request: Uuid,
    /// Whether a store keeps it.
    pub(super) kept: bool,
}

/// What a session is made from that was stored.
pub(super) struct Revival {
    pub(super) handle: SessionHandle,
    pub(super) owner: Principal,
    pub(super) policy: Arc<Policy>,
    pub(super) keys: Keys,
    pub(super) timeout: Option<Duration>,
    pub(super) lifetime: Moment,
    pub(super) released: Moment,
    /// The fence of the next holder is higher.
    pub(super) fence: Fence,
    pub(super) attributes: AttributeSnapshot,
    pub(super) ledger: Ledger,
}

impl Slot {
    /// A session that the request that creates it holds.
    pub(super) fn new(birth: Birth) -> (Self, Grant) {
        let Time { now, .. } = birth.time;
        let implicit = matches!(birth.kind, Kind::Implicit { .. });
        let lifetime = if implicit { Moment::NEVER } else { after(now, birth.policy.settings.lifetime) };
        let mut lock = JoinLock::default();
        let fence = lock.try_take(birth.request, now).unwrap_or_default();
        let limit = birth.policy.execution_limit(now);
        let state = State {
            lock,
            readers: 0,
            saving: false,
            keeping: false,
            released: now,
            armed: after(now, birth.timeout).min(lifetime),
            keys: Keys::new(birth.key),
            attributes: AttributeSnapshot::default(),
            ended: None,
            draining: false,
            watchers: None,
            remains: None,
            ledger: birth.kept.then(Box::default),
        };
        let slot = Self {
            handle: birth.handle,
            owner: birth.owner,
            implicit,
            reachable: !matches!(birth.kind, Kind::Implicit { reachable: false }),
            policy: birth.policy,
            timeout: birth.timeout,
            lifetime,
            state: Mutex::new(state),
        };
        (slot, Grant { fence, attributes: AttributeSnapshot::default(), limit })
    }

    /// A session that nobody has joined, as a store had it.
    pub(super) fn revived(revival: Revival) -> Self {
        let mut lock = JoinLock::default();
        lock.raise(revival.fence);
        let state = State {
            lock,
            readers: 0,
            saving: false,
            keeping: false,
            released: revival.released,
            armed: after(revival.released, revival.timeout).min(revival.lifetime),
            keys: revival.keys,
            attributes: revival.attributes,
            ended: None,
            draining: false,
            watchers: None,
            remains: None,
            ledger: Some(Box::new(revival.ledger)),
        };
        Self {
            handle: revival.handle,
            owner: revival.owner,
            implicit: false,
            reachable: true,
            policy: revival.policy,
            timeout: revival.timeout,
            lifetime: revival.lifetime,
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// When somebody who waits has to look again although nobody wakes it: the holder will have overstayed then.
    pub(super) fn next_look(&self, now: Moment) -> Moment {
        self.next_look_of(&self.state(), now)
    }

    /// The same: while a checkpoint is being written, after a while, for then nothing can be taken from the holder.
    fn next_look_of(&self, state: &State, now: Moment) -> Moment {
        let overdue = self.overdue_of(state);
        if state.keeping { overdue.max(now.after(PATIENCE)) } else { overdue }
    }

    /// When another may take the lock from who holds it.
    fn overdue_of(&self, state: &State) -> Moment {
        if state.saving {
            return Moment::NEVER;
        }
        let holder = state.lock.holder();
        holder.map_or(Moment::NEVER, |holder| self.policy.execution_limit(holder.since).after(EVICTION_GRACE))
    }

    /// Why a request that takes part under `fence` has to stop, if it has. If not, leaves word where to wake it.
    pub(super) fn watch(&self, fence: Option<Fence>, key: &mut Option<u64>, waker: &Waker) -> Option<Interruption> {
        let mut state = self.state();
        if let Some(ended) = &state.ended {
            return Some(Interruption::SessionEnded { reason: ended.reason, at: ended.at });
        }
        if fence.is_some_and(|fence| !state.lock.is_held_under(fence)) {
            return Some(Interruption::ExecutionLimit);
        }
        if fence.is_some() && state.lock.is_stopped() {
            return Some(Interruption::Terminated);
        }
        let key = *key.get_or_insert_with(|| state.lock.number());
        state.watchers.get_or_insert_default().watch(key, waker);
        None
    }

    /// Whoever watched under that key does so no longer. Its waker is to be dropped where no mutex is held.
    pub(super) fn forget_watcher(&self, key: u64) -> Option<Waker> {
        let mut state = self.state();
        let watchers = state.watchers.as_mut()?;
        let waker = watchers.forget(key);
        if watchers.is_empty() {
            state.watchers = None;
        }
        waker
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.state().ended.is_some()
    }

    /// Whether that is or was its key.
    pub(super) fn is_named_by(&self, key: &SessionKey) -> bool {
        self.state().keys.know(key)
    }

    /// The session gets a new id, asked for by who came with the key `by`. Answers with the key of an old one that is forgotten
    /// for it.
    pub(super) fn rotate(
        &self,
        key: SessionKey,
        by: &SessionKey,
        now: Moment,
    ) -> Result<Option<SessionKey>, SessionError> {
        let mut state = self.state();
        match &state.ended {
            Some(ended) => Err(ended.error()),
            None => Ok(state.keys.rotate(key, by, now)),
        }
    }

    /// The request that asked for a new id with the key `by` has failed: the old one holds on.
    pub(super) fn rotation_failed(&self, by: &SessionKey) {
        self.state().keys.rotation_failed(by);
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
}

impl State {
    /// Somebody who was joined has left. Those who leave side by side say so in any order: the last of them counts.
    fn left_at(&mut self, now: Moment) {
        self.released = self.released.max(now);
    }

    fn farewell(&self) -> Farewell {
        self.ended.as_ref().map_or(Farewell::Alive, |ended| Farewell::Ended(ended.reason))
    }

    pub(super) fn take_watchers(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.watchers.take().into_iter().flat_map(|watchers| watchers.into_wakers())
    }

    /// Whether any request is joined, the lock held or not.
    pub(super) fn is_joined(&self) -> bool {
        self.readers > 0 || self.lock.is_held()
    }
}
