//! Whatever happens to the file, nothing is answered that was not written.

use std::fs;

use tempfile::TempDir;

use super::{content, files, fill, folder, large, open};
use crate::session::store::conformance::sample::done;
use crate::session::{Durability, SessionStore, SqliteStore, StoreError};

/// The file of a store that was filled and closed, and what was in it.
fn original() -> (TempDir, Vec<u8>, String) {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let expected = content(&store).unwrap();
    drop(store);
    let file = fs::read(folder(&place).join("sessions.db")).unwrap();
    (place, file, expected)
}

/// Opens the store with that file, and reads all of it.
fn read(place: &TempDir, file: &[u8]) -> Result<String, StoreError> {
    for name in ["sessions.db-wal", "sessions.db-shm"] {
        let _ = fs::remove_file(folder(place).join(name));
    }
    fs::write(folder(place).join("sessions.db"), file).unwrap();
    content(&open(place)?)
}

#[test]
fn a_flipped_bit_is_damage_or_does_no_harm() {
    let (place, file, expected) = original();
    let mut found = 0;
    // Every byte of the header, and some of every page; which of them are used differs from page to page.
    let positions = (0..100).chain((100..file.len()).step_by(997));
    for position in positions {
        let mut flipped = file.clone();
        flipped[position] ^= 1 << (position % 8);
        match read(&place, &flipped) {
            Ok(content) => assert!(content == expected, "byte {position}"),
            Err(StoreError::Damaged { .. } | StoreError::Foreign { .. } | StoreError::TooNew { .. }) => found += 1,
            Err(error) => panic!("byte {position}: {error}"),
        }
    }
    assert!(found > 100, "{found}");
    assert_eq!(read(&place, &file).unwrap(), expected);
}

#[test]
fn a_page_that_is_lost_is_damage_or_does_no_harm() {
    let (place, file, expected) = original();
    let pages = file.len() / 4096;
    for page in 0..pages {
        for other in [None, Some((page + 1) % pages)] {
            let mut lost = file.clone();
            let place_of = |page: usize| page * 4096..(page + 1) * 4096;
            match other {
                None => lost[place_of(page)].fill(0),
                Some(other) => lost[place_of(page)].copy_from_slice(&file[place_of(other)]),
            }
            match read(&place, &lost) {
                Ok(content) => assert!(content == expected, "page {page} {other:?}"),
                Err(StoreError::Damaged { .. } | StoreError::Foreign { .. } | StoreError::TooNew { .. }) => {}
                Err(error) => panic!("page {page}: {error}"),
            }
        }
    }
}

/// What a process leaves behind that is killed after some commits, and the content then.
fn killed(durability: Durability) -> (TempDir, Vec<u8>, String) {
    let place = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder(&place), durability).unwrap();
    fill(&store);
    for number in 100..120 {
        done(&store, &[large(number, 10)]);
    }
    let expected = content(&store).unwrap();
    let left = files(&folder(&place));
    drop(store);
    for (path, content) in &left {
        fs::write(path, content).unwrap();
    }
    let log = left[&folder(&place).join("sessions.db-wal")].clone();
    (place, log, expected)
}

/// Opens what a process has left behind, but for its log.
fn read_with_log(place: &TempDir, log: &[u8]) -> Result<String, StoreError> {
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(folder(&other)).unwrap();
    fs::copy(folder(place).join("sessions.db"), folder(&other).join("sessions.db")).unwrap();
    fs::write(folder(&other).join("sessions.db-wal"), log).unwrap();
    let before = files(&folder(&other));
    let outcome = open(&other).and_then(|store| content(&store));
    if outcome.is_err() {
        fs::remove_file(folder(&other).join("lock")).unwrap();
        assert!(files(&folder(&other)) == before);
    }
    outcome
}

#[test]
fn a_log_that_is_broken_off_in_its_middle_is_damage() {
    let (place, log, expected) = killed(Durability::Full);
    assert_eq!(read_with_log(&place, &log).unwrap(), expected);
    // Also where only the opening and the header are left.
    for position in (0..24).chain((24..log.len() - 40 * 4120).step_by(1013)) {
        let mut flipped = log.clone();
        flipped[position] ^= 0x10;
        match read_with_log(&place, &flipped) {
            Ok(content) => assert!(content == expected, "byte {position}"),
            Err(StoreError::Damaged { .. }) => {}
            Err(error) => panic!("byte {position}: {error}"),
        }
    }
}

#[test]
fn a_commit_that_was_cut_off_is_none() {
    let (place, log, expected) = killed(Durability::Full);
    for lost in [1, 100, 4120, 5000] {
        let content = read_with_log(&place, &log[..log.len() - lost]).unwrap();
        assert_ne!(content, expected);
    }
    // With the operating system's durability, more of the end may be lost.
    let (place, mut log, _) = killed(Durability::Os);
    let middle = log.len() / 2;
    log[middle..middle + 512].fill(0);
    read_with_log(&place, &log).unwrap();
}

#[test]
fn a_start_finds_sessions_that_are_damaged_before_somebody_asks_for_them() {
    let (place, file, _) = original();
    // The owner of a session, in the middle of the file.
    let at = file.windows(5).rposition(|bytes| bytes == b"owner").unwrap();
    let mut changed = file.clone();
    changed[at..at + 5].copy_from_slice(b"other");
    fs::write(folder(&place).join("sessions.db"), changed).unwrap();
    let found = open(&place).and_then(|store| store.recover());
    assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
}
