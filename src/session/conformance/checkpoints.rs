//! Checkpoints: changes that do not wait for the release.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Make;
use super::stage::{Log, Probe, Stage, at_once, commit, integer, seconds, work};
use crate::block::Scalar;
use crate::session::{
    Access, AttributeError, Counter, EndReason, Joined, Outcome, Principal, SessionError, SessionId,
    SessionRequirement, StaticAttributes, StaticSessionAttribute,
};

/// Makes a checkpoint of an integer.
async fn keep(joined: &Joined, name: &str, value: i64) -> Result<(), SessionError> {
    joined.attributes().checkpoint(name, Scalar::Integer(value)).await
}

/// What somebody reads.
async fn read(stage: &Stage, id: &SessionId, name: &str) -> Option<i64> {
    let reader = stage.read(id).await.unwrap();
    integer(&reader, name)
}

pub(crate) async fn a_checkpoint_is_the_sessions_at_once(make: Make) {
    // Behaviour 70.
    let stage = Stage::new(make);
    let id = stage.session().await;
    for ends in [Some(Outcome::Discard), Some(Outcome::Commit), None] {
        let joined = stage.enter(&id).await.unwrap();
        let before = integer(&joined, "page").unwrap_or_default();
        joined.attributes().set("rows", Scalar::Integer(100)).unwrap();
        let early = stage.read(&id).await.unwrap();
        keep(&joined, "page", before + 1).await.unwrap();
        assert_eq!(integer(&joined, "page"), Some(before + 1));
        assert_eq!(integer(&early, "page").unwrap_or_default(), before, "who reads sees what was there when it came");
        let reader = at_once(stage.read(&id)).unwrap();
        assert_eq!(integer(&reader, "page"), Some(before + 1));
        let description = stage.manager.describe(&id, &Principal::new("owner")).await.unwrap();
        assert!(description.attributes.iter().any(|attribute| &*attribute.name == "page"));
        let rows = (ends.is_none()).then_some(100);
        assert_eq!(integer(&reader, "rows"), rows, "all others wait for the release");
        assert!(stage.try_enter(&id).await.is_err(), "the request holds the session still");
        match ends {
            Some(outcome) => drop(joined.release(outcome).await.unwrap()),
            None => drop(joined),
        }
        assert_eq!(read(&stage, &id, "page").await, Some(before + 1), "{ends:?}");
    }
}

pub(crate) async fn a_release_comes_after_the_checkpoints_of_its_request(make: Make) {
    // Behaviours 19 and 70: whatever the request changes of the same attribute afterwards is all or none.
    let stage = Stage::new(make);
    let id = stage.session().await;
    for (outcome, set, removed) in [(Outcome::Discard, 2, Some(2)), (Outcome::Commit, 3, None)] {
        let joined = stage.enter(&id).await.unwrap();
        joined.attributes().set("set", Scalar::Integer(1)).unwrap();
        for name in ["set", "removed"] {
            keep(&joined, name, 2).await.unwrap();
        }
        joined.attributes().set("set", Scalar::Integer(3)).unwrap();
        joined.attributes().remove("removed").unwrap();
        assert_eq!((read(&stage, &id, "set").await, read(&stage, &id, "removed").await), (Some(2), Some(2)));
        joined.release(outcome).await.unwrap();
        let found = (read(&stage, &id, "set").await, read(&stage, &id, "removed").await);
        assert_eq!(found, (Some(set), removed), "{outcome:?}");
    }
}

pub(crate) async fn a_request_without_its_session_makes_no_checkpoint(make: Make) {
    // Behaviours 20, 37 and 70.
    let stage = Stage::with(make, |setup| setup.settings.join.execution = Some(seconds(5)));
    let id = stage.session().await;
    let lost = stage.enter(&id).await.unwrap();
    stage.clock.advance(seconds(6));
    let holder = stage.enter(&id).await.unwrap();
    assert_eq!(keep(&lost, "page", 1).await, Err(SessionError::Conflict));
    assert_eq!(integer(&lost, "page"), None, "it is not staged either");
    stage.manager.interrupt(&id, &Principal::new("owner")).await.unwrap();
    assert_eq!(keep(&holder, "page", 1).await, Err(SessionError::Terminated));
    let late = holder.attributes().clone();
    drop(holder);
    let released = AttributeError::Released { name: "page".into() };
    assert_eq!(late.checkpoint("page", Scalar::Integer(1)).await, Err(released.into()));
    let holder = stage.enter(&id).await.unwrap();
    assert_eq!(integer(&holder, "page"), None);
    stage.manager.end(holder.info().handle, EndReason::Killed).await.unwrap();
    let refused = keep(&holder, "page", 1).await;
    assert!(matches!(refused, Err(SessionError::Ended { reason: EndReason::Killed, .. })), "{refused:?}");
}

pub(crate) async fn a_checkpoint_keeps_to_the_rules_of_attributes(make: Make) {
    // Behaviours 9, 38, 40 and 70.
    let log = Log::default();
    let stage = Stage::with(make, |setup| {
        let counter: Arc<dyn StaticSessionAttribute> = Arc::new(Counter::new(0));
        setup.statics = StaticAttributes::new([("counter", counter)]);
        setup.settings.limits.attributes = Some(2);
        setup.settings.limits.attribute_bytes = Some(20);
    });
    let joined = stage.create().await;
    let id = joined.info().id.clone();
    joined.attributes().set("probe", Probe::value("probe", &log)).unwrap();
    commit(joined).await;
    let joined = stage.enter(&id).await.unwrap();
    let refused = AttributeError::Static { name: "counter".into() };
    assert_eq!(keep(&joined, "counter", 1).await, Err(refused.into()));
    let text = Scalar::Text("x".repeat(20).into());
    let refused = AttributeError::TooLarge { name: "a".into(), bytes: 21, limit: 20 };
    assert_eq!(joined.attributes().checkpoint("a", text).await, Err(refused.into()));
    keep(&joined, "a", 1).await.unwrap();
    let refused = AttributeError::TooMany { name: "b".into(), limit: 2 };
    assert_eq!(keep(&joined, "b", 1).await, Err(refused.into()));
    let refused = keep(&joined, "probe", 1).await;
    assert!(matches!(refused, Err(SessionError::Attribute(AttributeError::WrongType { .. }))), "{refused:?}");
    let reader = stage.read(&id).await.unwrap();
    let refused = AttributeError::ReadAccess { name: "a".into() };
    assert_eq!(keep(&reader, "a", 2).await, Err(refused.into()));
    assert_eq!((integer(&reader, "a"), log.take().len()), (Some(1), 0));
}

pub(crate) async fn in_an_implicit_session_a_checkpoint_is_a_change(make: Make) {
    // Behaviour 70.
    let stage = Stage::new(make);
    let joined = stage.join(SessionRequirement::Implicit { reachable: true }).await.unwrap();
    keep(&joined, "page", 1).await.unwrap();
    assert_eq!(integer(&joined, "page"), Some(1));
    let description = stage.manager.inspect(joined.info().handle).await.unwrap();
    assert!(description.attributes.is_empty(), "nobody else needs it");
    assert_eq!(commit(joined).await.ended, Some(EndReason::Completed));
}

pub(crate) async fn a_checkpoint_is_reached_by_the_new_id_and_the_old(make: Make) {
    // Behaviours 42 and 70.
    let stage = Stage::new(make);
    let old = stage.session().await;
    let rotate = SessionRequirement::Join { id: old.clone(), wait: None, access: Access::Exclusive, rotate: true };
    let joined = stage.join(rotate.clone()).await.unwrap();
    keep(&joined, "page", 1).await.unwrap();
    drop(joined);
    // The request failed, so its id holds.
    let joined = stage.join(rotate).await.unwrap();
    assert_eq!(integer(&joined, "page"), Some(1));
    keep(&joined, "page", 2).await.unwrap();
    let new = joined.info().id.clone();
    commit(joined).await;
    assert_eq!(read(&stage, &new, "page").await, Some(2));
}

pub(crate) async fn activities_make_checkpoints_side_by_side(make: Make) {
    // Behaviour 70.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let joined = stage.enter(&id).await.unwrap();
    let units = (0..20_i64).map(|unit| {
        let attributes = joined.attributes().clone();
        tokio::spawn(async move {
            for page in 1..=5 {
                attributes.checkpoint(&format!("unit{unit}"), Scalar::Integer(page)).await.unwrap();
                attributes.increment("pages", 1).unwrap();
            }
        })
    });
    for unit in join_all(units).await {
        unit.unwrap();
    }
    assert_eq!(integer(&joined, "pages"), Some(100));
    drop(joined);
    let joined = stage.enter(&id).await.unwrap();
    assert_eq!((joined.attributes().count(), integer(&joined, "pages")), (20, None));
    for unit in 0..20 {
        assert_eq!(integer(&joined, &format!("unit{unit}")), Some(5));
    }
}

pub(crate) async fn a_checkpoint_does_not_lengthen_what_a_session_has(make: Make) {
    // Behaviours 28 and 70: a session that is over when its request leaves ends, with all that it has.
    let stage = Stage::with(make, |setup| setup.settings.lifetime = Some(seconds(60)));
    let joined = stage.create().await;
    let id = joined.info().id.clone();
    stage.clock.advance(seconds(59));
    keep(&joined, "page", 1).await.unwrap();
    stage.clock.advance(seconds(1));
    keep(&joined, "page", 2).await.unwrap();
    assert_eq!(commit(joined).await.ended, Some(EndReason::Lifetime));
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Lifetime));
    let id = stage.session().await;
    let joined = stage.terminate(&id, true).await.unwrap();
    keep(&joined, "page", 1).await.unwrap();
    assert_eq!(commit(joined).await.ended, Some(EndReason::Terminated));
}

pub(crate) async fn a_checkpoint_outlives_the_process(make: Make) {
    // Behaviours 60 and 70.
    let stage = Stage::new(make);
    let (known, new) = (stage.session().await, stage.create().await);
    let running = stage.enter(&known).await.unwrap();
    stage.clock.advance(seconds(9));
    let mut kept = Vec::new();
    for joined in [running, new] {
        joined.attributes().set("rows", Scalar::Integer(1)).unwrap();
        keep(&joined, "page", 1).await.unwrap();
        keep(&joined, "page", 2).await.unwrap();
        kept.push((joined.info().id.clone(), joined.info().fence));
        // It never comes to a release.
        std::mem::forget(joined);
    }
    let stage = stage.crashed();
    // The idle time runs from the last checkpoint: the sessions were in use until then.
    stage.clock.advance(seconds(9));
    for (id, fence) in kept {
        let joined = stage.join(work(&id, None)).await.unwrap();
        assert_eq!((integer(&joined, "page"), integer(&joined, "rows")), (Some(2), None));
        assert!(joined.info().fence > fence);
        keep(&joined, "page", 3).await.unwrap();
        drop(joined);
        assert_eq!(read(&stage, &id, "page").await, Some(3));
    }
}
