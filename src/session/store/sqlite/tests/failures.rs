//! Disks that are full, can't be written, or fail.

use super::super::state::State;
use super::{content, fill, folder, large, open};
use crate::session::store::conformance::sample::{done, handle, record, sessions};
use crate::session::{Durability, SessionStore, SqliteStore, StoreError};

/// Sets a pragma of the connection that writes, which answers with a row or does not.
fn set(store: &SqliteStore, pragma: &str) {
    let writer = store.writer.lock();
    let mut statement = writer.connection().prepare(pragma).unwrap();
    let mut rows = statement.query([]).unwrap();
    while rows.next().unwrap().is_some() {}
}

#[test]
fn a_full_disk_changes_nothing_and_is_told() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let before = content(&store).unwrap();
    set(&store, "PRAGMA max_page_count = 1");
    assert_eq!(store.commit(&[large(50, 2_000_000)]), Err(StoreError::Full));
    assert_eq!(content(&store).unwrap(), before);
    // Not even a part of the batch.
    let batch = [large(51, 10), large(52, 2_000_000), large(53, 10)];
    assert_eq!(store.commit(&batch), Err(StoreError::Full));
    assert_eq!(content(&store).unwrap(), before);
    set(&store, "PRAGMA max_page_count = 1000000");
    done(&store, &batch);
    drop(store);
    let store = open(&place).unwrap();
    assert!(store.load(handle(52)).unwrap().is_some());
}

#[test]
fn a_store_that_can_not_be_written_can_be_read() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let before = content(&store).unwrap();
    set(&store, "PRAGMA query_only = ON");
    let refused = store.commit(&[large(50, 10)]);
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
    assert_eq!(content(&store).unwrap(), before);
    set(&store, "PRAGMA query_only = OFF");
    done(&store, &[large(50, 10)]);
}

#[test]
fn a_commit_that_failed_is_overwritten_before_anything_else_is_done() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let before = content(&store).unwrap();
    // A commit that is refused by a hook fails as late as one whose sync fails.
    store.writer.lock().refuse_commits();
    let refused = store.commit(&[large(50, 10)]);
    assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
    assert_eq!(State::read(store.writer.lock().connection()).unwrap().settled, 1);
    assert_eq!(content(&store).unwrap(), before);
    done(&store, &[large(50, 10)]);
    drop(store);
    assert!(open(&place).unwrap().load(handle(50)).unwrap().is_some());
}

#[test]
fn a_file_that_was_not_kept_is_written_from_the_log_at_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder(&place), Durability::Full).unwrap();
    fill(&store);
    store.length.get_stuck();
    let refused = store.compact();
    assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
    // Commits go on.
    sessions(&store, [60]);
    let expected = content(&store).unwrap();
    drop(store);
    assert!(folder(&place).join("sessions.db-wal").metadata().unwrap().len() > 0, "the log is kept");
    let store = SqliteStore::open(&folder(&place), Durability::Full).unwrap();
    assert_eq!(content(&store).unwrap(), expected);
    assert_eq!(store.load(handle(60)).unwrap().unwrap().record, record(60));
    store.compact().unwrap();
}

#[test]
fn a_log_that_can_not_be_brought_back_does_not_grow_for_ever() {
    let place = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder(&place), Durability::Full).unwrap();
    store.length.get_stuck();
    store.length.set(1 << 19);
    let refused = store.commit(&[large(1, 1)]);
    assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
}

#[test]
fn a_log_that_may_be_lost_takes_nothing_more() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    store.length.get_stuck();
    let refused = store.commit(&[large(1, 1)]);
    assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
}
