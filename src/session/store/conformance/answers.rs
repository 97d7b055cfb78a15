//! Remembered answers.

use bytes::Bytes;

use super::MakePlace;
use super::sample::{answer, done, end, handle, next, record, save, scope, second, sessions};
use crate::session::{AnswerRecord, Moment, SaveSession, SessionRecord, SessionStore, SessionWrite, Verdict};

/// A save that brings an answer to its session.
fn answered(record: &SessionRecord, answer: AnswerRecord, kept: u32) -> SessionWrite {
    SessionWrite::Save(SaveSession { answer: Some(answer), answers_kept: kept, ..save(record, vec![]) })
}

/// Which of the answers 1 to 9 are remembered.
fn remembered(store: &dyn SessionStore) -> Vec<u8> {
    (1..10).filter(|number| store.answer(&scope(*number)).unwrap().is_some()).collect()
}

pub(crate) fn a_session_keeps_its_latest_answers(make: MakePlace) {
    let place = make();
    let store = place.open();
    let (first, second) = (record(1), next(&record(1)));
    let (third, fourth) = (next(&second), next(&next(&second)));
    let of_session = |number| answer(number, Some(handle(1)));
    done(&*store, &[answered(&first, of_session(3), 2), answered(&second, of_session(2), 2)]);
    assert_eq!(store.answer(&scope(3)).unwrap(), Some(of_session(3)));
    done(&*store, &[answered(&record(2), answer(9, Some(handle(2))), 2)]);
    done(&*store, &[answered(&third, of_session(1), 2)]);
    assert_eq!(remembered(&*store), [1, 2, 9]);
    // Fewer than before; a stale save forgets none.
    assert_eq!(store.commit(&[answered(&third, of_session(4), 1)]).unwrap(), [Verdict::Stale]);
    assert_eq!(remembered(&*store), [1, 2, 9]);
    done(&*store, &[answered(&fourth, of_session(5), 1)]);
    assert_eq!(remembered(&*store), [5, 9]);
    done(&*store, &[answered(&next(&fourth), of_session(6), 0)]);
    assert_eq!(remembered(&*store), [9]);
}

pub(crate) fn answers_apart_from_a_save_are_counted_as_well(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [1, 2]);
    let of = |number, session| AnswerRecord { until: Moment::NEVER, ..answer(number, Some(handle(session))) };
    let numbered = AnswerRecord { numbered: true, ..of(1, 1) };
    done(&*store, &[SessionWrite::Remember(numbered), SessionWrite::Remember(of(9, 2))]);
    for number in 2..6 {
        done(&*store, &[SessionWrite::RememberLatest { answer: of(number, 1), answers_kept: 2 }]);
    }
    assert_eq!(remembered(&*store), [1, 4, 5, 9]);
    done(&*store, &[SessionWrite::RememberLatest { answer: answer(8, None), answers_kept: 0 }]);
    assert_eq!(remembered(&*store), [1, 4, 5, 8, 9]);
}

pub(crate) fn answers_go_with_their_session_but_for_that_of_the_end(make: MakePlace) {
    let place = make();
    let store = place.open();
    let by_itself = answer(5, None);
    done(&*store, &[answered(&record(1), answer(1, Some(handle(1))), 9)]);
    done(&*store, &[answered(&record(2), answer(2, Some(handle(2))), 9), SessionWrite::Remember(by_itself.clone())]);
    done(&*store, &[SessionWrite::End(end(1, 5))]);
    assert_eq!(remembered(&*store), [2, 5]);
    let last = SaveSession {
        answer: Some(answer(3, Some(handle(2)))),
        answers_kept: 0,
        end: Some(end(2, 5)),
        ..save(&next(&record(2)), vec![])
    };
    done(&*store, &[SessionWrite::Save(last)]);
    assert_eq!(remembered(&*store), [3, 5]);
    assert_eq!(store.answer(&scope(3)).unwrap(), Some(answer(3, Some(handle(2)))));
    assert_eq!(store.answer(&scope(5)).unwrap(), Some(by_itself));
    // A session that is new and ends with the same write.
    let only = SaveSession { answer: Some(answer(7, None)), end: Some(end(3, 5)), ..save(&record(3), vec![]) };
    done(&*store, &[SessionWrite::Save(only)]);
    assert_eq!(remembered(&*store), [3, 5, 7]);
}

pub(crate) fn answers_of_a_lost_session_stay_as_long_as_its_end(make: MakePlace) {
    let place = make();
    let store = place.open();
    let of = |number| AnswerRecord { until: Moment::NEVER, ..answer(number, Some(handle(1))) };
    let numbered = AnswerRecord { numbered: true, ..of(2) };
    done(&*store, &[answered(&record(1), of(1), 9), SessionWrite::Remember(numbered.clone())]);
    done(&*store, &[answered(&record(2), AnswerRecord { until: Moment::NEVER, ..answer(9, Some(handle(2))) }, 9)]);
    let lost = end(1, 5);
    done(&*store, &[SessionWrite::Lose(lost.clone()), SessionWrite::End(end(2, 5))]);
    assert_eq!(store.answer(&scope(2)).unwrap(), Some(AnswerRecord { until: lost.until, ..numbered }));
    assert_eq!(remembered(&*store), [1, 2]);
    assert_eq!(store.commit(&[SessionWrite::Lose(lost.clone())]).unwrap(), [Verdict::Stale], "it has ended");
    drop(store);
    let store = place.open();
    assert_eq!(remembered(&*store), [1, 2]);
    store.sweep(lost.until, u64::MAX, 9).unwrap();
    assert!(remembered(&*store).is_empty());
}

pub(crate) fn an_answer_without_a_session_is_kept_until_its_time(make: MakePlace) {
    let place = make();
    let store = place.open();
    let forever = AnswerRecord { until: Moment::NEVER, ..answer(3, None) };
    let early = AnswerRecord { until: second(50), ..answer(2, None) };
    let empty = AnswerRecord { content: Bytes::new(), ..answer(1, None) };
    done(&*store, &[empty.clone(), early, forever, answer(4, None)].map(SessionWrite::Remember));
    done(&*store, &[SessionWrite::End(end(1, 0))]);
    assert_eq!(store.answer(&scope(1)).unwrap(), Some(empty));
    assert_eq!(store.sweep(second(49), u64::MAX, 9).unwrap(), 0);
    assert_eq!(store.sweep(second(99), u64::MAX, 9).unwrap(), 2, "an answer and an end");
    assert_eq!(remembered(&*store), [1, 3, 4]);
    assert_eq!(store.sweep(second(100), u64::MAX, 1).unwrap(), 1);
    assert_eq!(store.sweep(second(100), u64::MAX, 1).unwrap(), 1);
    assert_eq!(store.sweep(second(100), u64::MAX, 1).unwrap(), 0);
    assert_eq!(remembered(&*store), [3]);
}

pub(crate) fn an_answer_that_goes_with_a_session_needs_it(make: MakePlace) {
    let place = make();
    let store = place.open();
    let forever = |number| AnswerRecord { until: Moment::NEVER, ..answer(number, Some(handle(1))) };
    assert_eq!(store.commit(&[SessionWrite::Remember(forever(1))]).unwrap(), [Verdict::Stale]);
    sessions(&*store, [1]);
    done(&*store, &[SessionWrite::Remember(forever(2))]);
    done(&*store, &[SessionWrite::End(end(1, 5))]);
    assert_eq!(store.commit(&[SessionWrite::Remember(forever(3))]).unwrap(), [Verdict::Stale]);
    // One that ends by itself leaves nothing behind.
    done(&*store, &[SessionWrite::Remember(answer(4, Some(handle(1))))]);
    assert_eq!(remembered(&*store), [4]);
}

pub(crate) fn an_answer_replaces_the_one_of_its_name(make: MakePlace) {
    let place = make();
    let store = place.open();
    sessions(&*store, [1]);
    done(&*store, &[SessionWrite::Remember(answer(1, None)), SessionWrite::Remember(answer(1, None))]);
    let other = AnswerRecord { content: Bytes::from_static(b"other"), until: second(5), ..answer(1, Some(handle(1))) };
    done(&*store, &[answered(&next(&record(1)), other.clone(), 1)]);
    assert_eq!(store.answer(&scope(1)).unwrap(), Some(other));
    assert_eq!(store.answer(&scope(2)).unwrap(), None);
}
