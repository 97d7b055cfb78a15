//! What is opened, and what is refused and left as it is.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::{content, files, fill, folder, open};
use crate::session::store::conformance::sample::{handle, record};
use crate::session::{Durability, SessionStore, SqliteStore, StoreError};

/// A store that was used and closed.
fn used() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fill(&open(&place).unwrap());
    place
}

/// Opens what is there, which is refused, and expects everything to be as it was.
fn refused(folder: &Path) -> StoreError {
    let before = files(folder);
    let error = SqliteStore::open(folder, Durability::Full).unwrap_err();
    assert!(files(folder) == before, "{error}");
    error
}

fn change(place: &TempDir, sql: &str) {
    let connection = Connection::open(folder(place).join("sessions.db")).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
}

#[test]
fn a_store_is_open_once() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    assert_eq!(refused(&folder(&place)), StoreError::InUse { path: folder(&place) });
    assert_eq!(store.load(handle(1)).unwrap().unwrap().record, record(1));
    drop(store);
    open(&place).unwrap();
}

#[test]
fn a_closed_store_is_one_file_and_a_lock() {
    let place = used();
    let names: Vec<_> = files(&folder(&place)).into_keys().collect();
    assert_eq!(names, [folder(&place).join("lock"), folder(&place).join("sessions.db")]);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    assert_eq!(mode(&folder(&place)), 0o700);
    for name in ["sessions.db", "sessions.db-wal", "sessions.db-shm", "lock"] {
        assert_eq!(mode(&folder(&place).join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_first_start_that_was_killed_is_begun_again() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(folder(&place)).unwrap();
    open(&place).unwrap();
    for names in [&["lock"][..], &["lock", "sessions.db.new"], &["sessions.db.new", "sessions.db.new-journal"]] {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(folder(&place)).unwrap();
        for name in names {
            fs::write(folder(&place).join(name), "half").unwrap();
        }
        fill(&open(&place).unwrap());
        assert_eq!(files(&folder(&place)).len(), 2, "{names:?}");
    }
}

#[test]
fn what_is_no_store_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "text").unwrap();
    let error = SqliteStore::open(&file, Durability::Full).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    for content in [&b"some text that somebody wrote"[..], b"x", &[0x17; 5000]] {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(folder(&place)).unwrap();
        fs::write(folder(&place).join("sessions.db"), content).unwrap();
        let error = refused(&folder(&place));
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    }
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(folder(&place)).unwrap();
    change(&place, "PRAGMA application_id = 17; CREATE TABLE orders(id INTEGER)");
    let error = refused(&folder(&place));
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[test]
fn a_newer_format_is_refused() {
    let place = used();
    change(&place, "PRAGMA user_version = 2");
    assert_eq!(refused(&folder(&place)), StoreError::TooNew { path: folder(&place), found: 2, known: 1 });
}

#[test]
fn other_tables_are_damage() {
    for sql in [
        "DROP INDEX session_due",
        "DROP TABLE answer",
        "ALTER TABLE ended ADD COLUMN more TEXT",
        "CREATE TABLE more(id INTEGER)",
        "CREATE TRIGGER sly AFTER INSERT ON ended BEGIN DELETE FROM session; END",
        "PRAGMA user_version = 0",
    ] {
        let place = used();
        change(&place, sql);
        let error = refused(&folder(&place));
        assert!(matches!(error, StoreError::Damaged { .. }), "{sql}: {error}");
    }
}

#[test]
fn a_file_that_lost_its_end_or_its_beginning_is_damaged() {
    let place = used();
    let file = folder(&place).join("sessions.db");
    let whole = fs::read(&file).unwrap();
    let mut beheaded = whole.clone();
    beheaded[..50].fill(0);
    let cut = |length: usize| whole[..length].to_vec();
    for content in [cut(0), cut(16), cut(100), cut(4096), cut(whole.len() / 2), cut(whole.len() - 1), beheaded] {
        fs::write(&file, &content).unwrap();
        let error = refused(&folder(&place));
        let foreign_at_best = content.len() < 100 && matches!(error, StoreError::Foreign { .. });
        assert!(matches!(error, StoreError::Damaged { .. }) || foreign_at_best, "{}: {error}", content.len());
    }
    fs::write(&file, &whole).unwrap();
    open(&place).unwrap();
}

#[test]
fn a_log_without_its_file_is_damage() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let kept = files(&folder(&place));
    drop(store);
    for (path, content) in kept {
        fs::write(path, content).unwrap();
    }
    fs::remove_file(folder(&place).join("sessions.db")).unwrap();
    let error = refused(&folder(&place));
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn what_is_only_in_the_log_is_there_after_a_kill() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    fill(&store);
    let expected = content(&store).unwrap();
    // What a process that is killed now leaves behind.
    let left = files(&folder(&place));
    drop(store);
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(folder(&other)).unwrap();
    for (path, content) in left {
        fs::write(folder(&other).join(path.file_name().unwrap()), content).unwrap();
    }
    assert_eq!(content(&open(&other).unwrap()).unwrap(), expected);
}
