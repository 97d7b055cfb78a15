//! What comes of a store that is slow, or fails, at a bad moment.

use std::sync::Arc;
use std::time::Duration;

use futures_util::poll;

use super::gated::{Loading, refusal};
use super::writing::{Machine, create, enter, join, try_enter, who};
use crate::document::SessionConfiguration;
use crate::session::{
    Access, AnswerAccount, AnswerScope, Durability, DurableSessionManager, EndReason, ManualClock, Outcome, Remember,
    SessionError, SessionManager, SessionRequirement, SessionStore, SqliteStore, StoreError,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_panics_fails_and_the_next_one_may_work() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    drop(manager);
    let manager = machine.start();
    machine.store.loads(Loading::Panics);
    let broken = SessionError::Store(StoreError::Failed { reason: "it panicked".into() });
    for _ in 0..2 {
        assert_eq!(try_enter(&manager, &id).await.unwrap_err(), broken);
    }
    machine.store.loads(Loading::Works);
    assert!(try_enter(&manager, &id).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_do_not_load_are_not_looked_at_for_ever() {
    let machine = Machine::new();
    let manager = machine.start();
    let mut ids = Vec::new();
    for _ in 0..300 {
        ids.push(create(&manager).await.0);
    }
    // They are used again, so they live for longer than the store was told at first.
    machine.clock.advance(Duration::from_secs(30));
    for id in &ids {
        enter(&manager, id).await.release(Outcome::Commit).await.unwrap();
    }
    drop(manager);
    let manager = machine.start();
    machine.store.loads(Loading::Fails);
    machine.clock.advance(Duration::from_secs(40));
    let maintenance = tokio::spawn(manager.maintenance());
    while machine.store.rounds() == 0 || manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
    // Nothing but the clock lets it look again.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(machine.store.rounds(), 1, "the next look comes with the next round");
    machine.store.loads(Loading::Works);
    while manager.statistics().explicit > 0 {
        machine.clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    maintenance.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_damaged_session_does_not_keep_the_others_from_ending() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let path = folder.path().join("sessions");
    let store = Arc::new(SqliteStore::open(&path, Durability::Os).unwrap());
    let start = || {
        let mut settings = SessionConfiguration::default();
        settings.timeout.default = Some(Duration::from_mins(1));
        let builder = DurableSessionManager::builder(settings, Arc::clone(&store) as Arc<dyn SessionStore>);
        builder.clock(Arc::new(clock.clone())).open().unwrap()
    };
    let manager = start();
    let (_, damaged) = create(&manager).await;
    for _ in 0..5 {
        create(&manager).await;
    }
    drop(manager);
    let manager = start();
    let connection = rusqlite::Connection::open(path.join("sessions.db")).unwrap();
    let row = [damaged.uuid().into_bytes()];
    assert_eq!(connection.execute("UPDATE session SET fence = fence + 1 WHERE handle = ?1", row).unwrap(), 1);
    clock.advance(Duration::from_secs(70));
    let maintenance = tokio::spawn(manager.maintenance());
    let ended = tokio::time::timeout(Duration::from_mins(1), async {
        while manager.statistics().explicit > 1 {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    });
    ended.await.expect("they end in the first rounds");
    assert_eq!(manager.statistics().store.unwrap().damaged, 1);
    maintenance.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_refuses_fails_alone() {
    let machine = Machine::new();
    let manager = machine.start();
    let ((good, _), (bad, handle), (blocking, _)) =
        (create(&manager).await, create(&manager).await, create(&manager).await);
    machine.store.refuse(Some(handle));
    // Both are written at once, behind another.
    machine.store.close();
    let mut releases = Vec::new();
    for id in [&blocking, &good, &bad] {
        let joined = enter(&manager, id).await;
        joined.attributes().increment("n", 1).unwrap();
        releases.push(Box::pin(joined.release(Outcome::Commit)));
        assert!(poll!(releases.last_mut().unwrap()).is_pending());
        if releases.len() == 1 {
            machine.store.reached().await;
            machine.store.take();
        }
    }
    machine.store.open();
    let mut outcomes = Vec::new();
    for release in releases {
        outcomes.push(release.await.map(drop));
    }
    assert_eq!(outcomes, [Ok(()), Ok(()), Err(SessionError::Store(refusal()))]);
    assert!(machine.store.take().iter().any(|batch| batch.len() >= 2), "they were in one batch");
    // It stays as it was, and goes on when the store takes it again.
    machine.store.refuse(None);
    let joined = enter(&manager, &bad).await;
    joined.attributes().increment("n", 1).unwrap();
    joined.release(Outcome::Commit).await.unwrap();
    // An end that is refused is not tried for ever.
    machine.store.refuse(Some(handle));
    assert_eq!(manager.end(handle, EndReason::Killed).await, Err(SessionError::Store(refusal())));
    machine.clock.advance(Duration::from_secs(70));
    assert!(matches!(try_enter(&manager, &bad).await, Err(SessionError::Ended { .. })));
    while manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(try_enter(&manager, &bad).await, Err(SessionError::Ended { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_read_while_the_disk_is_slow_little_waits() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    machine.store.close();
    drop(enter(&manager, &id).await);
    machine.store.reached().await;
    for _ in 0..1000 {
        manager.join(join(&id, Access::Read), &who()).await.unwrap().release(Outcome::Discard).await.unwrap();
    }
    let waiting = manager.shared().errands();
    machine.store.open();
    assert!(waiting <= 2, "{waiting}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_lazily_leaves_the_number_of_the_last_request() {
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    let remember = Remember {
        scope: AnswerScope([7; 32]),
        session: Some(handle),
        account: AnswerAccount::new(&who().principal, None),
        until: crate::session::Moment::NEVER,
        sequence: Some(5),
        answer: Box::new(|_| bytes::Bytes::new()),
    };
    enter(&manager, &id).await.release_with(Outcome::Commit, Some(remember)).await.unwrap();
    machine.store.take();
    drop(enter(&manager, &id).await);
    while manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
    assert!(!machine.store.take().is_empty(), "that it was used again is written");
    assert_eq!(machine.store.load(handle).unwrap().unwrap().record.sequence, 5);
    drop(manager);
    // And after a restart.
    let manager = machine.start();
    let joined = manager.join(
        SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Exclusive, rotate: false },
        &who(),
    );
    joined.await.unwrap().release(Outcome::Commit).await.unwrap();
    assert_eq!(machine.store.load(handle).unwrap().unwrap().record.sequence, 5);
}
