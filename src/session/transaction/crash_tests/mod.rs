//! A process that dies in the middle of a commit, and the next one: all databases agree in the end.

mod world;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use uuid::Uuid;

use self::world::{Fate, Stands, World, runtime, session};
use super::*;
use crate::session::{Principal, StaticSessionAttribute as _};

#[test]
fn wherever_a_process_dies_all_databases_agree() {
    let places = ["before prepare", "after prepare", "before commit", "after commit"];
    for (number, place) in (0..3).flat_map(|number| places.map(|place| (number, place))) {
        let world = World::new(3, None);
        let id = world.die((number, place));
        let state = world.recover(id);
        let (stands, expected) = match place {
            "before prepare" | "after prepare" => (Stands::RolledBack, TransactionState::RolledBack),
            _ => (Stands::Committed, TransactionState::Committed),
        };
        assert_eq!(world.states(), [[stands]; 3], "it died at {number}, {place}");
        assert_eq!(state, expected, "it died at {number}, {place}");
    }
}

#[test]
fn one_that_cannot_prepare_is_the_last_and_is_believed_what_it_did() {
    for last in 0..3 {
        for (number, place) in [(last, "before commit"), (last, "after commit"), ((last + 1) % 3, "before commit")] {
            let world = World::new(3, Some(last));
            let id = world.die((number, place));
            let state = world.recover(id);
            let is_committed = number != last || place == "after commit";
            let expected = if is_committed { Stands::Committed } else { Stands::RolledBack };
            assert_eq!(world.states(), [[expected]; 3], "last {last}, died at {number}, {place}");
            assert_eq!(state == TransactionState::Committed, is_committed, "last {last}, died at {number}, {place}");
        }
    }
}

#[test]
fn one_database_alone_is_never_in_doubt() {
    for (last, place, committed) in [
        (None, "after prepare", false),
        (None, "before commit", true),
        (Some(0), "before commit", false),
        (Some(0), "after commit", true),
    ] {
        let world = World::new(1, last);
        let id = world.die((0, place));
        let state = if committed { TransactionState::Committed } else { TransactionState::RolledBack };
        assert_eq!(until_known(&world, id, state), state, "{last:?} {place}");
    }
}

/// A witness is asked in the background, also where nothing is prepared.
fn until_known(world: &World, id: Uuid, expected: TransactionState) -> TransactionState {
    runtime().block_on(async {
        let manager = world.manager();
        let known = async {
            loop {
                let report = manager.state(&session(), Some(id), &Principal::new("u-1")).await.unwrap();
                if report.state == expected {
                    return report.state;
                }
                manager.refresh();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), known).await.expect("it is known in the end")
    })
}

#[test]
fn a_database_that_does_not_answer_is_asked_until_it_does() {
    let world = World::new(2, None);
    runtime().block_on(async {
        let (manager, session) = (world.manager(), session());
        let fate = Arc::new(Fate { at: Some((0, "after commit")), ..Fate::default() });
        world.begin(&manager, &session, &fate).await;
        {
            let mut commit = std::pin::pin!(manager.commit(&session));
            tokio::select! {
                done = &mut commit => panic!("{done:?}"),
                () = fate.is_there.notified() => world.databases[1].is_down.store(true, Ordering::Release),
            }
        }
        // The process goes on; only this commit never does. What it has decided holds, but it is still at it.
        manager.refresh();
        tokio::task::yield_now().await;
        assert_eq!(world.states(), [[Stands::Committed], [Stands::Prepared]]);
    });
    runtime().block_on(async {
        let manager = world.manager();
        for _ in 0..10 {
            manager.refresh();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(world.states()[1], [Stands::Prepared], "it is down");
        world.databases[1].is_down.store(false, Ordering::Release);
        world.until_settled(&manager).await;
        assert_eq!(world.states(), [[Stands::Committed]; 2]);
    });
}

#[tokio::test]
async fn a_database_that_goes_down_after_the_decision_is_committed_later() {
    let world = World::new(2, None);
    let (manager, session) = (world.manager(), session());
    let id = world.begin(&manager, &session, &Arc::default()).await;
    // It goes down when the first is told to commit: its own commit is refused.
    let second = Arc::clone(&world.databases[1]);
    let transaction = manager.current(&session).unwrap();
    let watching = tokio::spawn(async move {
        while !second.states().contains(&Stands::Prepared) {
            tokio::task::yield_now().await;
        }
        second.is_down.store(true, Ordering::Release);
    });
    manager.commit(&session).await.unwrap();
    watching.await.unwrap();
    assert_eq!(transaction.state(), TransactionState::Committed, "what is decided holds");
    world.databases[1].is_down.store(false, Ordering::Release);
    world.until_settled(&manager).await;
    assert_eq!(world.states(), [[Stands::Committed]; 2]);
    let state = manager.state(&session, Some(id), &Principal::new("u-1")).await.unwrap().state;
    assert_eq!(state, TransactionState::Committed);
}

/// A transaction of two databases, the first of which has come to that when its connection is lost while it prepares.
async fn lose_while_preparing(world: &World, stands: Stands) -> TransactionManager {
    let (manager, session) = (world.manager(), session());
    // Nothing is due any more.
    for _ in 0..100 {
        manager.refresh();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let fate = Arc::new(Fate { loses: Some((0, stands)), ..Fate::default() });
    world.begin(&manager, &session, &fate).await;
    let lost = manager.commit(&session).await.unwrap_err();
    assert!(matches!(lost, TransactionError::RolledBack { .. }), "{lost:?}");
    manager
}

#[tokio::test]
async fn a_branch_that_was_lost_while_it_was_prepared_is_rolled_back() {
    let world = World::new(2, None);
    let manager = lose_while_preparing(&world, Stands::Prepared).await;
    world.until_settled(&manager).await;
    assert_eq!(world.states(), [[Stands::RolledBack]; 2]);
}

#[tokio::test]
async fn a_branch_that_is_prepared_after_all_have_gone_is_found_within_minutes() {
    let world = World::new(2, None);
    let manager = lose_while_preparing(&world, Stands::Open).await;
    for _ in 0..100 {
        manager.refresh();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The statement was under way all the time.
    let xid = *world.databases[0].branches.lock().keys().next().unwrap();
    world.databases[0].enter(xid, Stands::Prepared);
    world.clock.advance(Duration::from_mins(1));
    world.until_settled(&manager).await;
    assert_eq!(world.states(), [[Stands::RolledBack]; 2]);
}

#[test]
fn of_what_holds_in_part_nobody_says_that_it_was_rolled_back() {
    let owner = Principal::new("u-1");
    for dies in [false, true] {
        let world = World::new(2, [0, 1]);
        let id = if dies {
            world.die((0, "after commit"))
        } else {
            world.databases[1].refuses.store(true, Ordering::Release);
            runtime().block_on(async {
                let (manager, session) = (world.manager(), session());
                let id = world.begin(&manager, &session, &Arc::default()).await;
                let error = manager.commit(&session).await.unwrap_err();
                assert_eq!(error.code(), "TransactionPartlyCommitted", "{error}");
                let state = manager.state(&session, None, &owner).await.unwrap().state;
                assert_eq!(state, TransactionState::Failed);
                id
            })
        };
        assert_eq!(world.states(), [[Stands::Committed], [Stands::RolledBack]]);
        assert_eq!(world.recover(id), TransactionState::Failed, "it died: {dies}");
    }
}

#[test]
fn several_that_cannot_prepare_are_committed_or_rolled_back_all_the_same() {
    for (refuses, expected) in [(None, TransactionState::Committed), (Some(0), TransactionState::RolledBack)] {
        let world = World::new(3, [0, 1]);
        if let Some(number) = refuses {
            world.databases[number].refuses.store(true, Ordering::Release);
        }
        let id = runtime().block_on(async {
            let (manager, session) = (world.manager(), session());
            let id = world.begin(&manager, &session, &Arc::default()).await;
            assert_eq!(manager.commit(&session).await.is_ok(), refuses.is_none());
            id
        });
        assert_eq!(world.recover(id), expected);
    }
}

#[tokio::test]
async fn a_database_whose_driver_panics_is_asked_again() {
    let world = World::new(1, None);
    let manager = world.manager();
    world.databases[0].panics.store(true, Ordering::Release);
    let own = Xid { log: own_log(&world), transaction: Uuid::from_u128(2), branch: 0 };
    world.databases[0].enter(own, Stands::Prepared);
    world.until_settled(&manager).await;
    assert!(!world.databases[0].panics.load(Ordering::Acquire));
}

#[tokio::test]
async fn branches_of_other_logs_are_left_alone() {
    let world = World::new(1, None);
    let foreign = Xid { log: LogId::new(1), transaction: Uuid::from_u128(1), branch: 0 };
    world.databases[0].enter(foreign, Stands::Prepared);
    let manager = world.manager();
    let own = Xid { log: own_log(&world), transaction: Uuid::from_u128(2), branch: 0 };
    world.databases[0].enter(own, Stands::Prepared);
    let settled = async {
        while world.databases[0].branches.lock()[&own] == Stands::Prepared {
            manager.refresh();
            // A round that came before the branch has found nothing, and none is due.
            log::DecisionLog::open(world.log()).unwrap().leave_behind();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), settled).await.unwrap();
    assert_eq!(
        world.databases[0].branches.lock()[&own],
        Stands::RolledBack,
        "nobody has decided: presumed to be aborted"
    );
    assert_eq!(world.databases[0].branches.lock()[&foreign], Stands::Prepared);
}

fn own_log(world: &World) -> LogId {
    log::DecisionLog::open(world.log()).unwrap().id()
}

#[tokio::test]
async fn nobody_else_is_told_what_became_of_a_transaction() {
    let world = World::new(2, None);
    let (manager, own_session) = (world.manager(), session());
    let id = world.begin(&manager, &own_session, &Arc::default()).await;
    manager.commit(&own_session).await.unwrap();
    for (owner, is_told) in [("u-1", true), ("u-2", false)] {
        let state = manager.state(&session(), Some(id), &Principal::new(owner)).await;
        assert_eq!(state.is_ok(), is_told, "{owner}: {state:?}");
    }
}

#[test]
fn a_log_belongs_to_one_process_and_its_id_stays() {
    let folder = tempfile::tempdir().unwrap();
    let log = log::DecisionLog::open(folder.path()).unwrap();
    let again = log::DecisionLog::open(folder.path()).unwrap();
    assert!(Arc::ptr_eq(&log, &again), "in one process it is the same");
    let other = rusqlite::Connection::open(folder.path().join("transactions.db")).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    assert!(other.execute_batch("BEGIN IMMEDIATE").is_err(), "another one does not get it");
    let (id, weak): (LogId, Weak<_>) = (log.id(), Arc::downgrade(&log));
    drop((log, again));
    assert!(weak.upgrade().is_none());
    assert_eq!(log::DecisionLog::open(folder.path()).unwrap().id(), id);
    std::fs::write(folder.path().join("other"), "").unwrap();
    let foreign = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(foreign.path().join("transactions.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert_eq!(log::DecisionLog::open(foreign.path()).unwrap_err(), LogError::Foreign);
}
