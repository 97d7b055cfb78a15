//! What outlives the process.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::poll;

use super::Make;
use super::stage::{Log, Probe, Stage, commit, integer, seconds, work};
use crate::block::{Block, Scalar, StreamType, pipe};
use crate::session::{
    Access, AttributeValue, Clock as _, EndReason, NewStream, Principal, SessionError, SessionFilter, SessionId,
    SessionRequirement, SessionState, StoredStream,
};

const CREATE: SessionRequirement = SessionRequirement::Create { timeout: None };

/// A session that was released with an integer `x` of that value.
async fn kept(stage: &Stage, value: i64) -> SessionId {
    let joined = stage.create().await;
    joined.attributes().set("x", Scalar::Integer(value)).unwrap();
    let id = joined.info().id.clone();
    commit(joined).await;
    id
}

fn rows(texts: &[&'static str]) -> StoredStream {
    let mut stream = StoredStream::new(StreamType::Text);
    for text in texts {
        stream.push(Block::Text((*text).into())).unwrap();
    }
    stream
}

pub(crate) async fn what_was_released_is_there_after_a_restart(make: Make) {
    // Behaviours 60 and 68.
    let stage = Stage::new(make);
    let joined = stage.create().await;
    let (id, handle) = (joined.info().id.clone(), joined.info().handle);
    for (name, value) in
        [("text", Scalar::Text("a".into())), ("real", Scalar::Real(0.5)), ("gone", Scalar::Boolean(true))]
    {
        joined.attributes().set(name, value).unwrap();
    }
    joined.attributes().append("log", &rows(&["a", "b"])).unwrap();
    commit(joined).await;
    let joined = stage.enter(&id).await.unwrap();
    joined.attributes().append("log", &rows(&["c"])).unwrap();
    joined.attributes().remove("gone").unwrap();
    joined.attributes().set("text", Scalar::Xml("<b/>".into())).unwrap();
    commit(joined).await;
    let owner = Principal::new("owner");
    let before = stage.manager.describe(&id, &owner).await.unwrap();
    let stage = stage.reopened();
    let after = stage.manager.describe(&id, &owner).await.unwrap();
    assert_eq!((after.attributes, after.status.bytes), (before.attributes, before.status.bytes));
    assert_eq!(after.status.created, before.status.created);
    let joined = stage.enter(&id).await.unwrap();
    assert_eq!(joined.info().handle, handle);
    assert_eq!(joined.attributes().get("text").and_then(|it| it.scalar()), Some(Scalar::Xml("<b/>".into())));
    let Some(AttributeValue::Stream(log)) = joined.attributes().get("log") else { panic!("no stream") };
    assert_eq!(log.block_count(), 3);
    // And again, from what was loaded.
    joined.attributes().append("log", &rows(&["d"])).unwrap();
    commit(joined).await;
    let stage = stage.reopened();
    let joined = stage.enter(&id).await.unwrap();
    let Some(AttributeValue::Stream(log)) = joined.attributes().get("log") else { panic!("no stream") };
    assert_eq!(log.block_count(), 4);
}

pub(crate) async fn a_request_that_ran_leaves_nothing(make: Make) {
    // Behaviour 60: changes that were not released are gone.
    let stage = Stage::new(make);
    let id = kept(&stage, 1).await;
    let unreleased = stage.create().await;
    let never_written = unreleased.info().id.clone();
    let running = stage.enter(&id).await.unwrap();
    running.attributes().increment("x", 1).unwrap();
    // It never comes to a release.
    std::mem::forget(running);
    drop(unreleased);
    let stage = stage.crashed();
    let joined = stage.enter(&id).await.unwrap();
    assert_eq!(integer(&joined, "x"), Some(1));
    assert!(stage.enter(&never_written).await.is_ok(), "one that was given back unchanged is there");
}

pub(crate) async fn lifetimes_go_on_over_a_restart(make: Make) {
    // Behaviour 68.
    let stage = Stage::with(make, |setup| setup.settings.lifetime = Some(seconds(60)));
    let (idle, busy) = (kept(&stage, 1).await, kept(&stage, 2).await);
    let wall = stage.clock.wall();
    stage.clock.advance(seconds(6));
    assert!(stage.is_alive(&busy).await);
    let stage = stage.reopened();
    stage.clock.advance(seconds(4));
    let expected = SessionError::Ended { reason: EndReason::Idle, at: wall + seconds(10) };
    assert_eq!(stage.enter(&idle).await.unwrap_err(), expected);
    let mut stage = stage;
    for _ in 0..9 {
        stage.clock.advance(seconds(5));
        assert!(stage.is_alive(&busy).await);
        stage = stage.reopened();
    }
    stage.clock.advance(seconds(5));
    let expected = SessionError::Ended { reason: EndReason::Lifetime, at: wall + seconds(60) };
    assert_eq!(stage.enter(&busy).await.unwrap_err(), expected);
}

pub(crate) async fn a_step_of_the_wall_clock_over_a_restart_changes_nothing(make: Make) {
    // Behaviours 32 and 68.
    for step in [TimeDelta::hours(1000), TimeDelta::hours(-1000)] {
        let stage = Stage::new(make);
        let id = kept(&stage, 1).await;
        stage.clock.advance(seconds(4));
        stage.clock.step_wall(step);
        let stage = stage.reopened();
        stage.clock.advance(Duration::from_millis(5999));
        assert!(stage.is_alive(&id).await, "{step}");
        stage.clock.advance(seconds(10));
        assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle), "{step}");
    }
}

pub(crate) async fn ends_are_told_after_a_restart(make: Make) {
    // Behaviours 34, 35, 36 and 68.
    let stage = Stage::with(make, |setup| setup.settings.retention = seconds(100));
    let (idle, terminated, killed) = (kept(&stage, 1).await, kept(&stage, 2).await, stage.create().await);
    let killed_id = killed.info().id.clone();
    stage.manager.end(killed.info().handle, EndReason::Killed).await.unwrap();
    drop(killed);
    commit(stage.terminate(&terminated, true).await.unwrap()).await;
    stage.clock.advance(seconds(10));
    let expected = stage.enter(&idle).await.unwrap_err();
    let stage = stage.reopened();
    assert_eq!(stage.enter(&idle).await.unwrap_err(), expected);
    assert_eq!(stage.end_of(&terminated).await, Some(EndReason::Terminated));
    assert_eq!(stage.end_of(&killed_id).await, Some(EndReason::Killed));
    assert_eq!(stage.join_as("stranger", work(&idle, None)).await.unwrap_err(), SessionError::NotFound);
    commit(stage.terminate(&terminated, false).await.unwrap()).await;
    stage.clock.advance(seconds(90));
    assert_eq!(stage.end_of(&terminated).await, None);
    assert_eq!(stage.end_of(&idle).await, Some(EndReason::Idle));
}

pub(crate) async fn rotated_ids_hold_and_are_noticed_after_a_restart(make: Make) {
    // Behaviours 54 and 68.
    let rotate = |id: &SessionId| SessionRequirement::Join {
        id: id.clone(),
        wait: None,
        access: Access::Exclusive,
        rotate: true,
    };
    let stage = Stage::with(make, |setup| setup.settings.timeout.default = Some(seconds(1000)));
    let old = kept(&stage, 1).await;
    let joined = stage.join(rotate(&old)).await.unwrap();
    let new = joined.info().id.clone();
    commit(joined).await;
    // One that fails takes no id away: also when it was the last thing that happened.
    let joined = stage.join(rotate(&new)).await.unwrap();
    let newest = joined.info().id.clone();
    drop(joined);
    let stage = stage.reopened();
    for id in [&new, &newest] {
        assert_eq!(integer(&stage.read(id).await.unwrap(), "x"), Some(1));
    }
    let stage = stage.reopened();
    // The newest was used before this restart.
    assert_eq!(stage.end_of(&new).await, Some(EndReason::Killed));
    let stage = stage.reopened();
    assert_eq!(stage.end_of(&newest).await, Some(EndReason::Killed));
    assert_eq!(stage.end_of(&old).await, Some(EndReason::Killed));
}

pub(crate) async fn fences_rise_over_a_restart(make: Make) {
    // Behaviour 20.
    let mut stage = Stage::new(make);
    let id = kept(&stage, 1).await;
    let mut last = 0;
    for _ in 0..3 {
        for _ in 0..3 {
            let joined = stage.enter(&id).await.unwrap();
            assert!(joined.info().fence > last);
            last = joined.info().fence;
            // Nothing of the last ones is written.
            drop(joined);
        }
        stage = stage.reopened();
    }
}

pub(crate) async fn what_is_alive_ends_its_session_with_the_process(make: Make) {
    // Behaviour 60.
    let (log, heard) = (Log::default(), Log::default());
    let stage = Stage::with(make, |setup| setup.listeners.push(Arc::new(heard.clone())));
    let joined = stage.create().await;
    let (id, handle) = (joined.info().id.clone(), joined.info().handle);
    joined.attributes().set("probe", Probe::value("closed", &log)).unwrap();
    commit(joined).await;
    let other = kept(&stage, 1).await;
    let joined = stage.enter(&other).await.unwrap();
    joined.attributes().set("probe", Probe::value("closed", &log)).unwrap();
    commit(joined).await;
    let joined = stage.enter(&other).await.unwrap();
    joined.attributes().remove("probe").unwrap();
    commit(joined).await;
    assert_eq!(log.take(), ["closed"]);
    stage.clock.advance(seconds(3));
    let wall = stage.clock.wall();
    heard.take();
    let stage = stage.reopened();
    assert!(heard.take().contains(&"ended OwnerLost".into()));
    let expected = SessionError::Ended { reason: EndReason::OwnerLost, at: wall };
    assert_eq!(stage.enter(&id).await.unwrap_err(), expected);
    assert_eq!(stage.manager.inspect(handle).await, Err(SessionError::NotFound));
    assert!(stage.is_alive(&other).await, "what was removed is not missed");
}

pub(crate) async fn what_a_client_was_told_of_ends_its_session_with_the_process(make: Make) {
    // Behaviour 60: streams, and requests that go on without their client.
    let stage = Stage::new(make);
    let (owner, mut ids) = (Principal::new("owner"), Vec::new());
    for read_out in [false, true] {
        let id = kept(&stage, 1).await;
        let joined = stage.enter(&id).await.unwrap();
        let (_writer, reader) = pipe(StreamType::Text);
        let opened = joined.streams().open([NewStream::output("tap", StreamType::Text, None, reader)]).unwrap();
        joined.anchor().await.unwrap();
        opened.complete();
        commit(joined).await;
        if read_out {
            stage.manager.streams(&id, &owner).await.unwrap().remove("tap").unwrap();
        }
        ids.push(id);
    }
    let running = kept(&stage, 1).await;
    let joined = stage.enter(&running).await.unwrap();
    joined.anchor().await.unwrap();
    let done = kept(&stage, 1).await;
    let completed = stage.enter(&done).await.unwrap();
    completed.anchor().await.unwrap();
    commit(completed).await;
    std::mem::forget(joined);
    let stage = stage.crashed();
    assert_eq!(stage.end_of(&ids[0]).await, Some(EndReason::OwnerLost), "its stream was not read");
    assert!(stage.is_alive(&ids[1]).await, "its stream was gone");
    assert_eq!(stage.end_of(&running).await, Some(EndReason::OwnerLost), "its request was running");
    assert!(stage.is_alive(&done).await, "its request was done");
}

pub(crate) async fn stored_sessions_are_listed_described_and_ended(make: Make) {
    // Behaviour 64.
    let stage = Stage::new(make);
    let mut handles = stage.crowd().await;
    let stage = stage.reopened();
    stage.clock.advance(Duration::from_millis(1));
    let joined = stage.create().await;
    handles.push(joined.info().handle);
    let found = async |filter: SessionFilter| -> Vec<_> {
        stage.manager.list(&filter).await.unwrap().iter().map(|session| session.handle).collect()
    };
    assert_eq!(found(SessionFilter::default()).await, handles);
    let page = SessionFilter { after: Some(handles[9]), limit: Some(3), ..SessionFilter::default() };
    assert_eq!(found(page).await, handles[10..13]);
    let labelled = SessionFilter { label: Some("nightly".into()), ..SessionFilter::default() };
    assert_eq!(found(labelled).await, [handles[0], handles[100], handles[200]]);
    let busy = SessionFilter { state: Some(SessionState::Busy), ..SessionFilter::default() };
    assert_eq!(found(busy).await, handles[300..]);
    let strangers = SessionFilter { owner: Some(Principal::new("stranger")), ..SessionFilter::default() };
    assert_eq!(found(strangers).await, []);
    let one = SessionFilter { handle: Some(handles[7]), ..SessionFilter::default() };
    assert_eq!(found(one).await, [handles[7]]);
    // Looking at one does not touch it.
    let listed =
        stage.manager.list(&SessionFilter { limit: Some(1), ..SessionFilter::default() }).await.unwrap().remove(0);
    let described = stage.manager.inspect(handles[0]).await.unwrap();
    assert_eq!((described.status.released, described.attributes.len()), (listed.released, 1));
    stage.manager.end(handles[0], EndReason::Killed).await.unwrap();
    assert_eq!(stage.manager.end(handles[0], EndReason::Killed).await, Err(SessionError::NotFound));
    assert_eq!(found(SessionFilter { limit: Some(1), ..SessionFilter::default() }).await, handles[1..2]);
    // What is over is not shown.
    stage.clock.advance(seconds(10));
    assert_eq!(found(SessionFilter::default()).await, handles[300..]);
}

pub(crate) async fn stored_sessions_count(make: Make) {
    // Behaviour 63.
    let stage = Stage::with(make, |setup| {
        setup.settings.limits.sessions = Some(3);
        setup.settings.limits.per_principal = Some(2);
    });
    let first = kept(&stage, 1).await;
    kept(&stage, 2).await;
    let stage = stage.reopened();
    assert_eq!(stage.manager.statistics().explicit, 2);
    assert_eq!(stage.join(CREATE).await.unwrap_err(), SessionError::QuotaExceeded { limit: 2 });
    commit(stage.join_as("other", CREATE).await.unwrap()).await;
    assert_eq!(stage.join_as("other", CREATE).await.unwrap_err(), SessionError::ServerFull { limit: 3 });
    commit(stage.terminate(&first, false).await.unwrap()).await;
    kept(&stage, 3).await;
}

pub(crate) async fn stored_sessions_end_in_time(make: Make) {
    // Behaviour 31: whether anybody asks for them or not.
    let stage = Stage::new(make);
    for _ in 0..600 {
        kept(&stage, 1).await;
    }
    stage.clock.advance(seconds(8));
    let stays = kept(&stage, 1).await;
    let stage = stage.reopened();
    stage.clock.advance(seconds(3));
    let sweeper = tokio::spawn(stage.manager.maintenance());
    while stage.manager.statistics().explicit > 1 {
        tokio::task::yield_now().await;
    }
    assert!(stage.is_alive(&stays).await);
    assert!(stage.is_alive(&stays).await);
    sweeper.abort();
    let _ = sweeper.await;
    let stage = stage.reopened();
    assert_eq!(stage.manager.statistics().explicit, 1);
}

pub(crate) async fn joins_of_a_stored_session_come_in_their_order(make: Make) {
    // Behaviour 13.
    let stage = Stage::new(make);
    let id = kept(&stage, 1).await;
    let stage = stage.reopened();
    let mut waiting: Vec<_> = (0..5).map(|_| stage.enter(&id)).collect();
    let gone = waiting.remove(2);
    drop(gone);
    let mut last = 0;
    for mut next in waiting {
        let joined = (&mut next).await.unwrap();
        assert!(joined.info().fence > last);
        last = joined.info().fence;
        let mut late = stage.enter(&id);
        assert!(poll!(&mut late).is_pending());
        drop(late);
        commit(joined).await;
    }
}

pub(crate) async fn draining_keeps_sessions_and_lets_nobody_in(make: Make) {
    // Behaviours 60, 62 and 68.
    let (stage, log) = (Stage::new(make), Log::default());
    let idle = kept(&stage, 1).await;
    let joined = stage.create().await;
    let alive = joined.info().id.clone();
    for name in ["first", "second"] {
        joined.attributes().set(name, Probe::value(name, &log)).unwrap();
    }
    commit(joined).await;
    let held = kept(&stage, 1).await;
    let holder = stage.enter(&held).await.unwrap();
    let mut waiting = stage.enter(&held);
    let implicit = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
    let mut drain = Box::pin(stage.manager.drain());
    assert!(poll!(&mut drain).is_pending());
    assert_eq!(log.take(), ["second", "first"]);
    for requirement in [CREATE, SessionRequirement::Implicit { reachable: false }] {
        assert_eq!(stage.join(requirement).await.unwrap_err(), SessionError::Draining);
    }
    assert_eq!(stage.try_enter(&held).await.unwrap_err(), SessionError::Draining);
    assert_eq!(stage.try_enter(&idle).await.unwrap_err(), SessionError::Draining);
    assert!(poll!(&mut waiting).is_pending());
    commit(implicit).await;
    holder.attributes().increment("x", 1).unwrap();
    assert_eq!(commit(holder).await.ended, None);
    assert_eq!(waiting.await.unwrap_err(), SessionError::Draining);
    drain.await;
    assert_eq!(stage.try_enter(&held).await.unwrap_err(), SessionError::Draining);
    stage.manager.drain().await;
    let stage = stage.reopened();
    assert_eq!(integer(&stage.enter(&held).await.unwrap(), "x"), Some(2));
    assert_eq!(integer(&stage.enter(&idle).await.unwrap(), "x"), Some(1));
    assert_eq!(stage.end_of(&alive).await, Some(EndReason::OwnerLost));
}
