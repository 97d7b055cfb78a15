//! Batches, versions and fences.

use std::time::Duration;

use super::MakePlace;
use super::sample::{attributes, done, handle, key, next, record, save, second, sessions, text};
use crate::session::{
    AttributeWrite, Moment, Principal, SessionRecord, SessionWrite, StoredKey, StoredSession, Verdict,
};

pub(crate) fn what_is_saved_is_loaded_as_it_was(make: MakePlace) {
    let place = make();
    let store = place.open();
    let plain = record(1);
    let full = SessionRecord {
        owner: Principal::anonymous(),
        timeout: None,
        lifetime: Moment::NEVER,
        keys: vec![
            StoredKey { key: key(2), until: second(30), superseded: true },
            StoredKey { key: key(102), until: Moment::NEVER, superseded: false },
        ],
        sequence: u64::MAX,
        due: Moment::NEVER,
        perishable: true,
        label: Some("Gärten & Höfe".into()),
        attributes: 3,
        bytes: u64::MAX,
        next_order: u64::MAX,
        ..record(2)
    };
    let changed = SessionRecord {
        keys: vec![StoredKey { key: key(102), until: second(9), superseded: false }],
        released: second(77),
        sequence: 12,
        due: second(88),
        perishable: false,
        label: Some("".into()),
        attributes: 0,
        bytes: 5,
        next_order: 0,
        ..next(&full)
    };
    done(&*store, &[plain.clone(), full.clone()].map(|record| SessionWrite::Save(save(&record, vec![]))));
    let loaded = |record: &SessionRecord| store.load(record.handle).unwrap();
    for record in [&plain, &full] {
        assert_eq!(loaded(record), Some(StoredSession { record: record.clone(), attributes: vec![] }));
    }
    done(&*store, &[SessionWrite::Save(save(&changed, vec![]))]);
    assert_eq!(loaded(&changed), Some(StoredSession { record: changed, attributes: vec![] }));
    assert_eq!(loaded(&plain).unwrap().record, plain);
    assert_eq!(store.load(handle(9)).unwrap(), None);
}

pub(crate) fn writes_of_a_batch_take_effect_in_their_order(make: MakePlace) {
    let place = make();
    let store = place.open();
    let first = record(1);
    let (second, third) = (next(&first), next(&next(&first)));
    let set = |text_value: &str| vec![AttributeWrite::Set(text("a", text_value))];
    let batch = [
        SessionWrite::Save(save(&first, set("one"))),
        SessionWrite::Save(save(&second, set("two"))),
        SessionWrite::Save(save(&third, set("three"))),
    ];
    done(&*store, &batch);
    let loaded = store.load(handle(1)).unwrap().unwrap();
    assert_eq!(loaded, StoredSession { record: third, attributes: vec![text("a", "three")] });
}

pub(crate) fn a_save_of_another_version_is_stale_and_changes_nothing(make: MakePlace) {
    let place = make();
    let store = place.open();
    let first = record(1);
    done(&*store, &[SessionWrite::Save(save(&first, vec![AttributeWrite::Set(text("a", "kept"))]))]);
    for version in [0, 1, 3, u64::MAX] {
        let other = SessionRecord {
            version,
            label: Some("other".into()),
            keys: vec![StoredKey { key: key(50), until: Moment::NEVER, superseded: false }],
            due: Moment::NEVER,
            perishable: true,
            ..next(&first)
        };
        let writes = vec![AttributeWrite::Set(text("a", "lost")), AttributeWrite::Set(text("b", "lost"))];
        let stale = SessionWrite::Save(crate::session::SaveSession { is_new: false, ..save(&other, writes) });
        assert_eq!(store.commit(&[stale]).unwrap(), [Verdict::Stale], "{version}");
    }
    let loaded = store.load(handle(1)).unwrap().unwrap();
    assert_eq!(loaded, StoredSession { record: first, attributes: vec![text("a", "kept")] });
    assert_eq!(store.find(&key(50)).unwrap(), None);
    assert_eq!(store.recover().unwrap().perished, []);
}

pub(crate) fn a_save_under_a_lower_fence_is_stale(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [1]);
    let under = |fence: u64| SessionRecord { fence, ..next(&record(1)) };
    let save_under = |fence: u64| SessionWrite::Save(save(&under(fence), vec![]));
    assert_eq!(store.commit(&[save_under(9)]).unwrap(), [Verdict::Stale]);
    assert_eq!(store.load(handle(1)).unwrap().unwrap().record, record(1));
    // The same fence is the same holder.
    assert_eq!(store.commit(&[save_under(10)]).unwrap(), [Verdict::Done]);
    assert_eq!(store.load(handle(1)).unwrap().unwrap().record, under(10));
}

pub(crate) fn a_session_is_new_only_once(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [1]);
    let again = SessionRecord { timeout: Some(Duration::from_secs(1)), ..record(1) };
    assert_eq!(store.commit(&[SessionWrite::Save(save(&again, vec![]))]).unwrap(), [Verdict::Stale]);
    assert_eq!(store.load(handle(1)).unwrap().unwrap().record, record(1));
    // And one that is not there can't be saved as one that is.
    assert_eq!(store.commit(&[SessionWrite::Save(save(&next(&record(2)), vec![]))]).unwrap(), [Verdict::Stale]);
    assert_eq!(store.load(handle(2)).unwrap(), None);
}

pub(crate) fn a_stale_write_does_not_touch_the_others_of_its_batch(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [1, 2]);
    let set = |value: &str| vec![AttributeWrite::Set(text("a", value))];
    let batch = [
        SessionWrite::Save(save(&next(&record(1)), set("one"))),
        SessionWrite::Save(save(&next(&next(&record(2))), set("skipped"))),
        SessionWrite::Save(save(&next(&next(&record(1))), set("two"))),
    ];
    assert_eq!(store.commit(&batch).unwrap(), [Verdict::Done, Verdict::Stale, Verdict::Done]);
    assert_eq!(attributes(&*store, handle(1)), [text("a", "two")]);
    assert_eq!(attributes(&*store, handle(2)), []);
}

pub(crate) fn an_empty_batch_is_nothing(make: MakePlace) {
    let place = make();
    assert_eq!(place.open().commit(&[]).unwrap(), []);
}
