//! What is written, when, and what comes of it when it can't be.

use std::time::Duration;

use futures_util::poll;

use super::gated::Gated;
use crate::block::{Block, Scalar, StreamType};
use crate::document::SessionConfiguration;
use crate::session::{
    Access, AttributeWrite, Clock as _, DurableSessionManager, EndProgress, EndReason, Joined, ManualClock, Outcome,
    Participant, Principal, SaveSession, SessionError, SessionHandle, SessionId, SessionManager, SessionRequirement,
    SessionWrite, StoreError, StoredStream,
};

/// A store, and the clock of the machine; managers over them come and go.
pub(super) struct Machine {
    pub(super) store: Gated,
    pub(super) clock: ManualClock,
}

pub(super) const EXECUTION: Duration = Duration::from_secs(5);

impl Machine {
    pub(super) fn new() -> Self {
        Self { store: Gated::new(), clock: ManualClock::new() }
    }

    pub(super) fn start(&self) -> DurableSessionManager {
        let mut settings = SessionConfiguration::default();
        settings.timeout.default = Some(Duration::from_mins(1));
        settings.join.execution = Some(EXECUTION);
        let builder = DurableSessionManager::builder(settings, std::sync::Arc::new(self.store.reopen()));
        builder.clock(std::sync::Arc::new(self.clock.clone())).open().unwrap()
    }
}

pub(super) fn who() -> Participant {
    Participant { principal: Principal::new("owner"), request_id: uuid::Uuid::nil() }
}

pub(super) fn join(id: &SessionId, access: Access) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait: Some(Duration::ZERO), access, rotate: false }
}

pub(super) async fn try_enter(manager: &DurableSessionManager, id: &SessionId) -> Result<Joined, SessionError> {
    manager.join(join(id, Access::Exclusive), &who()).await
}

pub(super) async fn enter(manager: &DurableSessionManager, id: &SessionId) -> Joined {
    try_enter(manager, id).await.unwrap()
}

pub(super) async fn create(manager: &DurableSessionManager) -> (SessionId, SessionHandle) {
    let joined = manager.join(SessionRequirement::Create { timeout: None }, &who()).await.unwrap();
    let names = (joined.info().id.clone(), joined.info().handle);
    joined.release(Outcome::Commit).await.unwrap();
    names
}

pub(super) fn count(joined: &Joined) -> Option<Scalar> {
    joined.attributes().get("n").and_then(|value| value.scalar())
}

pub(super) fn saves(batches: &[Vec<SessionWrite>]) -> Vec<&SaveSession> {
    let writes = batches.iter().flatten();
    writes.filter_map(|write| if let SessionWrite::Save(save) = write { Some(save) } else { None }).collect()
}

#[tokio::test]
async fn releases_that_come_while_the_disk_is_busy_are_one_commit() {
    let machine = Machine::new();
    let manager = machine.start();
    let mut joined = Vec::new();
    for _ in 0..11 {
        let (id, _) = create(&manager).await;
        joined.push(enter(&manager, &id).await);
    }
    machine.store.take();
    machine.store.close();
    let mut releases: Vec<_> = joined.into_iter().map(|joined| Box::pin(joined.release(Outcome::Commit))).collect();
    assert!(poll!(&mut releases[0]).is_pending());
    machine.store.reached().await;
    for release in &mut releases[1..] {
        assert!(poll!(release).is_pending());
    }
    machine.store.open();
    for release in releases {
        release.await.unwrap();
    }
    let sizes: Vec<_> = machine.store.take().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 10]);
}

#[tokio::test]
async fn nothing_is_seen_before_it_is_written() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    let joined = enter(&manager, &id).await;
    joined.attributes().increment("n", 1).unwrap();
    machine.store.close();
    let mut release = Box::pin(joined.release(Outcome::Commit));
    assert!(poll!(&mut release).is_pending());
    machine.store.reached().await;
    let reader = manager.join(join(&id, Access::Read), &who()).await.unwrap();
    assert_eq!(count(&reader), None);
    assert!(manager.inspect(handle).await.unwrap().attributes.is_empty());
    // However long it takes, it is not taken from the request, and nothing stops that.
    machine.clock.advance(EXECUTION * 10);
    assert!(matches!(try_enter(&manager, &id).await, Err(SessionError::InUse { .. })));
    assert_eq!(manager.interrupt(&id, &who().principal).await, Ok(false));
    machine.store.open();
    let released = release.await.unwrap();
    let early = machine.clock.wall() + Duration::from_mins(1) - EXECUTION * 10;
    assert_eq!(released.info.idle_expires, Some(early), "the idle time runs from when the request was done");
    drop(reader);
    assert_eq!(count(&enter(&manager, &id).await), Some(Scalar::Integer(1)));
}

#[tokio::test]
async fn who_leaves_while_it_is_written_has_released_all_the_same() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    let joined = enter(&manager, &id).await;
    joined.attributes().increment("n", 1).unwrap();
    machine.store.close();
    let mut release = Box::pin(joined.release(Outcome::Commit));
    assert!(poll!(&mut release).is_pending());
    drop(release);
    machine.store.open();
    let requirement = SessionRequirement::Join { id, wait: None, access: Access::Exclusive, rotate: false };
    assert_eq!(count(&manager.join(requirement, &who()).await.unwrap()), Some(Scalar::Integer(1)));
}

#[tokio::test]
async fn who_leaves_last_begins_the_idle_time_whoever_says_so_last() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    let (reader, joined) = (manager.join(join(&id, Access::Read), &who()).await.unwrap(), enter(&manager, &id).await);
    machine.store.close();
    let mut release = Box::pin(joined.release(Outcome::Commit));
    assert!(poll!(&mut release).is_pending());
    machine.store.reached().await;
    machine.clock.advance(Duration::from_secs(10));
    reader.release(Outcome::Discard).await.unwrap();
    let left = machine.clock.wall();
    machine.store.open();
    release.await.unwrap();
    let idle_expires = manager.inspect(handle).await.unwrap().status.idle_expires;
    assert_eq!(idle_expires, Some(left + Duration::from_mins(1)));
    while manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
    // And so it is written.
    drop(manager);
    let manager = machine.start();
    let idle_expires = manager.inspect(handle).await.unwrap().status.idle_expires;
    assert_eq!(idle_expires, Some(left + Duration::from_mins(1)));
}

#[tokio::test]
async fn a_visit_that_is_noted_late_leaves_alone_who_holds_the_session_by_then() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    // The disk is slow: what follows waits behind another session.
    let (other, _) = create(&manager).await;
    let blocker = enter(&manager, &other).await;
    machine.store.close();
    let mut blocking = Box::pin(blocker.release(Outcome::Commit));
    assert!(poll!(&mut blocking).is_pending());
    machine.store.reached().await;
    // A visit that fails is to be noted.
    machine.clock.advance(Duration::from_secs(1));
    enter(&manager, &id).await.release(Outcome::Discard).await.unwrap();
    // Before it is, another request holds the session, with a change that is not made yet.
    machine.clock.advance(Duration::from_secs(1));
    let holder = enter(&manager, &id).await;
    holder.attributes().increment("n", 1).unwrap();
    machine.store.take();
    machine.store.open();
    blocking.await.unwrap();
    while manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
    let batches = machine.store.take();
    let noted: Vec<_> = saves(&batches).into_iter().filter(|save| save.record.handle == handle).collect();
    for save in &noted {
        assert_eq!((save.attributes.len(), save.record.attributes), (0, 0), "nothing of the holder's");
    }
    assert!(!noted.is_empty());
    // The holder has the session as it had it.
    machine.clock.advance(Duration::from_secs(1));
    holder.release(Outcome::Commit).await.unwrap();
    let batches = machine.store.take();
    let last = &saves(&batches).pop().unwrap().record;
    for SaveSession { record, .. } in noted {
        assert!(record.version < last.version);
        assert_eq!(last.released.since(record.released), Duration::from_secs(2), "since the visit");
    }
    assert_eq!(count(&enter(&manager, &id).await), Some(Scalar::Integer(1)));
}

#[tokio::test]
async fn an_end_comes_after_what_is_being_written() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    let joined = enter(&manager, &id).await;
    joined.attributes().increment("n", 1).unwrap();
    machine.store.close();
    let mut release = Box::pin(joined.release(Outcome::Commit));
    assert!(poll!(&mut release).is_pending());
    let mut end = Box::pin(manager.end(handle, EndReason::Killed));
    assert!(poll!(&mut end).is_pending());
    machine.store.open();
    assert_eq!(release.await.unwrap().ended, None);
    assert_eq!(end.await, Ok(EndProgress::Closed));
    let refused = try_enter(&manager, &id).await.unwrap_err();
    assert!(matches!(refused, SessionError::Ended { reason: EndReason::Killed, .. }), "{refused:?}");
}

#[tokio::test]
async fn only_what_has_changed_is_written() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    let mut stream = StoredStream::new(StreamType::Text);
    stream.push(Block::Text("a".into())).unwrap();
    let joined = enter(&manager, &id).await;
    joined.attributes().append("log", &stream).unwrap();
    joined.attributes().set("large", Scalar::Text("x".repeat(10_000).into())).unwrap();
    joined.release(Outcome::Commit).await.unwrap();
    machine.store.take();
    let joined = enter(&manager, &id).await;
    joined.attributes().append("log", &stream).unwrap();
    joined.attributes().increment("n", 1).unwrap();
    joined.release(Outcome::Commit).await.unwrap();
    let batches = machine.store.take();
    let attributes = &saves(&batches)[0].attributes;
    assert_eq!(attributes.len(), 2);
    assert!(matches!(&attributes[0], AttributeWrite::Append { present: 1, pieces, .. } if pieces.len() == 1));
    assert!(matches!(&attributes[1], AttributeWrite::Set(attribute) if &*attribute.name == "n"));
    // One that only looks writes no attribute, and one that fails nothing but that it was there.
    enter(&manager, &id).await.release(Outcome::Commit).await.unwrap();
    drop(enter(&manager, &id).await);
    drop(manager);
    let batches = machine.store.take();
    assert!(saves(&batches).iter().all(|save| save.attributes.is_empty()));
    assert_eq!(saves(&batches).len(), 2);
}

#[tokio::test]
async fn what_can_not_be_written_is_not_done() {
    // Behaviour 60.
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    let joined = enter(&manager, &id).await;
    joined.attributes().increment("n", 1).unwrap();
    machine.store.store.fail(Some(StoreError::Full));
    let full = SessionError::Store(StoreError::Full);
    assert_eq!(joined.release(Outcome::Commit).await, Err(full.clone()));
    let terminate = SessionRequirement::Terminate { id: id.clone(), wait: None, activities: true };
    let joined = manager.join(terminate, &who()).await.unwrap();
    assert_eq!(joined.release(Outcome::Commit).await, Err(full.clone()));
    assert_eq!(manager.end(handle, EndReason::Killed).await, Err(full.clone()));
    let unknown = SessionId::parse(&"A".repeat(43)).unwrap();
    assert_eq!(try_enter(&manager, &unknown).await.unwrap_err(), full);
    machine.store.store.fail(None);
    let joined = enter(&manager, &id).await;
    assert_eq!(joined.attributes().increment("n", 1), Ok(1));
    joined.release(Outcome::Commit).await.unwrap();
}

#[tokio::test]
async fn what_nobody_waits_for_is_tried_again_until_it_is_written() {
    let machine = Machine::new();
    let manager = machine.start();
    let ((id, _), (over, _)) = (create(&manager).await, create(&manager).await);
    machine.clock.advance(Duration::from_secs(50));
    machine.store.store.fail(Some(StoreError::Full));
    drop(enter(&manager, &id).await);
    machine.clock.advance(Duration::from_secs(10));
    assert!(matches!(try_enter(&manager, &over).await, Err(SessionError::Ended { reason: EndReason::Idle, .. })));
    while machine.store.take().is_empty() {
        tokio::task::yield_now().await;
    }
    machine.store.store.fail(None);
    drop(manager);
    // A second process: the visit has counted, and the end as well.
    let manager = machine.start();
    assert!(try_enter(&manager, &id).await.is_ok());
    assert_eq!(manager.statistics().explicit, 1);
}

#[tokio::test]
async fn sessions_that_nobody_uses_leave_the_memory() {
    let machine = Machine::new();
    let manager = machine.start();
    let mut names = Vec::new();
    for _ in 0..6000 {
        names.push(create(&manager).await);
    }
    let statistics = manager.statistics();
    assert_eq!(statistics.explicit, 6000);
    assert!(statistics.dormant >= 1800, "{statistics:?}");
    for (id, _) in names.iter().step_by(97) {
        let joined = enter(&manager, id).await;
        joined.attributes().increment("n", 1).unwrap();
        joined.release(Outcome::Commit).await.unwrap();
    }
    for (id, _) in names.iter().step_by(97) {
        assert_eq!(count(&enter(&manager, id).await), Some(Scalar::Integer(1)));
    }
    // Large ones leave earlier.
    for (id, _) in names.iter().take(100) {
        let joined = enter(&manager, id).await;
        joined.attributes().set("large", Scalar::Text("x".repeat(1_000_000).into())).unwrap();
        joined.release(Outcome::Commit).await.unwrap();
    }
    assert!(manager.statistics().dormant > 5000, "{:?}", manager.statistics());
}
