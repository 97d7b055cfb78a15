//! The join lock and its guard in every order in which the steps of several requests can happen.
//!
//! These tests run the manager itself, not a copy: its slots, its waiters, its guards, on the mutex of `shuttle`, which tries
//! one order after the other. A wake-up that is lost shows as a task that nobody wakes (`deadlock`), a second holder and a
//! second release in what each test counts. Few tasks are tried in every order; more of them in some thousand random ones.
//! What fails prints a schedule that repeats it.
//!
//! The maps and the clock keep their own mutexes: those are held for a single step each that touches nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, poll};
use shuttle::future::{block_on, spawn, yield_now};
use shuttle::{check_dfs, check_pct, check_random};

use super::TransientSessionManager;
use super::policy::EVICTION_GRACE;
use super::slot::Slot;
use crate::document::SessionConfiguration;
use crate::session::key::SessionKey;
use crate::session::{
    Access, EndReason, Joined, Joining, ManualClock, Outcome, Participant, Principal, SeededIds, SessionError,
    SessionHandle, SessionId, SessionManager, SessionRequirement,
};

/// How long a request may hold the session.
const EXECUTION: Duration = Duration::from_mins(5);

/// How long the session lives idle.
const IDLE: Duration = Duration::from_mins(100);

/// How many random orders are tried where there are too many to try all.
const SCHEDULES: usize = 3000;

/// One session, and what its requests have come to.
#[derive(Clone)]
struct World {
    manager: TransientSessionManager,
    clock: ManualClock,
    id: SessionId,
    handle: SessionHandle,
    slot: Arc<Slot>,
    tally: Arc<Tally>,
}

#[derive(Default)]
struct Tally {
    /// How many hold the session at this moment and were not told to stop.
    holding: AtomicUsize,
    /// How many increments were committed.
    committed: AtomicI64,
    /// How many joins there were.
    joined: AtomicUsize,
}

impl World {
    /// The session, and the request that has created it and holds it.
    fn new() -> (Self, Joined) {
        let clock = ManualClock::new();
        let mut settings = SessionConfiguration::default();
        settings.join.execution = Some(EXECUTION);
        settings.join.max_wait = EXECUTION * 10;
        settings.join.wait = EXECUTION * 10;
        settings.timeout.default = Some(IDLE);
        let builder = TransientSessionManager::builder(settings).clock(Arc::new(clock.clone()));
        let manager = builder.ids(Arc::new(SeededIds::new(1))).build();
        let create = SessionRequirement::Create { timeout: None };
        let joined = manager.join(create, &who()).now_or_never().unwrap().unwrap();
        let (id, handle) = (joined.info().id.clone(), joined.info().handle);
        let slot = manager.shared.keys.find(&SessionKey::of(&id)).unwrap();
        let tally = Tally { holding: AtomicUsize::new(1), joined: AtomicUsize::new(1), ..Tally::default() };
        (Self { manager, clock, id, handle, slot, tally: Arc::new(tally) }, joined)
    }

    fn join(&self, access: Access) -> Joining {
        let requirement = SessionRequirement::Join { id: self.id.clone(), wait: None, access, rotate: false };
        self.manager.join(requirement, &who())
    }

    /// A request comes in: nobody else may be there.
    fn hold(&self) {
        self.tally.joined.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.tally.holding.fetch_add(1, Ordering::SeqCst), 0, "two requests hold the session");
    }

    /// It is about to leave, or was told that its time is over.
    fn let_go(&self) {
        self.tally.holding.fetch_sub(1, Ordering::SeqCst);
    }

    /// A request that counts up and leaves.
    async fn increment(self) {
        let joined = self.join(Access::Exclusive).await.unwrap();
        self.hold();
        leave(self.clone(), joined).await;
    }

    /// The same, unless all of its own time passes between the moment at which it is let in and the one at which it notices.
    async fn increment_in_time(self) {
        match self.join(Access::Exclusive).await {
            Ok(joined) => {
                self.hold();
                leave(self.clone(), joined).await;
            }
            Err(error) => assert_eq!(error, SessionError::Conflict),
        }
    }

    /// A request whose client goes away while it waits, or when it has just been let in.
    async fn come_and_leave(self) {
        let mut joining = self.join(Access::Exclusive);
        for _ in 0..2 {
            if let Poll::Ready(joined) = poll!(&mut joining) {
                self.hold();
                self.let_go();
                return drop(joined.unwrap());
            }
            yield_now().await;
        }
        drop(joining);
    }

    /// A request that panics while it holds the session.
    async fn panic(self) {
        let joined = self.join(Access::Exclusive).await.unwrap();
        self.hold();
        joined.attributes().increment("count", 1).unwrap();
        let world = self.clone();
        let work = AssertUnwindSafe(move || {
            let _joined = joined;
            world.let_go();
            resume_unwind(Box::new("panic"))
        });
        assert!(catch_unwind(work).is_err());
    }

    /// A request that hears of the end of the session, sooner or later.
    async fn hear_of_the_end(self) {
        match self.join(Access::Exclusive).await {
            Ok(joined) => {
                self.hold();
                joined.ended().await;
                self.let_go();
                let refused = joined.release(Outcome::Commit).await;
                assert!(matches!(refused, Err(SessionError::Ended { .. })), "{refused:?}");
            }
            Err(error) => assert!(matches!(error, SessionError::Ended { .. }), "{error:?}"),
        }
    }

    async fn read(self) {
        let joined = self.join(Access::Read).await.unwrap();
        yield_now().await;
        joined.release(Outcome::Discard).await.unwrap();
    }

    /// Everybody has left: nobody holds the session or waits for it, and every commit counts.
    fn is_quiet(&self) {
        let state = self.slot.state();
        assert!(!state.lock.is_held() && state.readers == 0, "{state:?}");
        assert_eq!(state.lock.waiters(), 0);
        assert_eq!(self.tally.holding.load(Ordering::SeqCst), 0);
        drop(state);
        let joined = self.join(Access::Exclusive).now_or_never().unwrap().unwrap();
        let count = joined.attributes().increment("count", 0).unwrap();
        assert_eq!(count, self.tally.committed.load(Ordering::SeqCst));
    }

    /// It has ended: nothing is left of it, whoever came and went.
    fn is_over(&self) {
        let shared = &self.manager.shared;
        assert!(!self.slot.state().lock.is_held());
        assert_eq!((shared.keys.len(), shared.deadlines.len()), (0, 0));
        assert!(shared.handles.lock().sessions.is_empty());
    }
}

fn who() -> Participant {
    Participant { principal: Principal::new("owner"), request_id: uuid::Uuid::nil() }
}

/// Lets the requests run side by side, and waits for all of them.
fn side_by_side<const COUNT: usize>(own: impl Future<Output = ()>, others: [BoxFuture<'static, ()>; COUNT]) {
    let others = others.map(spawn);
    block_on(own);
    for request in others {
        block_on(request).unwrap();
    }
}

/// Every order there is: of two or three requests of few steps.
fn in_every_order(history: fn()) {
    check_dfs(history, None);
}

/// Very many orders: those that differ late, random ones, and those that preempt at few places, where most errors are found.
fn in_many_orders(history: fn()) {
    check_dfs(history, Some(SCHEDULES));
    check_random(history, SCHEDULES);
    check_pct(history, SCHEDULES, 4);
}

/// A request that holds the session leaves with its one change.
async fn leave(world: World, joined: Joined) {
    joined.attributes().increment("count", 1).unwrap();
    yield_now().await;
    world.let_go();
    joined.release(Outcome::Commit).await.unwrap();
    world.tally.committed.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_holder_and_another_request_in_every_order() {
    // Behaviours 12, 17.
    in_every_order(|| {
        let (world, joined) = World::new();
        side_by_side(leave(world.clone(), joined), [Box::pin(world.clone().increment())]);
        world.is_quiet();
    });
    in_every_order(|| {
        let (world, joined) = World::new();
        side_by_side(leave(world.clone(), joined), [Box::pin(world.clone().come_and_leave())]);
        world.is_quiet();
    });
}

#[test]
fn an_end_and_a_request_in_every_order() {
    // Behaviour 33.
    in_every_order(|| {
        let (world, joined) = World::new();
        world.let_go();
        drop(joined);
        side_by_side(kill(world.clone()), [Box::pin(world.clone().hear_of_the_end())]);
        world.is_over();
    });
}

#[test]
fn all_who_wait_get_the_session_one_after_the_other() {
    // Behaviours 12, 13.
    let history = || {
        let (world, joined) = World::new();
        let (one, other) = (world.clone().increment(), world.clone().increment());
        side_by_side(leave(world.clone(), joined), [Box::pin(one), Box::pin(other)]);
        world.is_quiet();
    };
    in_many_orders(history);
}

#[test]
fn a_waiter_that_leaves_at_any_moment_keeps_nobody_waiting() {
    // Behaviour 17.
    let history = || {
        let (world, joined) = World::new();
        let (leaving, staying) = (world.clone().come_and_leave(), world.clone().increment());
        side_by_side(leave(world.clone(), joined), [Box::pin(leaving), Box::pin(staying)]);
        world.is_quiet();
    };
    in_many_orders(history);
}

#[test]
fn a_holder_that_panics_lets_the_next_one_in() {
    // Behaviour 18.
    let history = || {
        let (world, joined) = World::new();
        let (panicking, other) = (world.clone().panic(), world.clone().increment());
        world.let_go();
        drop(joined);
        side_by_side(panicking, [Box::pin(other)]);
        world.is_quiet();
    };
    in_every_order(history);
}

#[test]
fn a_reader_is_in_nobodys_way() {
    let history = || {
        let (world, joined) = World::new();
        let (reading, other) = (world.clone().read(), world.clone().increment());
        side_by_side(leave(world.clone(), joined), [Box::pin(reading), Box::pin(other)]);
        world.is_quiet();
    };
    in_many_orders(history);
}

#[test]
fn an_end_reaches_those_who_hold_and_those_who_wait() {
    // Behaviour 33.
    let history = || {
        let (world, joined) = World::new();
        let (one, other) = (world.clone().hear_of_the_end(), world.clone().hear_of_the_end());
        world.let_go();
        drop(joined);
        side_by_side(kill(world.clone()), [Box::pin(one), Box::pin(other)]);
        world.is_over();
    };
    in_many_orders(history);
}

async fn kill(world: World) {
    world.manager.shared.end(world.handle, EndReason::Killed).now_or_never().unwrap().unwrap();
}

#[test]
fn a_holder_that_has_overstayed_keeps_the_session_or_loses_it_whole() {
    // Behaviour 20: what it changed is made, or nothing of it.
    let history = || {
        let (world, joined) = World::new();
        let (overdue, waiting) = (world.clone(), world.clone().increment_in_time());
        let overstaying = async move {
            joined.attributes().increment("count", 1).unwrap();
            // It is told to stop, and takes its time.
            overdue.let_go();
            yield_now().await;
            match joined.release(Outcome::Commit).await {
                Ok(_) => drop(overdue.tally.committed.fetch_add(1, Ordering::SeqCst)),
                Err(error) => assert_eq!(error, SessionError::Conflict),
            }
        };
        let clock = world.clock.clone();
        let time = async move { clock.advance(EXECUTION + EVICTION_GRACE) };
        side_by_side(overstaying, [Box::pin(time), Box::pin(waiting)]);
        world.is_quiet();
    };
    in_many_orders(history);
}

#[test]
fn an_idle_session_ends_once_whoever_notices() {
    // Behaviours 31, 33.
    let history = || {
        let (world, joined) = World::new();
        drop(joined);
        world.clock.advance(IDLE);
        let (manager, late) = (world.manager.clone(), world.clone());
        let sweeping = async move {
            {
                manager.sweep();
            }
        };
        let coming = async move {
            let refused = late.join(Access::Exclusive).await;
            assert!(matches!(refused, Err(SessionError::Ended { reason: EndReason::Idle, .. })));
        };
        side_by_side(sweeping, [Box::pin(coming), Box::pin(kill_late(world.clone()))]);
        world.is_over();
    };
    in_every_order(history);
}

/// It may be gone already.
async fn kill_late(world: World) {
    drop(world.manager.shared.end(world.handle, EndReason::Killed).now_or_never());
}

#[test]
fn a_crowd_of_all_kinds_leaves_the_session_free() {
    let history = || {
        let (world, joined) = World::new();
        let crowd: [BoxFuture<'static, ()>; 6] = [
            Box::pin(world.clone().increment()),
            Box::pin(world.clone().come_and_leave()),
            Box::pin(world.clone().panic()),
            Box::pin(world.clone().read()),
            Box::pin(world.clone().come_and_leave()),
            Box::pin(world.clone().increment()),
        ];
        side_by_side(leave(world.clone(), joined), crowd);
        world.is_quiet();
    };
    in_many_orders(history);
}

#[test]
fn a_crowd_hears_of_the_end() {
    let history = || {
        let (world, joined) = World::new();
        world.let_go();
        drop(joined);
        let crowd: [BoxFuture<'static, ()>; 4] = [
            Box::pin(world.clone().hear_of_the_end()),
            Box::pin(world.clone().hear_of_the_end()),
            Box::pin(world.clone().hear_of_the_end()),
            Box::pin(world.clone().hear_of_the_end()),
        ];
        side_by_side(kill(world.clone()), crowd);
        world.is_over();
    };
    in_many_orders(history);
}
