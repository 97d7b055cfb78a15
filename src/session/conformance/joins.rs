//! What a requirement leads to.

use super::Make;
use super::stage::{Stage, at_once, commit, integer, seconds};
use crate::session::{EndReason, Outcome, SessionError, SessionFilter, SessionRequirement};

pub(crate) async fn an_implicit_session_ends_with_its_request(make: Make) {
    // Behaviour 1.
    let stage = Stage::new(make);
    let joined = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
    let info = joined.info().clone();
    assert!(info.implicit && info.created && info.ended_by_this);
    assert_eq!((info.timeout, info.idle_expires, info.lifetime_expires), (None, None, None));
    assert_eq!(stage.end_of(&info.id).await, None, "it is private while it lives");
    let released = commit(joined).await;
    assert_eq!(released.ended, Some(EndReason::Completed));
    assert_eq!(stage.end_of(&info.id).await, Some(EndReason::Completed));
    assert!(stage.manager.list(&SessionFilter::default()).await.unwrap().is_empty());
}

pub(crate) async fn implicit_sessions_do_not_see_each_other(make: Make) {
    // Behaviour 2.
    let stage = Stage::new(make);
    let mut requests = Vec::new();
    for number in 0..100 {
        let stage = stage.clone();
        requests.push(tokio::spawn(async move {
            let joined = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
            assert_eq!(joined.attributes().count(), 0);
            joined.attributes().increment("number", number).unwrap();
            tokio::task::yield_now().await;
            assert_eq!(integer(&joined, "number"), Some(number));
            commit(joined).await;
        }));
    }
    for request in requests {
        request.await.unwrap();
    }
}

pub(crate) async fn a_new_session_says_what_it_was_granted(make: Make) {
    // Behaviour 3.
    use crate::session::Clock as _;
    let stage = Stage::new(make);
    let joined = stage.create().await;
    let (info, wall) = (joined.info(), stage.clock.wall());
    assert!(info.created && !info.implicit && !info.ended_by_this);
    assert_eq!(info.timeout, Some(seconds(10)));
    assert_eq!(info.idle_expires, Some(wall + seconds(10)));
    assert_eq!(info.lifetime_expires, Some(wall + seconds(1000)));
    assert_eq!(info.id.expose().as_str().len(), 43);
    stage.clock.advance(seconds(3));
    let released = commit(joined).await;
    assert_eq!(released.info.idle_expires, Some(wall + seconds(13)));
    assert_eq!(released.info.lifetime_expires, Some(wall + seconds(1000)));
}

pub(crate) async fn what_one_request_sets_the_next_one_sees(make: Make) {
    // Behaviour 4.
    let stage = Stage::new(make);
    let joined = stage.create().await;
    joined.attributes().increment("x", 1).unwrap();
    let id = joined.info().id.clone();
    commit(joined).await;
    let joined = stage.enter(&id).await.unwrap();
    assert!(!joined.info().created);
    assert_eq!(joined.info().id, id);
    assert_eq!(integer(&joined, "x"), Some(1));
}

pub(crate) async fn an_unknown_id_creates_nothing(make: Make) {
    // Behaviour 5, and 63: a join that fails creates no session.
    let stage = Stage::new(make);
    let elsewhere = Stage::with(make, |setup| setup.ids = std::sync::Arc::new(crate::session::SeededIds::new(2)));
    let unknown = elsewhere.session().await;
    assert_eq!(stage.enter(&unknown).await.unwrap_err(), SessionError::NotFound);
    assert_eq!(stage.read(&unknown).await.unwrap_err(), SessionError::NotFound);
    assert_eq!(stage.terminate(&unknown, false).await.unwrap_err(), SessionError::NotFound);
    assert!(stage.manager.list(&SessionFilter::default()).await.unwrap().is_empty());
}

pub(crate) async fn join_or_create_says_which(make: Make) {
    // Behaviour 6.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let requirement = || SessionRequirement::JoinOrCreate { id: id.clone(), wait: None, timeout: None };
    let joined = stage.join(requirement()).await.unwrap();
    assert!(!joined.info().created);
    // Held: it waits as a join does, and creates nothing when the session is gone by then.
    let mut waiting = stage.join(requirement());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    stage.manager.end(joined.info().handle, EndReason::Killed).await.unwrap();
    let created = waiting.await.unwrap();
    assert!(created.info().created);
    assert_ne!(created.info().id, id, "a new session has a new id");
    let another = at_once(stage.join(requirement())).unwrap();
    assert!(another.info().created);
}

pub(crate) async fn a_request_that_is_refused_does_not_end_the_session(make: Make) {
    // Behaviour 7: it ends after the activities; of this request none has run.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let released = stage.terminate(&id, true).await.unwrap().release(Outcome::Withdraw).await.unwrap();
    assert_eq!(released.ended, None);
    assert!(stage.is_alive(&id).await);
    let released = stage.terminate(&id, true).await.unwrap().release(Outcome::Discard).await.unwrap();
    assert_eq!(released.ended, Some(EndReason::Terminated), "one that failed has run");
}

pub(crate) async fn terminating_ends_the_session_and_succeeds_again(make: Make) {
    // Behaviour 7.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let joined = stage.terminate(&id, true).await.unwrap();
    assert!(joined.info().ended_by_this);
    let handle = joined.info().handle;
    joined.attributes().increment("x", 1).unwrap();
    let released = commit(joined).await;
    assert_eq!((released.ended, released.info.idle_expires), (Some(EndReason::Terminated), None));
    let again = stage.terminate(&id, false).await.unwrap();
    assert_eq!((again.info().handle, again.info().ended_by_this), (handle, true));
    assert_eq!(commit(again).await.ended, Some(EndReason::Terminated));
    let refused = stage.terminate(&id, true).await.unwrap_err();
    assert!(matches!(refused, SessionError::Ended { reason: EndReason::Terminated, .. }));
    // A request that fails ends the session as well: that was what it came for.
    let id = stage.session().await;
    stage.terminate(&id, true).await.unwrap().release(Outcome::Discard).await.unwrap();
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Terminated));
}

pub(crate) async fn an_empty_request_keeps_a_session_alive(make: Make) {
    // Behaviour 10.
    let stage = Stage::new(make);
    let id = stage.session().await;
    for _ in 0..5 {
        stage.clock.advance(seconds(9));
        assert!(stage.is_alive(&id).await);
    }
    stage.clock.advance(seconds(10));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Idle));
}

pub(crate) async fn sessions_can_be_switched_off(make: Make) {
    // Behaviour 30: "0".
    let stage = Stage::with(make, |setup| setup.settings.explicit = false);
    let create = SessionRequirement::Create { timeout: None };
    assert_eq!(stage.join(create).await.unwrap_err(), SessionError::Disabled);
    let implicit = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
    let id = implicit.info().id.clone();
    assert_eq!(stage.enter(&id).await.unwrap_err(), SessionError::Disabled);
}
