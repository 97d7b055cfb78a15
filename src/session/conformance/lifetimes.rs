//! When a session is over.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::poll;

use super::Make;
use super::stage::{Log, Probe, Stage, at_once, commit, seconds, work};
use crate::document::TimeoutWish;
use crate::session::{Clock as _, EndReason, SessionError, SessionFilter, SessionRequirement};

const ALMOST: Duration = Duration::from_millis(9999);
const INSTANT: Duration = Duration::from_millis(1);

pub(crate) async fn idle_time_runs_only_while_nobody_is_joined(make: Make) {
    // Behaviours 24 and 25: a request that is longer than the idle time-out, with somebody sweeping all the time.
    let stage = Stage::new(make);
    let sweeper = tokio::spawn(stage.manager.maintenance());
    let id = stage.session().await;
    let joined = stage.enter(&id).await.unwrap();
    for _ in 0..30 {
        stage.clock.advance(seconds(1));
        tokio::task::yield_now().await;
    }
    commit(joined).await;
    stage.clock.advance(ALMOST);
    assert!(stage.is_alive(&id).await);
    stage.clock.advance(ALMOST + INSTANT);
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
    sweeper.abort();
}

pub(crate) async fn a_reader_keeps_a_session_alive(make: Make) {
    // Behaviour 24: readers are joined.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let reader = at_once(stage.read(&id)).unwrap();
    stage.clock.advance(seconds(30));
    assert!(stage.is_alive(&id).await);
    stage.clock.advance(seconds(30));
    commit(reader).await;
    stage.clock.advance(ALMOST);
    assert!(stage.is_alive(&id).await);
}

pub(crate) async fn an_expired_session_is_refused_though_nobody_swept(make: Make) {
    // Behaviour 26: exact at request time.
    let stage = Stage::new(make);
    let ids = [stage.session().await, stage.session().await, stage.session().await];
    let wall = stage.clock.wall();
    stage.clock.advance(ALMOST);
    assert!(stage.is_alive(&ids[0]).await);
    stage.clock.advance(INSTANT);
    assert!(stage.is_alive(&ids[0]).await);
    let expected = SessionError::Ended { reason: EndReason::Idle, at: wall + seconds(10) };
    assert_eq!(stage.enter(&ids[1]).await.unwrap_err(), expected);
    // The time is that of the end, not that of the discovery.
    stage.clock.advance(seconds(5));
    assert_eq!(stage.read(&ids[2]).await.unwrap_err(), expected);
}

pub(crate) async fn a_busy_session_ends_when_its_lifetime_is_over(make: Make) {
    // Behaviour 27.
    let stage = Stage::with(make, |setup| setup.settings.lifetime = Some(seconds(60)));
    let id = stage.session().await;
    let wall = stage.clock.wall();
    for _ in 0..11 {
        stage.clock.advance(seconds(5));
        assert!(stage.is_alive(&id).await);
    }
    let joined = stage.enter(&id).await.unwrap();
    let mut ended = joined.ended();
    stage.clock.advance(seconds(7));
    assert!(poll!(&mut ended).is_pending(), "the request that is joined may finish");
    let expected = SessionError::Ended { reason: EndReason::Lifetime, at: wall + seconds(60) };
    assert_eq!(stage.enter(&id).await.unwrap_err(), expected, "nobody new comes in");
    assert_eq!(commit(joined).await.ended, Some(EndReason::Lifetime));
    assert_eq!(stage.enter(&id).await.unwrap_err(), expected);
}

pub(crate) async fn a_lifetime_that_is_over_during_a_wait_ends_the_session(make: Make) {
    // Behaviour 21: looked at again after the wait.
    let stage = Stage::with(make, |setup| setup.settings.lifetime = Some(seconds(10)));
    let id = stage.session().await;
    let holder = stage.enter(&id).await.unwrap();
    let mut waiting = stage.join(work(&id, Some(seconds(60))));
    assert!(poll!(&mut waiting).is_pending());
    stage.clock.advance(seconds(11));
    commit(holder).await;
    assert!(matches!(waiting.await, Err(SessionError::Ended { reason: EndReason::Lifetime, .. })));
    // Also when the session was handed over in time, and the waiter came for it too late.
    let id = stage.session().await;
    let holder = stage.enter(&id).await.unwrap();
    let waiting = stage.join(work(&id, Some(seconds(60))));
    stage.clock.advance(seconds(9));
    commit(holder).await;
    stage.clock.advance(seconds(2));
    assert!(matches!(waiting.await, Err(SessionError::Ended { reason: EndReason::Lifetime, .. })));
}

pub(crate) async fn a_wish_is_cut_down_and_reported(make: Make) {
    // Behaviour 28.
    let stage = Stage::with(make, |setup| setup.settings.timeout.max = Some(seconds(20)));
    for (wish, granted) in [
        (TimeoutWish::After(seconds(15)), seconds(15)),
        (TimeoutWish::After(seconds(25)), seconds(20)),
        (TimeoutWish::Unbounded, seconds(20)),
    ] {
        let joined = stage.join(SessionRequirement::Create { timeout: Some(wish) }).await.unwrap();
        assert_eq!(joined.info().timeout, Some(granted));
        let id = joined.info().id.clone();
        commit(joined).await;
        stage.clock.advance(granted.saturating_sub(INSTANT));
        assert!(stage.is_alive(&id).await);
        stage.clock.advance(granted);
        assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
    }
}

pub(crate) async fn without_an_idle_end_the_lifetime_still_holds(make: Make) {
    // Behaviour 30: "-1".
    let stage = Stage::with(make, |setup| {
        setup.settings.timeout.default = None;
        setup.settings.timeout.max = None;
    });
    let joined = stage.create().await;
    assert_eq!((joined.info().timeout, joined.info().idle_expires), (None, None));
    let id = joined.info().id.clone();
    commit(joined).await;
    stage.clock.advance(seconds(999));
    assert!(stage.is_alive(&id).await);
    stage.clock.advance(seconds(1));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Lifetime));
}

pub(crate) async fn a_step_of_the_wall_clock_changes_nothing(make: Make) {
    // Behaviour 32.
    for step in [TimeDelta::hours(1), TimeDelta::hours(-1)] {
        let stage = Stage::new(make);
        let id = stage.session().await;
        stage.clock.step_wall(step);
        stage.clock.advance(ALMOST);
        let joined = stage.enter(&id).await.unwrap();
        assert_eq!(joined.info().idle_expires, Some(stage.clock.wall() + seconds(10)), "by today's clock");
        commit(joined).await;
        stage.clock.step_wall(step);
        stage.clock.advance(seconds(10));
        assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
    }
}

pub(crate) async fn maintenance_frees_what_is_over(make: Make) {
    // Behaviour 31: the polling time is honoured. Behaviour 33: what a session held is freed before its end is forgotten.
    let stage = Stage::with(make, |setup| setup.settings.polling_time = seconds(60));
    let log = Log::default();
    let joined = stage.create().await;
    joined.attributes().set("probe", Probe::value("closed", &log)).unwrap();
    let id = joined.info().id.clone();
    commit(joined).await;
    let sweeper = tokio::spawn(stage.manager.maintenance());
    while stage.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    stage.clock.advance(seconds(59));
    tokio::task::yield_now().await;
    assert!(log.take().is_empty(), "over, but not the time to look");
    assert!(
        stage.manager.list(&SessionFilter::default()).await.unwrap().is_empty(),
        "what is over is not shown either"
    );
    stage.clock.advance(seconds(1));
    while log.take() != ["closed"] {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
    // It stops when the manager is gone.
    let clock = stage.clock.clone();
    drop(stage);
    while !sweeper.is_finished() {
        clock.advance(seconds(60));
        tokio::task::yield_now().await;
    }
    sweeper.await.unwrap();
}
