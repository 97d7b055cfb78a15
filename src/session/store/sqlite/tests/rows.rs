//! One row that is damaged, or one write that can't be made, and all the others.

use rusqlite::params;

use super::open;
use crate::session::store::conformance::sample::{done, end, handle, key, next, record, save, second, sessions, text};
use crate::session::{
    AttributeWrite, Moment, SessionHandle, SessionRecord, SessionStore, SessionWrite, SqliteStore, StoreError,
    StoredKey, Verdict,
};

/// Changes something of a session behind the back of the store.
fn damage(store: &SqliteStore, number: u8, change: &str) {
    let sql = format!("UPDATE session SET {change} WHERE handle = ?1");
    let writer = store.writer.lock();
    let changed = writer.connection().execute(&sql, params![handle(number).uuid().as_bytes()]).unwrap();
    assert_eq!(changed, 1);
}

fn handles(records: Vec<SessionRecord>) -> Vec<SessionHandle> {
    records.into_iter().map(|record| record.handle).collect()
}

fn count_up(number: u8) -> SessionWrite {
    SessionWrite::Save(save(&next(&record(number)), vec![AttributeWrite::Set(text("a", "one"))]))
}

fn is_damage(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused(StoreError::Damaged { .. }))
}

#[test]
fn a_damaged_session_does_not_hide_the_others() {
    for change in ["fence = 99", "keys = x'01'", "released = -5", "owner = 'other'"] {
        let place = tempfile::tempdir().unwrap();
        let store = open(&place).unwrap();
        sessions(&store, [1, 2, 3, 4]);
        let others = vec![handle(1), handle(3), handle(4)];
        damage(&store, 2, change);
        for _ in 0..2 {
            assert_eq!(handles(store.list(None, 9).unwrap()), others, "{change}");
            assert_eq!(handles(store.due(Moment::NEVER, 9).unwrap()), others, "{change}");
        }
        // It takes no place in a page either.
        assert_eq!(handles(store.list(None, 2).unwrap()), others[..2]);
        assert_eq!(handles(store.list(Some(handle(1)), 2).unwrap()), others[1..]);
        assert_eq!(handles(store.due(Moment::NEVER, 2).unwrap()), others[..2]);
        assert_eq!(store.statistics().damaged, 1, "told of once");
        assert!(matches!(store.load(handle(2)), Err(StoreError::Damaged { .. })));
    }
}

#[test]
fn a_write_that_can_not_be_made_takes_nothing_from_its_batch() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    sessions(&store, [1, 2, 3]);
    damage(&store, 2, "keys = x'01'");
    let verdicts = store.commit(&[count_up(1), SessionWrite::End(end(2, 5)), count_up(3)]).unwrap();
    assert_eq!((&verdicts[0], &verdicts[2]), (&Verdict::Done, &Verdict::Done));
    assert!(is_damage(&verdicts[1]), "{verdicts:?}");
    for number in [1, 3] {
        assert_eq!(store.load(handle(number)).unwrap().unwrap().attributes, [text("a", "one")]);
    }
    // Of the one nothing was written, not even the half that could be.
    let ended: i64 = {
        let writer = store.writer.lock();
        writer.connection().query_row("SELECT count(*) FROM ended", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(ended, 0);
    let alone = store.commit(&[SessionWrite::End(end(2, 5))]).unwrap();
    assert!(is_damage(&alone[0]), "{alone:?}");
}

#[test]
fn a_key_that_is_taken_is_refused_alone() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    sessions(&store, [1, 2]);
    let keys = vec![StoredKey { key: key(1), until: Moment::NEVER, superseded: false }];
    let thief = SessionRecord { keys, released: second(9), ..next(&record(2)) };
    let verdicts = store.commit(&[count_up(1), SessionWrite::Save(save(&thief, vec![]))]).unwrap();
    assert_eq!(verdicts[0], Verdict::Done);
    assert!(matches!(verdicts[1], Verdict::Refused(_)), "{verdicts:?}");
    assert_eq!(store.load(handle(2)).unwrap().unwrap().record, record(2));
    done(&store, &[SessionWrite::Save(save(&next(&record(2)), vec![]))]);
}
