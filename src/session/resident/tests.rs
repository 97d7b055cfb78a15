//! The transient manager passes through the behaviours of every manager, and has some of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::FutureExt as _;

use super::slot::Slot;
use super::{IMPLICIT_TOMBSTONES, TransientSessionManager};
use crate::document::SessionConfiguration;
use crate::session::conformance::{Setup, session_manager_conforms};
use crate::session::key::SessionKey;
use crate::session::{
    Access, Counter, EndProgress, EndReason, Joined, ManualClock, Outcome, Participant, Principal, SessionError,
    SessionFilter, SessionId, SessionManager, SessionRequirement, StaticAttributes, StaticSessionAttribute,
};

fn make(setup: Setup) -> Arc<dyn SessionManager> {
    let mut builder = TransientSessionManager::builder(setup.settings)
        .statics(setup.statics)
        .clock(Arc::new(setup.clock))
        .ids(setup.ids);
    for listener in setup.listeners {
        builder = builder.listener(listener);
    }
    Arc::new(builder.build())
}

session_manager_conforms!(make, draining_lets_requests_finish_and_nobody_in);

#[test]
fn random_histories_agree_with_the_reference() {
    crate::session::model::random_histories_agree(make, None);
}

/// A manager that can be looked into, on a clock that is driven.
fn manager(change: impl FnOnce(&mut SessionConfiguration)) -> (TransientSessionManager, ManualClock) {
    let clock = ManualClock::new();
    let mut settings = SessionConfiguration::default();
    change(&mut settings);
    (TransientSessionManager::builder(settings).clock(Arc::new(clock.clone())).build(), clock)
}

fn who() -> Participant {
    Participant { principal: Principal::new("owner"), request_id: uuid::Uuid::nil() }
}

fn join(manager: &TransientSessionManager, requirement: SessionRequirement) -> Result<Joined, SessionError> {
    manager.join(requirement, &who()).now_or_never().unwrap()
}

const CREATE: SessionRequirement = SessionRequirement::Create { timeout: None };

fn enter(id: &SessionId) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Exclusive, rotate: false }
}

#[test]
fn nothing_of_a_session_is_left_but_its_tombstones() {
    // Behaviours 33 and 37, and rotation: every map gives back what it had.
    let (manager, clock) = manager(|_| {});
    for reason in ["terminated", "idle", "killed"] {
        let joined = join(&manager, CREATE).unwrap();
        let (mut id, handle) = (joined.info().id.clone(), joined.info().handle);
        drop(joined);
        for _ in 0..7 {
            let requirement = SessionRequirement::Join { id, wait: None, access: Access::Read, rotate: true };
            id = join(&manager, requirement).unwrap().info().id.clone();
        }
        match reason {
            "terminated" => drop(join(&manager, SessionRequirement::Terminate { id, wait: None, activities: true })),
            "idle" => clock.advance(Duration::from_mins(10)),
            _ => drop(manager.shared.end(handle, EndReason::Killed).now_or_never().unwrap()),
        }
        assert_eq!(manager.sweep(), usize::from(reason == "idle"));
        let shared = &manager.shared;
        assert_eq!(shared.keys.len(), 0, "{reason}");
        assert_eq!(shared.deadlines.len(), 0, "{reason}");
        assert!(shared.handles.lock().sessions.is_empty(), "{reason}");
        assert!(shared.closing.lock().is_empty(), "{reason}");
        assert_eq!(shared.quotas.count(), 0, "{reason}");
    }
    clock.advance(Duration::from_hours(1));
    manager.sweep();
    assert_eq!(manager.shared.tombstones.lock().len(), 0);
}

#[test]
fn an_idle_session_takes_little_memory() {
    // The bar is 512 bytes for a session of one small attribute, all indexes included; `cargo bench --bench session` measures
    // it. What few sessions ever need goes into a box of its own.
    assert!(size_of::<Slot>() <= 240);
}

#[test]
fn a_long_list_lets_others_run_in_between() {
    // Behaviour 64.
    let (manager, _clock) = manager(|_| {});
    for _ in 0..300 {
        drop(join(&manager, CREATE).unwrap());
    }
    let nowhere = SessionFilter { label: Some("none".into()), ..SessionFilter::default() };
    let mut list = manager.list(&nowhere);
    assert!(list.as_mut().now_or_never().is_none(), "it pauses after a part of them");
    assert_eq!(list.now_or_never().map(|found| found.unwrap().len()), Some(0));
}

#[test]
fn a_session_that_was_handed_over_and_ended_does_not_wait_for_the_waiter() {
    let (manager, _clock) = manager(|_| {});
    let joined = join(&manager, CREATE).unwrap();
    let (id, handle) = (joined.info().id.clone(), joined.info().handle);
    let granted = manager.join(enter(&id), &who());
    drop(joined);
    assert_eq!(manager.shared.end(handle, EndReason::Killed).now_or_never(), Some(Ok(EndProgress::Closed)));
    assert!(matches!(granted.now_or_never(), Some(Err(SessionError::Ended { reason: EndReason::Killed, .. }))));
}

#[test]
fn implicit_sessions_do_not_push_out_the_memory_of_explicit_ones() {
    // Behaviour 36: bounded.
    let (manager, _clock) = manager(|_| {});
    let joined = join(&manager, CREATE).unwrap();
    let id = joined.info().id.clone();
    drop(joined);
    drop(join(&manager, SessionRequirement::Terminate { id: id.clone(), wait: None, activities: true }));
    for _ in 0..IMPLICIT_TOMBSTONES + 10 {
        drop(join(&manager, SessionRequirement::Implicit { reachable: false }));
    }
    assert_eq!(manager.shared.implicit_tombstones.lock().len(), IMPLICIT_TOMBSTONES);
    assert!(matches!(join(&manager, enter(&id)), Err(SessionError::Ended { .. })));
}

#[test]
fn a_changed_configuration_holds_for_new_sessions_only() {
    let (manager, _clock) = manager(|settings| settings.timeout.default = Some(Duration::from_secs(10)));
    let joined = join(&manager, CREATE).unwrap();
    let id = joined.info().id.clone();
    drop(joined);
    let changed = SessionConfiguration { lifetime: None, ..SessionConfiguration::default() };
    let counter: Arc<dyn StaticSessionAttribute> = Arc::new(Counter::new(0));
    manager.reconfigure(changed, StaticAttributes::new([("counter", counter)]));
    let old = join(&manager, enter(&id)).unwrap();
    assert_eq!((old.info().timeout, old.attributes().count()), (Some(Duration::from_secs(10)), 0));
    let new = join(&manager, CREATE).unwrap();
    assert_eq!((new.info().timeout, new.attributes().count()), (Some(Duration::from_mins(10)), 1));
    assert_eq!(new.info().lifetime_expires, None);
}

#[test]
fn those_who_stop_watching_are_forgotten() {
    let (manager, _clock) = manager(|_| {});
    let joined = join(&manager, CREATE).unwrap();
    let slot =
        manager.shared.find(&SessionKey::of(&joined.info().id), &who().principal, manager.shared.time()).unwrap();
    for _ in 0..3 {
        let mut ended = joined.ended();
        assert!((&mut ended).now_or_never().is_none());
        assert!((&mut ended).now_or_never().is_none());
        assert_eq!(slot.state().watchers.as_ref().unwrap().len(), 1);
    }
    assert!(slot.state().watchers.is_none());
}

#[test]
fn who_lost_the_session_takes_no_waker_of_another_with_it() {
    // Behaviour 20: the next holder is told to stop, whatever its predecessor does meanwhile.
    let (manager, clock) = manager(|settings| settings.join.execution = Some(Duration::from_secs(10)));
    let lost = join(&manager, CREATE).unwrap();
    let (id, handle) = (lost.info().id.clone(), lost.info().handle);
    let mut lost_ended = lost.ended();
    assert!((&mut lost_ended).now_or_never().is_none());
    clock.advance(Duration::from_secs(11));
    let joined = join(&manager, enter(&id)).unwrap();
    let stopped = Arc::new(AtomicBool::new(false));
    let bell = Waker::from(Arc::new(Bell(Arc::clone(&stopped))));
    let mut ended = joined.ended();
    assert!(ended.poll_unpin(&mut Context::from_waker(&bell)).is_pending());
    drop(lost_ended);
    manager.shared.end(handle, EndReason::Killed).now_or_never().unwrap().unwrap();
    assert!(stopped.load(Ordering::SeqCst));
}

struct Bell(Arc<AtomicBool>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_session_that_is_released_again_and_again_stands_once_in_the_list_of_deadlines() {
    // Behaviour 31 and the speed of expiry: a release costs nothing there.
    let (manager, clock) = manager(|settings| settings.timeout.default = Some(Duration::from_secs(10)));
    let joined = join(&manager, CREATE).unwrap();
    let id = joined.info().id.clone();
    drop(joined);
    for _ in 0..100 {
        clock.advance(Duration::from_secs(3));
        drop(join(&manager, enter(&id)).unwrap());
        assert_eq!(manager.sweep(), 0);
        assert_eq!(manager.shared.deadlines.len(), 1);
    }
    clock.advance(Duration::from_secs(10));
    assert_eq!(manager.sweep(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_the_real_clock_no_wake_up_is_lost() {
    // Behaviours 12, 13, 17, 18: some commit, some fail, some leave while they wait.
    let mut settings = SessionConfiguration::default();
    settings.join.max_waiters = 1000;
    settings.join.wait = Duration::from_mins(1);
    let manager = TransientSessionManager::new(settings);
    let joined = manager.join(CREATE, &who()).await.unwrap();
    let id = joined.info().id.clone();
    let mut requests = Vec::new();
    for number in 0..400 {
        let (manager, requirement) = (manager.clone(), enter(&id));
        requests.push(tokio::spawn(async move {
            let joining = manager.join(requirement, &who());
            if number % 5 == 0 {
                // Leaves at once, or after a moment, granted or not.
                for _ in 0..number % 3 {
                    tokio::task::yield_now().await;
                }
                return drop(joining);
            }
            let joined = joining.await.unwrap();
            joined.attributes().increment("count", 1).unwrap();
            tokio::task::yield_now().await;
            let outcome = if number % 5 == 1 { Outcome::Discard } else { Outcome::Commit };
            joined.release(outcome).await.unwrap();
        }));
    }
    joined.release(Outcome::Commit).await.unwrap();
    for request in requests {
        request.await.unwrap();
    }
    let joined = manager.join(enter(&id), &who()).await.unwrap();
    assert_eq!(joined.attributes().increment("count", 0), Ok(240));
}

#[tokio::test]
async fn a_polling_time_that_becomes_shorter_counts_at_once() {
    // Behaviour 31.
    let (manager, clock) = manager(|settings| settings.polling_time = Duration::from_hours(24));
    let sweeper = tokio::spawn(manager.maintenance());
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    let settings = SessionConfiguration { polling_time: Duration::from_secs(1), ..SessionConfiguration::default() };
    manager.reconfigure(settings, StaticAttributes::default());
    let who = Participant { principal: Principal::anonymous(), request_id: uuid::Uuid::nil() };
    let joined = manager.join(SessionRequirement::Create { timeout: None }, &who).await.unwrap();
    joined.release(Outcome::Commit).await.unwrap();
    // Half a day, in minutes.
    for _ in 0..720 {
        clock.advance(Duration::from_mins(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(manager.statistics().explicit, 0, "somebody looks every second now");
    sweeper.abort();
}
