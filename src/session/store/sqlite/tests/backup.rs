//! Copies of a store that is in use.

use std::fs;

use super::{content, fill, folder, large, open};
use crate::session::store::conformance::sample::done;
use crate::session::{Durability, SessionStore, SqliteStore, StoreError};

#[test]
fn a_copy_is_a_store() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let expected = content(&store).unwrap();
    let to = place.path().join("copy");
    store.back_up(&to).unwrap();
    done(&store, &[large(50, 10)]);
    assert_eq!(fs::read_dir(&to).unwrap().count(), 1, "one file");
    let copy = SqliteStore::open(&to, Durability::Full).unwrap();
    assert_eq!(content(&copy).unwrap(), expected);
    done(&copy, &[large(51, 10)]);
    // A copy of the copy.
    copy.back_up(&place.path().join("another")).unwrap();
}

#[test]
fn a_copy_is_as_of_one_moment_though_commits_go_on() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    for number in 100..110 {
        done(&store, &[large(number, 1_000_000)]);
    }
    let to = place.path().join("copy");
    std::thread::scope(|scope| {
        let copying = scope.spawn(|| store.back_up(&to));
        for number in 110..180 {
            if copying.is_finished() {
                break;
            }
            // Each pair is written by one commit.
            done(&store, &[large(number, 10_000), large(number + 70, 10_000)]);
        }
        copying.join().unwrap().unwrap();
    });
    let copy = SqliteStore::open(&to, Durability::Os).unwrap();
    let has = |number| copy.load(super::handle(number)).unwrap().is_some();
    assert!((100..110).all(has));
    assert!((110..180).all(|number| has(number) == has(number + 70)));
    copy.recover().unwrap();
}

#[test]
fn nothing_is_overwritten_by_a_copy() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let to = place.path().join("there");
    fs::create_dir(&to).unwrap();
    for to in [&to, &folder(&place)] {
        let refused = store.back_up(to);
        assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
    }
    assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
}

#[test]
fn a_copy_that_was_not_finished_is_begun_again() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let unfinished = place.path().join("copy.unfinished");
    for name in ["sessions.db.new", "sessions.db"] {
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join(name), "half").unwrap();
        let to = place.path().join("copy");
        store.back_up(&to).unwrap();
        assert!(!unfinished.exists());
        fs::remove_dir_all(to).unwrap();
    }
    // What somebody else has put there is not removed.
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("notes"), "mine").unwrap();
    assert!(store.back_up(&place.path().join("copy")).is_err());
    assert_eq!(fs::read(unfinished.join("notes")).unwrap(), b"mine");
}
