//! Attributes, as requests see them.

use std::sync::Arc;

use super::Make;
use super::stage::{Log, Probe, Stage, at_once, commit, integer};
use crate::block::Scalar;
use crate::session::{
    AttributeError, AttributeValue, Counter, Outcome, SessionRequirement, StaticAttributes, StaticSessionAttribute,
};

pub(crate) async fn a_failed_request_changes_nothing(make: Make) {
    // Behaviour 19.
    let stage = Stage::new(make);
    let joined = stage.create().await;
    let id = joined.info().id.clone();
    joined.attributes().set("kept", Scalar::Integer(1)).unwrap();
    joined.attributes().set("removed", Scalar::Integer(1)).unwrap();
    commit(joined).await;
    let joined = stage.enter(&id).await.unwrap();
    joined.attributes().set("kept", Scalar::Integer(2)).unwrap();
    joined.attributes().set("new", Scalar::Integer(2)).unwrap();
    joined.attributes().remove("removed").unwrap();
    assert_eq!((integer(&joined, "kept"), integer(&joined, "removed")), (Some(2), None), "it sees its own changes");
    joined.release(Outcome::Discard).await.unwrap();
    let joined = stage.enter(&id).await.unwrap();
    let seen = ["kept", "removed", "new"].map(|name| integer(&joined, name));
    assert_eq!(seen, [Some(1), Some(1), None]);
}

pub(crate) async fn static_attributes_are_in_every_session(make: Make) {
    // Behaviour 38.
    let counter: Arc<dyn StaticSessionAttribute> = Arc::new(Counter::new(0));
    let stage = Stage::with(make, |setup| setup.statics = StaticAttributes::new([("counter", Arc::clone(&counter))]));
    for requirement in [SessionRequirement::Implicit { reachable: false }, SessionRequirement::Create { timeout: None }]
    {
        let joined = stage.join(requirement).await.unwrap();
        let Some(AttributeValue::Static(value)) = joined.attributes().get("counter") else { panic!("no counter") };
        value.downcast::<Counter>().unwrap().next();
        let refused = AttributeError::Static { name: "counter".into() };
        assert_eq!(joined.attributes().set("counter", Scalar::Integer(0)).unwrap_err(), refused);
        assert_eq!(joined.attributes().increment("counter", 1).unwrap_err(), refused);
        assert_eq!(joined.attributes().remove("counter").unwrap_err(), refused);
        assert!(joined.attributes().list().iter().any(|attribute| attribute.is_static));
        commit(joined).await;
    }
    assert_eq!(counter.scalar(), Some(Scalar::Integer(2)), "one instance for all sessions");
}

pub(crate) async fn a_reader_changes_nothing(make: Make) {
    // Behaviour 9.
    let (stage, log) = (Stage::new(make), Log::default());
    let joined = stage.create().await;
    joined.attributes().set("x", Scalar::Integer(1)).unwrap();
    joined.attributes().set("probe", Probe::value("probe", &log)).unwrap();
    let id = joined.info().id.clone();
    commit(joined).await;
    let reader = at_once(stage.read(&id)).unwrap();
    let refused = AttributeError::ReadAccess { name: "x".into() };
    assert_eq!(reader.attributes().set("x", Scalar::Integer(2)).unwrap_err(), refused);
    assert_eq!(reader.attributes().increment("x", 1).unwrap_err(), refused);
    assert_eq!(reader.attributes().remove("x").unwrap_err(), refused);
    // What is alive belongs to the request that holds the session: a reader sees that it is there.
    assert!(reader.attributes().contains("probe"));
    assert!(reader.attributes().get("probe").is_none());
    assert_eq!(integer(&reader, "x"), Some(1));
    commit(reader).await;
}

pub(crate) async fn nothing_changes_after_the_release(make: Make) {
    // Behaviour 37, for an activity that goes on although its request is over.
    let stage = Stage::new(make);
    let joined = stage.create().await;
    let (id, late) = (joined.info().id.clone(), joined.attributes().clone());
    late.increment("x", 1).unwrap();
    commit(joined).await;
    let refused = AttributeError::Released { name: "x".into() };
    assert_eq!(late.increment("x", 1).unwrap_err(), refused);
    assert_eq!(late.remove("x").unwrap_err(), refused);
    assert!(late.get("x").is_none());
    let joined = stage.enter(&id).await.unwrap();
    assert_eq!(integer(&joined, "x"), Some(1));
}

pub(crate) async fn limits_refuse_a_change_and_leave_the_session_usable(make: Make) {
    // Behaviour 40.
    let stage = Stage::with(make, |setup| {
        setup.settings.limits.attributes = Some(2);
        setup.settings.limits.attribute_bytes = Some(20);
        setup.settings.limits.session_bytes = Some(30);
    });
    let text = |length| Scalar::Text("x".repeat(length).into());
    let joined = stage.create().await;
    let attributes = joined.attributes();
    let too_large = AttributeError::TooLarge { name: "a".into(), bytes: 21, limit: 20 };
    assert_eq!(attributes.set("a", text(20)).unwrap_err(), too_large);
    attributes.set("a", text(19)).unwrap();
    let session_too_large = AttributeError::SessionTooLarge { name: "b".into(), bytes: 31, limit: 30 };
    assert_eq!(attributes.set("b", text(10)).unwrap_err(), session_too_large);
    attributes.set("b", text(9)).unwrap();
    let too_many = AttributeError::TooMany { name: "c".into(), limit: 2 };
    attributes.set("a", text(1)).unwrap();
    assert_eq!(attributes.set("c", text(1)).unwrap_err(), too_many);
    attributes.remove("b").unwrap();
    attributes.set("c", text(1)).unwrap();
    let id = joined.info().id.clone();
    commit(joined).await;
    let joined = stage.enter(&id).await.unwrap();
    let names: Vec<_> = joined.attributes().list().into_iter().map(|attribute| attribute.name).collect();
    assert_eq!(names, ["a".into(), "c".into()]);
    assert_eq!(
        joined.attributes().set("d", text(1)).unwrap_err(),
        AttributeError::TooMany { name: "d".into(), limit: 2 }
    );
}
