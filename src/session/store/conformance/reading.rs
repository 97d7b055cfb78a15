//! Finding, listing, starting.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::MakePlace;
use super::sample::{answer, attribute, done, end, handle, key, next, record, save, scope, second, sessions, text};
use crate::session::{
    AttributeWrite, BootTime, EndedSession, Moment, Principal, SaveSession, SessionRecord, SessionWrite, StoredKey,
    StoredSession, TimeMark, ValueKind,
};

pub(crate) fn a_session_is_found_by_each_of_its_keys(make: MakePlace) {
    let place = make();
    let store = place.open();
    let stored = |number| StoredKey { key: key(number), until: second(9), superseded: false };
    let first = SessionRecord { keys: vec![stored(1)], ..record(1) };
    let rotated = SessionRecord { keys: vec![stored(1), stored(2)], ..next(&first) };
    let settled = SessionRecord { keys: vec![stored(2), stored(3)], ..next(&rotated) };
    let found = || [1, 2, 3].map(|number| store.find(&key(number)).unwrap().is_some());
    for (record, expected) in
        [(first, [true, false, false]), (rotated, [true, true, false]), (settled, [false, true, true])]
    {
        done(&*store, &[SessionWrite::Save(save(&record, vec![]))]);
        assert_eq!(found(), expected);
    }
    assert_eq!(store.find(&key(3)).unwrap(), Some(handle(1)));
    done(&*store, &[SessionWrite::End(end(1, 5))]);
    assert_eq!(found(), [false; 3]);
}

pub(crate) fn sessions_are_listed_by_pages(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [4, 2, 5, 1, 3]);
    assert_eq!(store.list(None, 2).unwrap(), [record(1), record(2)]);
    assert_eq!(store.list(Some(handle(2)), 2).unwrap(), [record(3), record(4)]);
    assert_eq!(store.list(Some(handle(4)), 2).unwrap(), [record(5)]);
    assert_eq!(store.list(Some(handle(5)), 2).unwrap(), []);
    assert_eq!(store.list(None, 0).unwrap(), []);
    assert_eq!(store.list(Some(handle(0)), usize::MAX).unwrap().len(), 5);
}

pub(crate) fn sessions_are_due_the_earliest_first(make: MakePlace) {
    let place = make();
    let store = place.open();
    let due_at = |number, due| SessionRecord { due, ..record(number) };
    let records = [due_at(1, second(30)), due_at(2, Moment::NEVER), due_at(3, second(10)), due_at(4, second(20))];
    let batch: Vec<_> = records.iter().map(|record| SessionWrite::Save(save(record, vec![]))).collect();
    done(&*store, &batch);
    let due = |seconds, limit| -> Vec<_> {
        store.due(second(seconds), limit).unwrap().into_iter().map(|record| record.handle).collect()
    };
    assert_eq!(due(9, 9), []);
    assert_eq!(due(20, 9), [handle(3), handle(4)]);
    assert_eq!(due(99, 2), [handle(3), handle(4)]);
    assert_eq!(store.due(Moment::NEVER, 9).unwrap().len(), 3);
    // It moves with the session.
    let later = SessionRecord { due: second(40), ..next(&records[2]) };
    let never = SessionRecord { due: Moment::NEVER, ..next(&records[3]) };
    done(&*store, &[later, never].map(|record| SessionWrite::Save(save(&record, vec![]))));
    assert_eq!(due(99, 9), [handle(1), handle(3)]);
}

pub(crate) fn a_start_is_told_what_it_has_to_know(make: MakePlace) {
    let place = make();
    let store = place.open();
    let recovery = store.recover().unwrap();
    assert_eq!((recovery.owners.len(), recovery.openings, recovery.last_moment), (0, 0, None));
    let owned = |number, owner: Principal| SessionRecord { owner, ..record(number) };
    let perishable = SessionRecord { perishable: true, ..record(4) };
    let records =
        [record(1), owned(2, Principal::anonymous()), owned(3, Principal::new("anonymous")), perishable.clone()];
    let batch: Vec<_> = records.iter().map(|record| SessionWrite::Save(save(record, vec![]))).collect();
    done(&*store, &batch);
    let mut recovery = store.recover().unwrap();
    recovery.owners.sort();
    let expected = vec![(Principal::anonymous(), 1), (Principal::new("anonymous"), 1), (Principal::new("owner"), 2)];
    assert_eq!((recovery.owners, recovery.perished), (expected, vec![perishable.clone()]));
    assert_eq!((recovery.last_moment, recovery.mark), (Some(second(4)), None));
    // It holds nothing of that kind any more.
    let plain = SessionRecord { perishable: false, ..next(&perishable) };
    done(&*store, &[SessionWrite::Save(save(&plain, vec![])), SessionWrite::End(end(1, 7))]);
    let recovery = store.recover().unwrap();
    assert_eq!((recovery.perished, recovery.last_moment), (vec![], Some(second(7))));
}

pub(crate) fn the_latest_moment_outlives_what_happened_then(make: MakePlace) {
    let place = make();
    let store = place.open();
    let ended = EndedSession { until: second(30), ..end(1, 20) };
    done(&*store, &[SessionWrite::End(ended)]);
    assert_eq!(store.recover().unwrap().last_moment, Some(second(20)));
    assert_eq!(store.sweep(second(29), u64::MAX, 9).unwrap(), 0);
    assert_eq!(store.sweep(second(31), u64::MAX, 9).unwrap(), 1);
    assert!(store.recover().unwrap().last_moment >= Some(second(20)));
    let boot = BootTime { id: Uuid::from_u128(5), uptime: Duration::from_nanos(12_345) };
    for boot in [None, Some(boot)] {
        let wall = DateTime::UNIX_EPOCH + TimeDelta::nanoseconds(1_760_000_000_123_456_789);
        let mark = TimeMark { moment: second(90), wall, boot };
        store.mark(&mark).unwrap();
        let recovery = store.recover().unwrap();
        assert_eq!((recovery.mark, recovery.last_moment), (Some(mark), Some(second(90))));
    }
}

pub(crate) fn everything_is_there_after_reopening(make: MakePlace) {
    let place = make();
    let mark = TimeMark { moment: second(9), wall: DateTime::UNIX_EPOCH, boot: None };
    let values = vec![text("a", "x"), attribute("s", ValueKind::ByteStream, &[b"one", &[7; 9000]])];
    let first = SaveSession {
        answer: Some(answer(1, Some(handle(1)))),
        ..save(&record(1), values.iter().cloned().map(AttributeWrite::Set).collect())
    };
    let store = place.open();
    done(&*store, &[SessionWrite::Save(first), SessionWrite::End(end(2, 5)), SessionWrite::Remember(answer(2, None))]);
    store.mark(&mark).unwrap();
    drop(store);
    for opening in 1..4 {
        drop(place.open());
        let store = place.open();
        let mut loaded = store.load(handle(1)).unwrap().unwrap();
        loaded.attributes.sort_by(|left, right| left.name.cmp(&right.name));
        assert_eq!(loaded, StoredSession { record: record(1), attributes: values.clone() });
        assert_eq!(store.find(&key(1)).unwrap(), Some(handle(1)));
        assert_eq!(store.answer(&scope(1)).unwrap(), Some(answer(1, Some(handle(1)))));
        assert_eq!(store.answer(&scope(2)).unwrap(), Some(answer(2, None)));
        let recovery = store.recover().unwrap();
        assert_eq!((recovery.mark, recovery.ended), (Some(mark), vec![end(2, 5)]));
        assert_eq!(recovery.openings, 2 * opening);
    }
}
