//! The log: it begins anew, and what is free is given back.

use super::super::connection::{self, Role};
use super::super::log::pass;
use super::{Durability, content, fill, folder, large, open};
use crate::session::store::conformance::sample::{done, end, handle, sessions};
use crate::session::{SessionStore, SessionWrite, SqliteStore};

/// Pages in the log after the next commit.
fn pages_after_a_commit(store: &SqliteStore, number: u8) -> u64 {
    sessions(store, [number]);
    store.length.pages()
}

#[test]
fn it_begins_anew_once_it_is_brought_back() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    done(&store, &[large(1, 3_000_000)]);
    assert!(pages_after_a_commit(&store, 2) > 700);
    store.compact().unwrap();
    assert!(pages_after_a_commit(&store, 3) < 20);
}

#[test]
fn what_is_committed_after_a_pass_is_left_until_the_log_begins_anew() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let connection = connection::open(&folder(&place).join("sessions.db"), Role::Checkpoint, Durability::Os).unwrap();
    // As long as somebody reads it, the log goes on.
    let reader = store.readers.open().unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM session").unwrap();
    let passed = pass(&connection).unwrap();
    assert_eq!(store.length.left_by(passed), Some(0));
    done(&store, &[large(50, 1_000_000)]);
    assert!(store.length.left_by(passed).is_some_and(|left| left > 200));
    reader.execute_batch("COMMIT").unwrap();
    store.compact().unwrap();
    assert_eq!(store.length.left_by(passed), None);
}

#[test]
fn it_waits_for_who_reads_what_was_there_before() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let reader = store.readers.open().unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM session").unwrap();
    done(&store, &[large(50, 3_000_000)]);
    store.compact().unwrap();
    assert!(pages_after_a_commit(&store, 51) > 700);
    reader.execute_batch("COMMIT").unwrap();
    store.compact().unwrap();
    assert!(pages_after_a_commit(&store, 52) < 20);
    assert!(store.load(handle(50)).unwrap().is_some());
}

#[test]
fn it_is_brought_back_without_being_asked_when_it_is_long() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    // Until it has begun anew, which is some 32 MiB later; a thousand times as much would be a failure.
    let mut latest = 0;
    for number in (0..=255).cycle().take(8000) {
        done(&store, &[large(number, 1_000_000), SessionWrite::Remember(super::answer(number, None))]);
        let pages = store.length.pages();
        if pages < latest {
            return;
        }
        latest = pages;
        done(&store, &[SessionWrite::End(end(number, 0))]);
        store.sweep(super::Moment::NEVER, u64::MAX, 9).unwrap();
    }
    panic!("{latest} pages");
}

#[test]
fn what_is_free_is_given_back() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let before = content(&store).unwrap();
    done(&store, &[large(50, 12_000_000)]);
    done(&store, &[SessionWrite::End(end(50, 0))]);
    store.sweep(super::Moment::NEVER, u64::MAX, 0).unwrap();
    store.compact().unwrap();
    let file = folder(&place).join("sessions.db");
    assert!(file.metadata().unwrap().len() < 6_000_000, "{}", file.metadata().unwrap().len());
    done(&store, &[SessionWrite::Remember(super::answer(24, None))]);
    assert_ne!(content(&store).unwrap(), before);
    drop(store);
    open(&place).unwrap();
}
