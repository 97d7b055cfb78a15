//! What operators do and see.

use std::sync::Arc;
use std::time::Duration;

use futures_util::poll;
use uuid::Uuid;

use super::Make;
use super::stage::{Log, Probe, Stage, at_once, commit, seconds};
use crate::block::Scalar;
use crate::session::{
    Access, Clock as _, Counter, EndProgress, EndReason, Interruption, LABEL, LONGEST_LABEL, Outcome, Principal,
    SessionError, SessionEvent, SessionFilter, SessionHandle, SessionListener, SessionRequirement, SessionState,
    StaticAttributes, StaticSessionAttribute,
};

const CREATE: SessionRequirement = SessionRequirement::Create { timeout: None };

pub(crate) async fn there_are_no_more_sessions_than_may_be(make: Make) {
    // Behaviour 63.
    let stage = Stage::with(make, |setup| {
        setup.settings.limits.sessions = Some(3);
        setup.settings.limits.per_principal = Some(2);
    });
    let first = stage.session().await;
    stage.session().await;
    assert_eq!(stage.join(CREATE).await.unwrap_err(), SessionError::QuotaExceeded { limit: 2 });
    commit(stage.join_as("other", CREATE).await.unwrap()).await;
    assert_eq!(stage.join_as("other", CREATE).await.unwrap_err(), SessionError::ServerFull { limit: 3 });
    commit(stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap()).await;
    commit(stage.terminate(&first, true).await.unwrap()).await;
    stage.session().await;
}

pub(crate) async fn sessions_that_are_over_make_room(make: Make) {
    // Behaviours 26 and 63: whether anybody has swept or not.
    let stage = Stage::with(make, |setup| setup.settings.limits.sessions = Some(100));
    for _ in 0..100 {
        stage.session().await;
    }
    assert_eq!(stage.join(CREATE).await.unwrap_err(), SessionError::ServerFull { limit: 100 });
    stage.clock.advance(seconds(10));
    stage.session().await;
}

pub(crate) async fn operators_list_sessions_by_pages_and_owners(make: Make) {
    // Behaviour 64.
    let stage = Stage::new(make);
    let mut handles = Vec::new();
    for number in 0..600 {
        stage.clock.advance(Duration::from_millis(1));
        let owner = if number % 3 == 0 { "other" } else { "owner" };
        let joined = stage.join_as(owner, CREATE).await.unwrap();
        joined.attributes().increment("x", 1).unwrap();
        handles.push(joined.info().handle);
        commit(joined).await;
    }
    let manager = &stage.manager;
    let list = |filter: SessionFilter| async move { manager.list(&filter).await.unwrap() };
    let all = list(SessionFilter::default()).await;
    let shown: Vec<_> = all.iter().map(|session| session.handle).collect();
    assert_eq!(shown, handles, "in the order of their creation");
    assert_eq!((all[0].attributes, all[0].bytes, all[0].fence, all[0].state), (1, 9, 1, SessionState::Available));
    let filter = SessionFilter { after: Some(handles[9]), limit: Some(2), ..SessionFilter::default() };
    let page: Vec<_> = list(filter).await.iter().map(|session| session.handle).collect();
    assert_eq!(page, handles[10..12]);
    let own = list(SessionFilter { owner: Some(Principal::new("other")), ..SessionFilter::default() }).await;
    assert_eq!(own.len(), 200);
    let one = list(SessionFilter { handle: Some(handles[7]), ..SessionFilter::default() }).await;
    assert_eq!(one.iter().map(|session| session.handle).collect::<Vec<_>>(), [handles[7]]);
}

pub(crate) async fn a_session_is_described_without_being_touched(make: Make) {
    // Behaviour 64.
    let greeting: Arc<dyn StaticSessionAttribute> = Arc::new(Counter::new(0));
    let stage = Stage::with(make, |setup| setup.statics = StaticAttributes::new([("b", Arc::clone(&greeting))]));
    let (owner, joined) = (Principal::new("owner"), stage.create().await);
    let (id, handle) = (joined.info().id.clone(), joined.info().handle);
    joined.attributes().set("a", Scalar::Text("four".into())).unwrap();
    joined.attributes().increment("c", 1).unwrap();
    let unreleased = stage.manager.describe(&id, &owner).await.unwrap();
    assert_eq!((unreleased.status.attributes, unreleased.attributes.len()), (1, 1), "as last released");
    assert_eq!(unreleased.status.state, SessionState::Busy);
    commit(joined).await;
    stage.clock.advance(seconds(6));
    let description = stage.manager.describe(&id, &owner).await.unwrap();
    assert_eq!(stage.manager.inspect(handle).await, Ok(description.clone()));
    let shown: Vec<_> = description.attributes.iter().map(|it| (&*it.name, it.type_name, it.bytes)).collect();
    assert_eq!(shown, [("a", "text", Some(5)), ("b", "counter", None), ("c", "integer", Some(9))]);
    assert_eq!((description.status.attributes, description.status.bytes), (3, 14));
    // Looking does not keep it alive, and what is over is not there, whether anybody has swept or not.
    stage.clock.advance(seconds(4));
    assert_eq!(stage.manager.inspect(handle).await, Err(SessionError::NotFound));
    let ended = stage.manager.describe(&id, &owner).await.unwrap_err();
    assert!(matches!(ended, SessionError::Ended { reason: EndReason::Idle, .. }));
    // One that is closing is there for operators; its owner is told of the end.
    let holder = stage.create().await;
    let (id, handle) = (holder.info().id.clone(), holder.info().handle);
    stage.manager.end(handle, EndReason::Terminated).await.unwrap();
    assert_eq!(stage.manager.inspect(handle).await.unwrap().status.state, SessionState::Closing);
    assert!(matches!(stage.manager.describe(&id, &owner).await, Err(SessionError::Ended { .. })));
}

pub(crate) async fn sessions_are_found_by_what_they_do_and_are_called(make: Make) {
    // Behaviour 64: labels, states and pages that count what was found.
    let stage = Stage::new(make);
    let nightly: Vec<SessionHandle> = stage.crowd().await.into_iter().step_by(100).collect();
    let strange = stage.create().await;
    strange.attributes().set(LABEL, Scalar::Text("x".repeat(LONGEST_LABEL + 1).into())).unwrap();
    let strange_handle = strange.info().handle;
    commit(strange).await;
    let implicit = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
    let found = async |filter: SessionFilter| -> Vec<SessionHandle> {
        stage.manager.list(&filter).await.unwrap().iter().map(|session| session.handle).collect()
    };
    let labelled = SessionFilter { label: Some("nightly".into()), ..SessionFilter::default() };
    assert_eq!(found(labelled.clone()).await, nightly);
    let first = SessionFilter { limit: Some(2), ..labelled.clone() };
    assert_eq!(found(first.clone()).await, nightly[..2], "a limit counts what was found");
    assert_eq!(found(SessionFilter { after: Some(nightly[1]), ..first }).await, nightly[2..]);
    assert_eq!(found(SessionFilter { state: Some(SessionState::Busy), ..labelled }).await, []);
    let busy = SessionFilter { state: Some(SessionState::Busy), ..SessionFilter::default() };
    assert_eq!(found(busy).await, [implicit.info().handle]);
    let implicits = SessionFilter { implicit: Some(true), ..SessionFilter::default() };
    assert_eq!(found(implicits).await, [implicit.info().handle]);
    let longest = stage.manager.inspect(strange_handle).await.unwrap();
    assert_eq!(longest.status.label, None, "too long a text is an attribute and no label");
}

pub(crate) async fn an_operator_ends_a_session_that_is_held(make: Make) {
    // Behaviours 64 and 65.
    let (stage, log) = (Stage::new(make), Log::default());
    let joined = stage.create().await;
    let handle = joined.info().handle;
    let since = stage.clock.wall();
    joined.attributes().set("probe", Probe::value("closed", &log)).unwrap();
    commit(joined).await;
    let filter = SessionFilter { handle: Some(handle), ..SessionFilter::default() };
    let id = {
        let joined = stage.create().await;
        let id = joined.info().id.clone();
        commit(joined).await;
        id
    };
    let holder = stage.enter(&id).await.unwrap();
    holder.attributes().set("probe", Probe::value("closed", &log)).unwrap();
    let held = SessionFilter { handle: Some(holder.info().handle), ..SessionFilter::default() };
    let status = stage.manager.list(&held).await.unwrap().remove(0);
    assert_eq!((status.state, status.request, status.held_since), (SessionState::Busy, Some(Uuid::nil()), Some(since)));
    assert_eq!(status.idle_expires, None);
    // One that nobody holds is over at once.
    assert_eq!(stage.manager.end(handle, EndReason::Killed).await, Ok(EndProgress::Closed));
    assert_eq!(log.take(), ["closed"]);
    assert!(stage.manager.list(&filter).await.unwrap().is_empty());
    assert_eq!(stage.manager.end(handle, EndReason::Killed).await, Err(SessionError::NotFound));
    // One that is held is over when its holder has stopped.
    let held = held.handle.unwrap();
    assert_eq!(stage.manager.end(held, EndReason::Killed).await, Ok(EndProgress::Closing));
    assert_eq!(stage.manager.end(held, EndReason::Killed).await, Ok(EndProgress::Closing));
    let closing = SessionFilter { handle: Some(held), ..SessionFilter::default() };
    assert_eq!(stage.manager.list(&closing).await.unwrap()[0].state, SessionState::Closing);
    let interruption = holder.ended().await;
    assert!(matches!(interruption, Interruption::SessionEnded { reason: EndReason::Killed, .. }), "{interruption:?}");
    assert!(log.take().is_empty());
    holder.release(Outcome::Discard).await.unwrap();
    assert_eq!(log.take(), ["closed"]);
    assert!(stage.manager.list(&closing).await.unwrap().is_empty());
    let unknown = SessionHandle::new(Uuid::nil());
    assert_eq!(stage.manager.end(unknown, EndReason::Killed).await, Err(SessionError::NotFound));
}

pub(crate) async fn a_session_that_was_ended_is_forced_when_its_holder_stays(make: Make) {
    // Behaviour 65: forced after a limit.
    let log = Log::default();
    let stage = Stage::with(make, |setup| setup.settings.join.execution = Some(seconds(5)));
    let joined = stage.create().await;
    joined.attributes().set("probe", Probe::value("closed", &log)).unwrap();
    let (id, handle) = (joined.info().id.clone(), joined.info().handle);
    commit(joined).await;
    let stuck = stage.enter(&id).await.unwrap();
    stage.manager.end(handle, EndReason::Killed).await.unwrap();
    let sweeper = tokio::spawn(stage.manager.maintenance());
    while stage.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(log.take().is_empty());
    stage.clock.advance(seconds(6));
    while log.take() != ["closed"] {
        tokio::task::yield_now().await;
    }
    assert!(stage.manager.list(&SessionFilter::default()).await.unwrap().is_empty());
    let refused = stuck.release(Outcome::Commit).await.unwrap_err();
    assert!(matches!(refused, SessionError::Ended { reason: EndReason::Killed, .. }));
    sweeper.abort();
}

pub(crate) async fn draining_lets_requests_finish_and_nobody_in(make: Make) {
    // Behaviours 62 and 68.
    let (stage, log) = (Stage::new(make), Log::default());
    let joined = stage.create().await;
    joined.attributes().set("probe", Probe::value("closed", &log)).unwrap();
    let idle = joined.info().id.clone();
    commit(joined).await;
    let held = stage.session().await;
    let holder = stage.enter(&held).await.unwrap();
    let mut waiting = stage.enter(&held);
    let reader = at_once(stage.read(&held)).unwrap();
    let implicit = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
    let mut drain = Box::pin(stage.manager.drain());
    assert!(poll!(&mut drain).is_pending());
    assert_eq!(log.take(), ["closed"], "what nobody holds ends at once");
    assert_eq!(stage.end_of(&idle).await, Some(EndReason::Drained));
    for requirement in [CREATE, SessionRequirement::Implicit { reachable: false }] {
        assert_eq!(stage.join(requirement).await.unwrap_err(), SessionError::Draining);
    }
    assert_eq!(stage.try_enter(&held).await.unwrap_err(), SessionError::Draining);
    assert!(poll!(&mut waiting).is_pending());
    commit(implicit).await;
    commit(reader).await;
    assert!(poll!(&mut drain).is_pending());
    assert_eq!(commit(holder).await.ended, Some(EndReason::Drained));
    assert!(matches!(waiting.await, Err(SessionError::Ended { reason: EndReason::Drained, .. })));
    drain.await;
    assert_eq!(stage.end_of(&held).await, Some(EndReason::Drained));
    stage.manager.drain().await;
}

pub(crate) async fn draining_does_not_wait_for_ever(make: Make) {
    // Behaviour 62: a request that holds its session for longer than it may is not waited for.
    let stage = Stage::with(make, |setup| setup.settings.join.execution = Some(seconds(5)));
    let (stuck, ended) = (stage.create().await, stage.create().await);
    stage.manager.end(ended.info().handle, EndReason::Killed).await.unwrap();
    let mut drain = Box::pin(stage.manager.drain());
    assert!(poll!(&mut drain).is_pending());
    for _ in 0..6 {
        assert!(poll!(&mut drain).is_pending());
        stage.clock.advance(seconds(1));
    }
    drain.await;
    assert!(stuck.release(Outcome::Commit).await.is_err());
    drop(ended);
}

pub(crate) async fn listeners_hear_everything_in_order(make: Make) {
    // Behaviour 67.
    let log = Log::default();
    let stage = Stage::with(make, |setup| setup.listeners.push(Arc::new(log.clone())));
    let id = stage.session().await;
    assert_eq!(
        log.take(),
        ["created by owner", "joined Exclusive after 0", "released Commit after 0"],
        "the request that creates a session joins it"
    );
    let holder = stage.enter(&id).await.unwrap();
    let waiting = stage.enter(&id);
    stage.clock.advance(seconds(2));
    commit(holder).await;
    drop(waiting.await.unwrap());
    assert_eq!(
        log.take(),
        ["joined Exclusive after 0", "released Commit after 2", "joined Exclusive after 2", "released Discard after 0"]
    );
    stage.clock.advance(seconds(10));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
    assert_eq!(log.take(), ["ended Idle"]);
    commit(stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap()).await;
    assert_eq!(
        log.take(),
        ["created by owner", "joined Exclusive after 0", "released Commit after 0", "ended Completed"]
    );
}

#[derive(Debug)]
struct Clumsy;

impl SessionListener for Clumsy {
    fn joined(&self, _: SessionEvent<'_>, _: Uuid, _: Access, _: Duration) {
        panic!("this listener panics, as this test wants it to");
    }

    fn released(&self, _: SessionEvent<'_>, _: Uuid, _: Outcome, _: Duration) {
        panic!("this listener panics, as this test wants it to");
    }
}

pub(crate) async fn a_listener_that_panics_harms_nobody(make: Make) {
    let log = Log::default();
    let stage = Stage::with(make, |setup| {
        setup.listeners.push(Arc::new(Clumsy));
        setup.listeners.push(Arc::new(log.clone()));
    });
    let id = stage.session().await;
    assert!(stage.is_alive(&id).await);
    assert_eq!(log.take().len(), 5);
}
