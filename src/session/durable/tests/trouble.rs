//! What comes of a store that is slow, or fails, at a bad moment.

use std::time::Duration;

use super::gated::Loading;
use super::writing::{Machine, create, enter, join, try_enter, who};
use crate::session::{
    Access, AnswerScope, Outcome, Remember, SessionError, SessionManager, SessionRequirement, SessionStore as _,
    StoreError,
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
    for _ in 0..300 {
        create(&manager).await;
    }
    drop(manager);
    let manager = machine.start();
    machine.store.loads(Loading::Fails);
    machine.clock.advance(Duration::from_mins(2));
    let maintenance = tokio::spawn(manager.maintenance());
    while machine.store.rounds() == 0 || manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(machine.store.rounds(), 1, "the next look comes with the next round");
    machine.store.loads(Loading::Works);
    maintenance.abort();
    let _ = maintenance.await;
    let maintenance = tokio::spawn(manager.maintenance());
    while manager.statistics().explicit > 0 {
        tokio::task::yield_now().await;
    }
    maintenance.abort();
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
        until: crate::session::Moment::NEVER,
        sequence: Some(5),
        answer: Box::new(|_| bytes::Bytes::new()),
    };
    enter(&manager, &id).await.release_with(Outcome::Commit, Some(remember)).await.unwrap();
    machine.store.take();
    drop(enter(&manager, &id).await);
    while machine.store.take().is_empty() || manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
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
