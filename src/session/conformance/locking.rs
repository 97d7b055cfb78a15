//! One holder at a time.

use std::time::Duration;

use futures_util::poll;

use super::Make;
use super::stage::{Stage, ZERO, at_once, commit, integer, seconds, work};
use crate::session::{Clock as _, EndReason, Interruption, Outcome, SessionError};

pub(crate) async fn two_hundred_parallel_increments_are_two_hundred(make: Make) {
    // Behaviour 12.
    let stage = Stage::with(make, |setup| setup.settings.join.max_waiters = 200);
    let id = stage.session().await;
    let mut requests = Vec::new();
    for _ in 0..200 {
        let (stage, id) = (stage.clone(), id.clone());
        requests.push(tokio::spawn(async move {
            let joined = stage.enter(&id).await.unwrap();
            let before = integer(&joined, "count").unwrap_or(0);
            tokio::task::yield_now().await;
            assert_eq!(joined.attributes().increment("count", 1).unwrap(), before + 1);
            commit(joined).await.info.fence
        }));
    }
    let mut fences = Vec::new();
    for request in requests {
        fences.push(request.await.unwrap());
    }
    fences.sort_unstable();
    fences.dedup();
    assert_eq!(fences.len(), 200, "every holding has a fence of its own");
    let joined = stage.enter(&id).await.unwrap();
    assert_eq!(integer(&joined, "count"), Some(200));
}

pub(crate) async fn waiters_come_in_the_order_in_which_they_came(make: Make) {
    // Behaviour 13.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let mut holder = stage.enter(&id).await.unwrap();
    let mut waiting: Vec<_> = (0..5).map(|_| stage.enter(&id)).collect();
    for index in 0..5 {
        let mut rest = waiting.iter_mut();
        assert!(rest.all(|next| futures_util::FutureExt::now_or_never(next).is_none()));
        commit(holder).await;
        // The first one has it, before it has even looked, and nobody overtakes.
        assert!(stage.try_enter(&id).await.is_err());
        holder = waiting.remove(0).await.unwrap();
        assert_eq!(holder.info().fence, 3 + index);
    }
}

pub(crate) async fn without_waiting_a_held_session_is_in_use(make: Make) {
    // Behaviour 14.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let _holder = stage.enter(&id).await.unwrap();
    let refused = at_once(stage.join(work(&id, ZERO))).unwrap_err();
    assert!(matches!(refused, SessionError::InUse { waiters: 0, .. }), "{refused:?}");
}

pub(crate) async fn a_wait_ends_with_who_holds_the_session_since_when(make: Make) {
    // Behaviour 15.
    let stage = Stage::new(make);
    let id = stage.session().await;
    stage.clock.advance(seconds(1));
    let _holder = stage.enter(&id).await.unwrap();
    let since = stage.clock.wall();
    stage.clock.advance(seconds(1));
    let _another = Box::pin(stage.join(work(&id, Some(seconds(30)))));
    let mut waiting = stage.join(work(&id, Some(seconds(3))));
    assert!(poll!(&mut waiting).is_pending());
    stage.clock.advance(Duration::from_millis(2999));
    assert!(poll!(&mut waiting).is_pending());
    stage.clock.advance(Duration::from_millis(1));
    let refused = waiting.await.unwrap_err();
    let expected = SessionError::InUse { held_since: since, waiters: 1, retry_after: seconds(2) };
    assert_eq!(refused, expected);
    assert!(refused.to_string().contains("2026-01-01T00:00:01.000Z"), "{refused}");
}

pub(crate) async fn a_wait_is_cut_down_to_the_maximum(make: Make) {
    // Behaviour 13: the wait is clamped.
    let stage = Stage::with(make, |setup| setup.settings.join.max_wait = seconds(4));
    let id = stage.session().await;
    let _holder = stage.enter(&id).await.unwrap();
    let mut waiting = stage.join(work(&id, Some(Duration::MAX)));
    assert!(poll!(&mut waiting).is_pending());
    stage.clock.advance(seconds(4));
    assert!(matches!(waiting.await, Err(SessionError::InUse { .. })));
}

pub(crate) async fn no_more_requests_wait_than_may(make: Make) {
    // Behaviour 16.
    let stage = Stage::with(make, |setup| setup.settings.join.max_waiters = 2);
    let id = stage.session().await;
    let holder = stage.enter(&id).await.unwrap();
    let first = stage.enter(&id);
    let _second = stage.enter(&id);
    let refused = at_once(stage.enter(&id)).unwrap_err();
    assert_eq!(refused, SessionError::QueueFull { waiters: 2, retry_after: seconds(3) });
    drop(first);
    let _third = stage.enter(&id);
    commit(holder).await;
}

pub(crate) async fn a_waiter_whose_client_left_is_skipped(make: Make) {
    // Behaviour 17.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let holder = stage.enter(&id).await.unwrap();
    let mut gone = stage.enter(&id);
    let mut stays = stage.enter(&id);
    assert!(poll!(&mut gone).is_pending());
    assert!(poll!(&mut stays).is_pending());
    drop(gone);
    commit(holder).await;
    assert!(poll!(&mut stays).is_ready());
}

pub(crate) async fn a_granted_waiter_whose_client_left_hands_on(make: Make) {
    // Behaviour 17: also when it was handed the session and did not look before it left.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let holder = stage.enter(&id).await.unwrap();
    let (gone, mut stays) = (stage.enter(&id), stage.enter(&id));
    assert!(poll!(&mut stays).is_pending());
    commit(holder).await;
    assert!(poll!(&mut stays).is_pending());
    drop(gone);
    assert!(poll!(&mut stays).is_ready());
    // The last waiter leaves the session free.
    let holder = stage.enter(&id).await.unwrap();
    let gone = stage.enter(&id);
    commit(holder).await;
    drop(gone);
    assert!(stage.is_alive(&id).await);
}

pub(crate) async fn a_panic_releases_the_session(make: Make) {
    // Behaviour 18.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let joined = stage.enter(&id).await.unwrap();
    let request = tokio::spawn(async move {
        joined.attributes().increment("x", 1).unwrap();
        panic!("the request panics, as this test wants it to");
    });
    assert!(request.await.unwrap_err().is_panic());
    let joined = stage.try_enter(&id).await.unwrap();
    assert_eq!(integer(&joined, "x"), None);
}

pub(crate) async fn a_dropped_request_changes_nothing_and_releases(make: Make) {
    // Behaviour 18: disconnect; 19: nothing is kept.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let joined = stage.enter(&id).await.unwrap();
    joined.attributes().increment("x", 1).unwrap();
    drop(joined);
    let joined = stage.try_enter(&id).await.unwrap();
    joined.attributes().increment("x", 1).unwrap();
    // A release that nobody waits for is none.
    drop(joined.release(Outcome::Commit));
    let joined = stage.try_enter(&id).await.unwrap();
    assert_eq!(integer(&joined, "x"), None);
}

pub(crate) async fn a_reader_does_not_wait_and_sees_what_was_released(make: Make) {
    // Behaviour 9.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let joined = stage.enter(&id).await.unwrap();
    joined.attributes().increment("x", 1).unwrap();
    commit(joined).await;
    let holder = stage.enter(&id).await.unwrap();
    holder.attributes().increment("x", 1).unwrap();
    let reader = at_once(stage.read(&id)).unwrap();
    assert_eq!(integer(&reader, "x"), Some(1));
    commit(holder).await;
    assert_eq!(integer(&reader, "x"), Some(1), "a reader sees one state from its beginning to its end");
    commit(reader).await;
    assert_eq!(integer(&at_once(stage.read(&id)).unwrap(), "x"), Some(2));
}

pub(crate) async fn a_holder_past_its_limit_is_told_to_stop(make: Make) {
    // Behaviour 22.
    let stage = Stage::with(make, |setup| setup.settings.join.execution = Some(seconds(5)));
    let id = stage.session().await;
    let joined = stage.enter(&id).await.unwrap();
    let mut ended = joined.ended();
    assert!(poll!(&mut ended).is_pending());
    stage.clock.advance(seconds(5));
    assert_eq!(ended.await, Interruption::ExecutionLimit);
    joined.attributes().increment("x", 1).unwrap();
    joined.release(Outcome::Discard).await.unwrap();
    let joined = stage.try_enter(&id).await.unwrap();
    assert_eq!(integer(&joined, "x"), None, "the session is kept, its changes are not");
}

pub(crate) async fn a_session_ends_with_a_holder_past_its_limit_where_that_is_configured(make: Make) {
    // Behaviour 22.
    let stage = Stage::with(make, |setup| {
        setup.settings.join.execution = Some(seconds(5));
        setup.settings.join.overrun_ends = true;
    });
    let id = stage.session().await;
    commit(stage.enter(&id).await.unwrap()).await;
    let joined = stage.enter(&id).await.unwrap();
    stage.clock.advance(seconds(5));
    assert_eq!(joined.ended().await, Interruption::ExecutionLimit);
    joined.release(Outcome::Discard).await.unwrap();
    let error = stage.try_enter(&id).await.unwrap_err();
    assert!(matches!(error, SessionError::Ended { reason: EndReason::Killed, .. }), "{error:?}");

    // One that does not stop has its session ended by whoever comes next, and those who wait are told.
    let id = stage.session().await;
    let stuck = stage.enter(&id).await.unwrap();
    let mut waiting = stage.join(work(&id, Some(seconds(30))));
    assert!(poll!(&mut waiting).is_pending());
    stage.clock.advance(seconds(6));
    let killed = |error| matches!(error, SessionError::Ended { reason: EndReason::Killed, .. });
    assert!(killed(stage.try_enter(&id).await.unwrap_err()));
    assert!(killed(waiting.await.unwrap_err()));
    assert!(killed(stuck.release(Outcome::Commit).await.unwrap_err()));
}

pub(crate) async fn a_holder_that_does_not_stop_loses_the_session(make: Make) {
    // Behaviour 20: a higher fence, and the old holder's commit is refused.
    let stage = Stage::with(make, |setup| setup.settings.join.execution = Some(seconds(5)));
    let id = stage.session().await;
    let stuck = stage.enter(&id).await.unwrap();
    stuck.attributes().increment("x", 100).unwrap();
    stage.clock.advance(seconds(5));
    assert!(stage.try_enter(&id).await.is_err(), "it has a moment to clean up");
    stage.clock.advance(seconds(1));
    let next = stage.try_enter(&id).await.unwrap();
    assert!(next.info().fence > stuck.info().fence);
    next.attributes().increment("x", 1).unwrap();
    assert_eq!(stuck.ended().await, Interruption::ExecutionLimit);
    assert_eq!(stuck.release(Outcome::Commit).await.unwrap_err(), SessionError::Conflict);
    assert!(stage.try_enter(&id).await.is_err(), "what was lost is not released again");
    commit(next).await;
    let joined = stage.try_enter(&id).await.unwrap();
    assert_eq!(integer(&joined, "x"), Some(1));
}

pub(crate) async fn a_lost_holder_frees_a_waiter_without_a_new_join(make: Make) {
    // Behaviour 20, for those who wait already.
    let stage = Stage::with(make, |setup| setup.settings.join.execution = Some(seconds(2)));
    let id = stage.session().await;
    let stuck = stage.enter(&id).await.unwrap();
    let mut waiting = stage.join(work(&id, Some(seconds(30))));
    assert!(poll!(&mut waiting).is_pending());
    stage.clock.advance(seconds(3));
    let next = waiting.await.unwrap();
    drop(stuck);
    assert!(stage.try_enter(&id).await.is_err());
    commit(next).await;
    stage.clock.advance(seconds(10));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
}
