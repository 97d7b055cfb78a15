//! Ends, and what is remembered of them.

use futures_util::poll;

use super::Make;
use super::stage::{Log, Probe, Stage, commit, seconds, work};
use crate::session::{Clock as _, EndReason, Interruption, Outcome, SessionError, SessionRequirement};

pub(crate) async fn the_owner_is_told_why_and_when_a_session_ended(make: Make) {
    // Behaviour 34. Lifetime and drain have tests of their own.
    let stage = Stage::new(make);
    let wall = stage.clock.wall();
    let idle = stage.session().await;
    let terminated = stage.session().await;
    stage.clock.advance(seconds(1));
    commit(stage.terminate(&terminated, true).await.unwrap()).await;
    let joined = stage.create().await;
    let killed = joined.info().id.clone();
    stage.manager.end(joined.info().handle, EndReason::Killed).await.unwrap();
    drop(joined);
    stage.clock.advance(seconds(20));
    for (id, reason, after) in
        [(&idle, EndReason::Idle, 10), (&terminated, EndReason::Terminated, 1), (&killed, EndReason::Killed, 1)]
    {
        let expected = SessionError::Ended { reason, at: wall + seconds(after) };
        assert_eq!(stage.enter(id).await.unwrap_err(), expected);
        assert_eq!(stage.read(id).await.unwrap_err(), expected);
        let status = stage.manager.describe(id, &crate::session::Principal::new("owner")).await;
        assert_eq!(status.unwrap_err(), expected);
    }
}

pub(crate) async fn everybody_else_is_told_nothing(make: Make) {
    // Behaviours 35 and 53.
    let stage = Stage::new(make);
    let (alive, ended) = (stage.session().await, stage.session().await);
    commit(stage.terminate(&ended, false).await.unwrap()).await;
    let implicit = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
    let over = implicit.info().id.clone();
    commit(implicit).await;
    for id in [&alive, &ended, &over] {
        assert_eq!(stage.join_as("stranger", work(id, None)).await.unwrap_err(), SessionError::NotFound);
        let terminate = SessionRequirement::Terminate { id: id.clone(), wait: None, activities: false };
        assert_eq!(stage.join_as("stranger", terminate).await.unwrap_err(), SessionError::NotFound);
        let status = stage.manager.describe(id, &crate::session::Principal::anonymous()).await;
        assert_eq!(status.unwrap_err(), SessionError::NotFound);
    }
    assert!(stage.is_alive(&alive).await);
}

pub(crate) async fn an_end_is_remembered_for_its_time(make: Make) {
    // Behaviour 36.
    let stage = Stage::with(make, |setup| setup.settings.retention = seconds(30));
    let id = stage.session().await;
    commit(stage.terminate(&id, true).await.unwrap()).await;
    stage.clock.advance(seconds(29));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Terminated));
    stage.clock.advance(seconds(1));
    assert_eq!(stage.end_of(&id).await, None);
    // It counts from the end, not from when somebody noticed.
    let id = stage.session().await;
    stage.clock.advance(seconds(39));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
    let id = stage.session().await;
    stage.clock.advance(seconds(40));
    assert_eq!(stage.end_of(&id).await, None);
    let forgetful = Stage::with(make, |setup| setup.settings.retention = seconds(0));
    let id = forgetful.session().await;
    commit(forgetful.terminate(&id, true).await.unwrap()).await;
    assert_eq!(forgetful.end_of(&id).await, None);
}

pub(crate) async fn a_slow_request_does_not_revive_a_session(make: Make) {
    // Behaviour 37.
    let stage = Stage::new(make);
    let joined = stage.create().await;
    let id = joined.info().id.clone();
    joined.attributes().increment("x", 1).unwrap();
    let mut ended = joined.ended();
    assert!(poll!(&mut ended).is_pending());
    stage.manager.end(joined.info().handle, EndReason::Killed).await.unwrap();
    let interruption = ended.await;
    assert!(matches!(interruption, Interruption::SessionEnded { reason: EndReason::Killed, .. }), "{interruption:?}");
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Killed));
    let refused = joined.release(Outcome::Commit).await.unwrap_err();
    assert!(matches!(refused, SessionError::Ended { reason: EndReason::Killed, .. }));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Killed));
}

pub(crate) async fn those_who_wait_are_told_of_the_end(make: Make) {
    // Behaviours 7 and 65, for those who wait: they are told, and do not wait for the holder.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let holder = stage.terminate(&id, true).await.unwrap();
    let (first, second) = (tokio::spawn(stage.enter(&id)), tokio::spawn(stage.enter(&id)));
    tokio::task::yield_now().await;
    commit(holder).await;
    for waiting in [first, second] {
        let refused = waiting.await.unwrap().unwrap_err();
        assert!(matches!(refused, SessionError::Ended { reason: EndReason::Terminated, .. }), "{refused:?}");
    }
    // Killed while one holds it and another waits: the waiter does not wait for the holder.
    let id = stage.session().await;
    let holder = stage.enter(&id).await.unwrap();
    let waiting = tokio::spawn(stage.enter(&id));
    tokio::task::yield_now().await;
    stage.manager.end(holder.info().handle, EndReason::Killed).await.unwrap();
    let refused = waiting.await.unwrap().unwrap_err();
    assert!(matches!(refused, SessionError::Ended { reason: EndReason::Killed, .. }));
}

pub(crate) async fn live_attributes_are_closed_latest_first(make: Make) {
    // Behaviour 42.
    let log = Log::default();
    for reason in ["idle", "terminated", "killed", "implicit", "drained"] {
        let stage = Stage::new(make);
        let requirement = match reason {
            "implicit" => SessionRequirement::Implicit { reachable: false },
            _ => SessionRequirement::Create { timeout: None },
        };
        let joined = stage.join(requirement).await.unwrap();
        let (id, handle) = (joined.info().id.clone(), joined.info().handle);
        for name in ["second", "fails", "panics", "a fifth"] {
            joined.attributes().set(name, Probe::value(name, &log)).unwrap();
        }
        // What is set again is created again.
        joined.attributes().set("second", Probe::value("latest", &log)).unwrap();
        commit(joined).await;
        match reason {
            "idle" => {
                stage.clock.advance(seconds(10));
                assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
            }
            "terminated" => assert!(commit(stage.terminate(&id, false).await.unwrap()).await.ended.is_some()),
            "killed" => assert!(stage.manager.end(handle, EndReason::Killed).await.is_ok()),
            "drained" => stage.manager.drain().await,
            _ => {}
        }
        assert_eq!(log.take(), ["second", "latest", "a fifth", "panics", "fails"], "{reason}");
    }
}

pub(crate) async fn a_replaced_or_refused_live_attribute_is_closed(make: Make) {
    // Behaviour 42, without the end of the session.
    let (stage, log) = (Stage::new(make), Log::default());
    let id = stage.session().await;
    let joined = stage.enter(&id).await.unwrap();
    joined.attributes().set("a", Probe::value("first", &log)).unwrap();
    joined.attributes().set("b", Probe::value("stays", &log)).unwrap();
    commit(joined).await;
    // Put there again, it is not replaced.
    let joined = stage.enter(&id).await.unwrap();
    let same = joined.attributes().get("a").unwrap();
    joined.attributes().set("a", same).unwrap();
    commit(joined).await;
    assert!(log.take().is_empty());
    // A request that fails: what it made goes, what was there stays.
    let joined = stage.enter(&id).await.unwrap();
    joined.attributes().set("a", Probe::value("refused", &log)).unwrap();
    joined.attributes().remove("b").unwrap();
    joined.attributes().set("c", Probe::value("refused as well", &log)).unwrap();
    drop(joined);
    assert_eq!(log.take(), ["refused as well", "refused"]);
    // A request that succeeds: what it replaced or removed goes.
    let joined = stage.enter(&id).await.unwrap();
    joined.attributes().remove("b").unwrap();
    joined.attributes().set("a", Probe::value("second", &log)).unwrap();
    assert!(log.take().is_empty(), "not before the commit");
    commit(joined).await;
    assert_eq!(log.take(), ["first", "stays"], "put there again, `first` was the later one");
}
