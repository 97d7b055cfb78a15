//! Ends.

use super::MakePlace;
use super::sample::{answer, attributes, done, end, handle, key, next, record, save, scope, second, sessions, text};
use crate::session::{
    AnswerRecord, AttributeWrite, EndReason, EndedSession, Moment, Principal, SaveSession, SessionWrite, Verdict,
};

pub(crate) fn an_ended_session_is_gone_and_its_end_remembered(make: MakePlace) {
    let place = make();
    let store = place.open();
    done(&*store, &[SessionWrite::Save(save(&record(1), vec![AttributeWrite::Set(text("a", "x"))]))]);
    sessions(&*store, [2, 3, 4]);
    let first = EndedSession { keys: vec![key(1), key(101)], reason: EndReason::Idle, ..end(1, 50) };
    let second = EndedSession { owner: Principal::anonymous(), until: Moment::NEVER, keys: vec![], ..end(2, 40) };
    done(&*store, &[SessionWrite::End(first.clone()), SessionWrite::End(second.clone())]);
    for number in [1, 2] {
        assert_eq!(store.load(handle(number)).unwrap(), None);
        assert_eq!(store.find(&key(number)).unwrap(), None);
    }
    assert_eq!(store.list(None, 9).unwrap(), [record(3), record(4)]);
    assert_eq!(store.due(Moment::NEVER, 9).unwrap(), [record(3), record(4)]);
    // The oldest end first.
    assert_eq!(store.recover().unwrap().ended, [second, first]);
}

pub(crate) fn an_end_is_final(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [1]);
    done(&*store, &[SessionWrite::End(end(1, 5))]);
    let again = EndedSession { reason: EndReason::Killed, ..end(1, 6) };
    let late = [
        SessionWrite::Save(save(&next(&record(1)), vec![])),
        SessionWrite::Save(save(&record(1), vec![])),
        SessionWrite::Save(SaveSession { end: Some(again.clone()), ..save(&record(1), vec![]) }),
        SessionWrite::End(again),
    ];
    assert_eq!(store.commit(&late).unwrap(), vec![Verdict::Stale; 4]);
    assert_eq!(store.load(handle(1)).unwrap(), None);
    assert_eq!(store.recover().unwrap().ended, [end(1, 5)]);
}

pub(crate) fn a_session_can_end_with_a_save(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [1]);
    let changes = || vec![AttributeWrite::Set(text("a", "x"))];
    let old = SaveSession { end: Some(end(1, 5)), ..save(&next(&record(1)), changes()) };
    let new = SaveSession { end: Some(end(2, 6)), ..save(&record(2), changes()) };
    done(&*store, &[SessionWrite::Save(old), SessionWrite::Save(new)]);
    for number in [1, 2] {
        assert_eq!(store.load(handle(number)).unwrap(), None);
        assert_eq!(store.find(&key(number)).unwrap(), None);
    }
    let recovery = store.recover().unwrap();
    assert_eq!((recovery.ended, recovery.owners), (vec![end(1, 5), end(2, 6)], vec![]));
}

pub(crate) fn a_stale_save_ends_nothing(make: MakePlace) {
    let place = make();
    let store = place.open();
    done(&*store, &[SessionWrite::Save(save(&record(1), vec![AttributeWrite::Set(text("a", "x"))]))]);
    let mut other = next(&record(1));
    other.fence = 3;
    let stale = [
        SaveSession { end: Some(end(1, 5)), ..save(&record(1), vec![]) },
        SaveSession { end: Some(end(1, 5)), ..save(&other, vec![]) },
        SaveSession { end: Some(end(1, 5)), ..save(&next(&next(&record(1))), vec![]) },
        SaveSession { end: Some(end(2, 5)), ..save(&next(&record(2)), vec![]) },
    ];
    assert_eq!(store.commit(&stale.map(SessionWrite::Save)).unwrap(), vec![Verdict::Stale; 4]);
    assert_eq!(attributes(&*store, handle(1)), [text("a", "x")]);
    assert_eq!(store.find(&key(1)).unwrap(), Some(handle(1)));
    assert_eq!(store.recover().unwrap().ended, []);
}

pub(crate) fn a_session_that_was_never_saved_can_end(make: MakePlace) {
    let place = make();
    let store = place.open();
    done(&*store, &[SessionWrite::End(end(1, 5))]);
    assert_eq!(store.recover().unwrap().ended, [end(1, 5)]);
    assert_eq!(store.commit(&[SessionWrite::Save(save(&record(1), vec![]))]).unwrap(), [Verdict::Stale]);
}

pub(crate) fn ends_are_forgotten_when_their_time_has_come(make: MakePlace) {
    let place = make();
    let store = place.open();
    // Each is remembered for a minute; the last for ever.
    let forever = EndedSession { until: Moment::NEVER, ..end(9, 0) };
    let ends = [end(1, 3), end(2, 1), end(3, 2), forever.clone()];
    done(&*store, &ends.map(SessionWrite::End));
    assert_eq!(store.sweep(second(60), u64::MAX, 10).unwrap(), 0);
    assert_eq!(store.recover().unwrap().ended.len(), 4);
    // No more than it may, the earliest first.
    assert_eq!(store.sweep(second(63), u64::MAX, 2).unwrap(), 2);
    assert_eq!(store.recover().unwrap().ended, [forever.clone(), end(1, 3)]);
    assert_eq!(store.sweep(second(63), u64::MAX, 2).unwrap(), 1);
    assert_eq!(store.sweep(second(63), u64::MAX, 2).unwrap(), 0);
    assert_eq!(store.recover().unwrap().ended, [forever]);
}

pub(crate) fn of_too_many_ends_the_oldest_are_forgotten(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [3]);
    let kept = AnswerRecord { until: second(62), ..answer(3, Some(handle(3))) };
    let with_answer =
        SaveSession { answer: Some(kept.clone()), end: Some(end(3, 2)), ..save(&next(&record(3)), vec![]) };
    let forever = EndedSession { until: Moment::NEVER, ..end(9, 0) };
    let ends = [end(1, 3), end(2, 1), end(4, 4), forever.clone()];
    done(&*store, &ends.map(SessionWrite::End));
    done(&*store, &[SessionWrite::Save(with_answer), SessionWrite::Remember(answer(20, None))]);
    // Before their time, the oldest first, and no more at once than it may.
    assert_eq!(store.sweep(second(9), 4, 10).unwrap(), 0);
    assert_eq!(store.sweep(second(9), 2, 1).unwrap(), 1);
    assert_eq!(store.recover().unwrap().ended, [forever.clone(), end(3, 2), end(1, 3), end(4, 4)]);
    assert_eq!(store.answer(&scope(3)).unwrap(), Some(kept));
    assert_eq!(store.sweep(second(9), 2, 10).unwrap(), 1);
    assert_eq!(store.sweep(second(9), 2, 10).unwrap(), 0);
    assert_eq!(store.recover().unwrap().ended, [forever, end(1, 3), end(4, 4)]);
    // The answer that was kept as long as the end goes with it; others stay.
    assert_eq!(store.answer(&scope(3)).unwrap(), None);
    assert!(store.answer(&scope(20)).unwrap().is_some());
}
