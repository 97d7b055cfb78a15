//! Ids: issued, rotated, never adopted.

use std::sync::Arc;

use super::Make;
use super::stage::{Log, Stage, commit, integer, seconds};
use crate::session::{
    Access, EndReason, IdSource, Joined, Outcome, RandomUnavailable, SessionError, SessionFilter, SessionId,
    SessionRequirement,
};

pub(crate) async fn an_invented_id_is_not_adopted(make: Make) {
    // Behaviour 52.
    let stage = Stage::new(make);
    let invented = SessionId::parse(&"A".repeat(43)).unwrap();
    let requirement = SessionRequirement::JoinOrCreate { id: invented.clone(), wait: None, timeout: None };
    let joined = stage.join(requirement).await.unwrap();
    assert_ne!(joined.info().id, invented);
    commit(joined).await;
    assert_eq!(stage.end_of(&invented).await, None);
}

async fn rotate(stage: &Stage, id: &SessionId) -> Result<Joined, SessionError> {
    stage.join(SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Exclusive, rotate: true }).await
}

pub(crate) async fn a_rotated_id_holds_until_the_new_one_is_used(make: Make) {
    // Behaviour 54.
    let log = Log::default();
    let stage = Stage::with(make, |setup| {
        setup.settings.timeout.default = Some(seconds(100));
        setup.listeners.push(Arc::new(log.clone()));
    });
    let old = stage.session().await;
    let joined = rotate(&stage, &old).await.unwrap();
    joined.attributes().increment("x", 1).unwrap();
    let (new, handle) = (joined.info().id.clone(), joined.info().handle);
    assert_ne!(new, old);
    commit(joined).await;
    // The answer may have been lost: the old id is good for a while.
    stage.clock.advance(seconds(29));
    let joined = stage.try_enter(&old).await.unwrap();
    assert_eq!((joined.info().handle, integer(&joined, "x")), (handle, Some(1)));
    commit(joined).await;
    stage.clock.advance(seconds(1));
    assert_eq!(stage.end_of(&old).await, None);
    // The new one is used; whoever comes with the old one now is somebody else.
    assert!(stage.is_alive(&new).await);
    log.take();
    assert_eq!(stage.end_of(&old).await, Some(EndReason::Killed));
    assert_eq!(stage.end_of(&new).await, Some(EndReason::Killed));
    assert_eq!(log.take(), ["id reused", "ended Killed"]);
}

pub(crate) async fn a_request_that_fails_does_not_take_the_id_away(make: Make) {
    // Behaviour 54: who is answered with a failure never hears of the new id.
    let stage = Stage::with(make, |setup| setup.settings.timeout.default = Some(seconds(100)));
    let old = stage.session().await;
    let mut new = None;
    for _ in 0..10 {
        let joined = rotate(&stage, &old).await.unwrap();
        new = Some(joined.info().id.clone());
        joined.release(Outcome::Discard).await.unwrap();
    }
    stage.clock.advance(seconds(60));
    assert!(stage.is_alive(&old).await);
    // Who has got it may use it.
    assert!(stage.is_alive(&new.unwrap()).await);
    assert_eq!(stage.end_of(&old).await, Some(EndReason::Killed));
}

#[derive(Debug)]
struct Exhausted;

impl IdSource for Exhausted {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomUnavailable> {
        Err(RandomUnavailable)
    }
}

pub(crate) async fn without_random_numbers_there_is_no_session(make: Make) {
    // Behaviour 50: refuse.
    let stage = Stage::with(make, |setup| {
        setup.ids = Arc::new(Exhausted);
        setup.settings.limits.sessions = Some(1);
    });
    let refused = SessionError::Random(RandomUnavailable);
    for _ in 0..2 {
        let create = SessionRequirement::Create { timeout: None };
        assert_eq!(stage.join(create).await.unwrap_err(), refused, "a session that was not made takes no room");
    }
    assert_eq!(stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap_err(), refused);
    assert!(stage.manager.list(&SessionFilter::default()).await.unwrap().is_empty());
}
