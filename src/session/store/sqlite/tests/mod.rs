//! What an SQLite file adds to what every store does.

mod backup;
mod damage;
mod failures;
mod log;
mod opening;
mod rows;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;

use super::SqliteStore;
use crate::session::store::conformance::sample::{
    answer, attribute, done, end, handle, key, record, save, scope, second, text,
};
use crate::session::store::conformance::{MakePlace, Place, session_store_conforms};
use crate::session::{
    AttributeWrite, Durability, Moment, SaveSession, SessionStore, SessionWrite, StoreError, StoredAttribute, ValueKind,
};

impl Place for TempDir {
    fn open(&self) -> Box<dyn SessionStore> {
        Box::new(open(self).unwrap())
    }
}

const PLACE: MakePlace = || Box::new(tempfile::tempdir().unwrap());

session_store_conforms!(PLACE);

/// The folder of the store in a temporary one.
fn folder(place: &TempDir) -> PathBuf {
    place.path().join("sessions")
}

fn open(place: &TempDir) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(&folder(place), Durability::Os)
}

/// All files of a folder with their content, but for the index of the log, which is made anew at every start.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.ends_with("sessions.db-shm"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// A session with a text and a stream, and an answer.
fn save_of(number: u8) -> SaveSession {
    let large = vec![number; 6000];
    let values: [StoredAttribute; 3] = [
        text("small", &"x".repeat(number.into())),
        attribute("large", ValueKind::Text, &[&large]),
        attribute("stream", ValueKind::ByteStream, &[b"one", &large, b"three"]),
    ];
    SaveSession {
        attributes: values.into_iter().map(AttributeWrite::Set).collect(),
        answer: Some(answer(number, Some(handle(number)))),
        ..save(&record(number), vec![])
    }
}

/// Fills a store with some of everything.
fn fill(store: &SqliteStore) {
    let batch: Vec<_> = (1..12).map(|number| SessionWrite::Save(save_of(number))).collect();
    done(store, &batch);
    done(
        store,
        &[SessionWrite::End(end(11, 5)), SessionWrite::End(end(12, 6)), SessionWrite::Remember(answer(20, None))],
    );
}

/// All that can be read of a store, as text.
fn content(store: &SqliteStore) -> Result<String, StoreError> {
    let mut recovery = store.recover()?;
    recovery.openings = 0;
    let mut parts = vec![format!("{recovery:?}")];
    for number in 0..25 {
        let loaded = store.load(handle(number))?;
        let (found, answer) = (store.find(&key(number))?, store.answer(&scope(number))?);
        parts.push(format!("{loaded:?} {found:?} {answer:?}"));
    }
    let (listed, due) = (store.list(None, 99)?, store.due(Moment::NEVER, 99)?);
    parts.push(format!("{listed:?} {due:?}"));
    Ok(parts.join("\n"))
}

/// A save of the session of that number with one large value.
fn large(number: u8, bytes: usize) -> SessionWrite {
    let value = Bytes::from(vec![number; bytes]);
    let attribute = attribute("large", ValueKind::ByteStream, &[&value]);
    SessionWrite::Save(save(&record(number), vec![AttributeWrite::Set(attribute)]))
}

#[test]
fn what_it_takes_up_is_told() {
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    let empty = store.statistics().bytes;
    done(&store, &[large(1, 200_000)]);
    assert!(store.statistics().bytes >= empty + 200_000);
}

#[test]
fn commits_do_not_wait_for_a_long_sweep() {
    // It is made in steps; all of it is done nevertheless.
    let place = tempfile::tempdir().unwrap();
    let store = open(&place).unwrap();
    let ends: Vec<_> = (1..=200).map(|number| SessionWrite::End(end(number, 0))).collect();
    done(&store, &ends);
    assert_eq!(store.sweep(second(99), u64::MAX, 150).unwrap(), 150);
    assert_eq!(store.sweep(second(99), u64::MAX, 150).unwrap(), 50);
    assert_eq!(store.sweep(second(99), u64::MAX, 150).unwrap(), 0);
}
