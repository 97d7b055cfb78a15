//! Sessions, attributes and answers for tests.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use crate::session::{
    AnswerRecord, AnswerScope, AttributeWrite, EndReason, EndedSession, Moment, Principal, SaveSession, SessionHandle,
    SessionKey, SessionRecord, SessionStore, SessionWrite, StoredAttribute, StoredKey, StoredValue, ValueKind, Verdict,
};

/// The moment so many seconds after a round one in 2025.
pub(crate) fn second(seconds: u64) -> Moment {
    Moment::from_nanos(1_750_000_000_000_000_000).after(Duration::from_secs(seconds))
}

/// The handle of the session of that number. Handles sort by their numbers.
pub(crate) fn handle(number: u8) -> SessionHandle {
    SessionHandle::new(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)))
}

/// A key of that number.
pub(crate) fn key(number: u8) -> SessionKey {
    SessionKey::from_bytes([number; 32])
}

/// The session of that number as it is first saved. Its key has the same number.
pub(crate) fn record(number: u8) -> SessionRecord {
    SessionRecord {
        handle: handle(number),
        owner: Principal::new("owner"),
        timeout: Some(Duration::from_mins(10)),
        lifetime: second(43_200),
        keys: vec![StoredKey { key: key(number), until: Moment::NEVER, superseded: false }],
        released: second(number.into()),
        fence: 10,
        version: 1,
        sequence: 0,
        due: second(600),
        perishable: false,
        label: None,
        attributes: 0,
        bytes: 0,
        next_order: 1,
    }
}

/// The session after it, as it is saved next.
pub(crate) fn next(record: &SessionRecord) -> SessionRecord {
    SessionRecord { version: record.version + 1, fence: record.fence + 1, ..record.clone() }
}

/// A save of a session that is there, or of a new one if it is its first.
pub(crate) fn save(record: &SessionRecord, attributes: Vec<AttributeWrite>) -> SaveSession {
    SaveSession {
        record: record.clone(),
        is_new: record.version == 1,
        attributes,
        answer: None,
        answers_kept: 2,
        end: None,
    }
}

/// A text.
pub(crate) fn text(name: &str, text: &str) -> StoredAttribute {
    attribute(name, ValueKind::Text, &[text.as_bytes()])
}

/// A value of some pieces.
pub(crate) fn attribute(name: &str, kind: ValueKind, pieces: &[&[u8]]) -> StoredAttribute {
    let pieces = pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
    StoredAttribute { name: name.into(), order: 7, value: StoredValue { kind, pieces } }
}

/// The end of the session of that number, remembered for a minute.
pub(crate) fn end(number: u8, seconds: u64) -> EndedSession {
    EndedSession {
        handle: handle(number),
        owner: Principal::new("owner"),
        keys: vec![key(number)],
        reason: EndReason::Terminated,
        moment: second(seconds),
        at: DateTime::UNIX_EPOCH + TimeDelta::milliseconds(1_750_000_000_123),
        until: second(seconds + 60),
    }
}

/// The answer of that number.
pub(crate) fn answer(number: u8, session: Option<SessionHandle>) -> AnswerRecord {
    AnswerRecord {
        scope: scope(number),
        session,
        numbered: false,
        until: second(100),
        content: Bytes::from(vec![number; 9]),
    }
}

/// Its name.
pub(crate) fn scope(number: u8) -> AnswerScope {
    AnswerScope([number; 32])
}

/// Commits, and expects all of it to be done.
pub(crate) fn done(store: &dyn SessionStore, batch: &[SessionWrite]) {
    assert_eq!(store.commit(batch).unwrap(), vec![Verdict::Done; batch.len()]);
}

/// Saves new sessions of those numbers, without attributes.
pub(crate) fn sessions(store: &dyn SessionStore, numbers: impl IntoIterator<Item = u8>) {
    let batch: Vec<_> = numbers.into_iter().map(|number| SessionWrite::Save(save(&record(number), vec![]))).collect();
    done(store, &batch);
}

/// The attributes of a session by their names.
pub(crate) fn attributes(store: &dyn SessionStore, session: SessionHandle) -> Vec<StoredAttribute> {
    let mut attributes = store.load(session).unwrap().unwrap().attributes;
    attributes.sort_by(|left, right| left.name.cmp(&right.name));
    attributes
}
