//! Random batches: a store and the one in memory are told the same, and have to agree.

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::MakePlace;
use super::sample::{answer, attribute, end, handle, key, record, save, scope, second};
use crate::session::store::memory::MemoryStore;
use crate::session::{
    AnswerRecord, AttributeWrite, EndedSession, Moment, SaveSession, SessionRecord, SessionStore, SessionWrite,
    StoredKey, StoredSession, ValueKind,
};

/// How many sessions there are, and as many names and answers.
const COUNT: u8 = 4;

/// Something that happens to a store.
#[derive(Debug, Clone)]
enum Event {
    Commit(Vec<Change>),
    Sweep { seconds: u64, limit: usize },
    Compact,
    Reopen,
}

/// A write that is not known yet: versions and piece counts are mostly those that fit.
#[derive(Debug, Clone)]
enum Change {
    Save {
        session: u8,
        ahead: u64,
        fence: u64,
        state: State,
        attributes: Vec<(u8, Value)>,
        answer: Option<u8>,
        ends: bool,
    },
    End {
        session: u8,
        seconds: u64,
    },
    Remember {
        answer: u8,
        seconds: u64,
    },
}

/// What a save changes in the session itself.
#[derive(Debug, Clone)]
struct State {
    keys: Vec<u8>,
    due: Option<u64>,
    perishable: bool,
    label: Option<String>,
}

#[derive(Debug, Clone)]
enum Value {
    Set(Vec<usize>),
    Append { off: u32, lengths: Vec<usize> },
    Remove,
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![0..20_usize, Just(768), Just(769), 4000..9000_usize]
}

fn value() -> impl Strategy<Value = Value> {
    let lengths = || prop::collection::vec(length(), 0..3);
    prop_oneof![
        lengths().prop_map(Value::Set),
        (prop_oneof![9 => Just(0_u32), 1 => Just(1)], lengths())
            .prop_map(|(off, lengths)| Value::Append { off, lengths }),
        Just(Value::Remove),
    ]
}

fn state() -> impl Strategy<Value = State> {
    let keys = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(0..3_u8, 0..3)];
    let due = prop_oneof![3 => Just(Some(600)), 1 => prop::option::of(0..100_u64)];
    (keys, due, prop::bool::weighted(0.2), prop::option::of("[a-z]{0,3}"))
        .prop_map(|(keys, due, perishable, label)| State { keys, due, perishable, label })
}

fn change() -> impl Strategy<Value = Change> {
    let ahead = prop_oneof![9 => Just(1_u64), 1 => 0..3_u64];
    let attributes = prop::collection::vec((0..COUNT, value()), 0..4);
    let answer = prop::option::of(0..COUNT);
    let save = (0..COUNT, ahead, 8..12_u64, state(), attributes, answer, prop::bool::weighted(0.1)).prop_map(
        |(session, ahead, fence, state, attributes, answer, ends)| Change::Save {
            session,
            ahead,
            fence,
            state,
            attributes,
            answer,
            ends,
        },
    );
    prop_oneof![
        12 => save,
        1 => (0..COUNT, 0..50_u64).prop_map(|(session, seconds)| Change::End { session, seconds }),
        1 => (0..COUNT, 0..50_u64).prop_map(|(answer, seconds)| Change::Remember { answer, seconds }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => prop::collection::vec(change(), 1..5).prop_map(Event::Commit),
        2 => (0..150_u64, 0..4_usize).prop_map(|(seconds, limit)| Event::Sweep { seconds, limit }),
        1 => Just(Event::Compact),
        1 => Just(Event::Reopen),
    ]
}

pub(crate) fn random_batches_agree_with_the_reference(make: MakePlace) {
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    runner
        .run(&prop::collection::vec(event(), 1..40), |events| {
            live_through(make, &events);
            Ok(())
        })
        .unwrap();
}

fn live_through(make: MakePlace, events: &[Event]) {
    let place = make();
    let mut store = place.open();
    let mut reference = MemoryStore::new();
    for event in events {
        match event {
            Event::Commit(changes) => {
                let batch: Vec<_> =
                    changes.iter().scan(reference.clone(), |_, change| Some(write(&reference, change))).collect();
                assert_eq!(store.commit(&batch).unwrap(), reference.commit(&batch).unwrap());
            }
            Event::Sweep { seconds, limit } => {
                let now = second(*seconds);
                assert_eq!(
                    store.sweep(now, u64::MAX, *limit).unwrap(),
                    reference.sweep(now, u64::MAX, *limit).unwrap()
                );
            }
            Event::Compact => store.compact().unwrap(),
            Event::Reopen => {
                drop(store);
                store = place.open();
                reference = reference.reopen();
            }
        }
        compare(&*store, &reference);
    }
}

fn write(reference: &MemoryStore, change: &Change) -> SessionWrite {
    match change {
        Change::Save { session, ahead, fence, state, attributes, answer, ends } => {
            let stored = reference.load(handle(*session)).unwrap();
            let before = stored.as_ref().map(|stored| stored.record.version);
            let record = saved(*session, before.unwrap_or(0) + ahead, *fence, state);
            let attributes = attributes.iter().map(|(name, value)| attribute_write(stored.as_ref(), *name, value));
            SessionWrite::Save(SaveSession {
                is_new: before.is_none(),
                answer: answer.map(|number| self::answer(number, (number % 2 == 0).then(|| handle(*session)))),
                answers_kept: 1,
                end: ends.then(|| end(*session, 9)),
                ..save(&record, attributes.collect())
            })
        }
        Change::End { session, seconds } => {
            SessionWrite::End(EndedSession { until: second(*seconds), ..end(*session, 3) })
        }
        Change::Remember { answer, seconds } => {
            SessionWrite::Remember(AnswerRecord { until: second(*seconds), ..self::answer(*answer, None) })
        }
    }
}

fn saved(session: u8, version: u64, fence: u64, state: &State) -> SessionRecord {
    let mut keys = vec![StoredKey { key: key(session), until: Moment::NEVER, superseded: false }];
    for rotated in &state.keys {
        let stored = StoredKey { key: key(10 * (session + 1) + rotated), until: second(7), superseded: *rotated == 0 };
        if !keys.contains(&stored) {
            keys.push(stored);
        }
    }
    SessionRecord {
        version,
        fence,
        keys,
        due: state.due.map_or(Moment::NEVER, second),
        perishable: state.perishable,
        label: state.label.as_deref().map(Into::into),
        ..record(session)
    }
}

fn attribute_write(stored: Option<&StoredSession>, name: u8, value: &Value) -> AttributeWrite {
    let name = format!("attribute {name}");
    let bytes = |lengths: &[usize]| lengths.iter().map(|length| vec![b'x'; *length]).collect::<Vec<_>>();
    match value {
        Value::Set(lengths) => {
            let pieces = bytes(lengths);
            let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
            AttributeWrite::Set(attribute(&name, ValueKind::ByteStream, &pieces))
        }
        Value::Append { off, lengths } => {
            let present = stored
                .and_then(|stored| stored.attributes.iter().find(|attribute| *attribute.name == *name))
                .map_or(0, |attribute| attribute.value.pieces.len());
            let pieces = bytes(lengths).into_iter().map(Bytes::from).collect();
            let present = u32::try_from(present).unwrap() + off;
            AttributeWrite::Append { name: name.into(), order: 9, present, pieces }
        }
        Value::Remove => AttributeWrite::Remove { name: name.into() },
    }
}

fn compare(store: &dyn SessionStore, reference: &MemoryStore) {
    for number in 0..COUNT {
        let sorted = |stored: Option<StoredSession>| {
            stored.map(|mut stored| {
                stored.attributes.sort_by(|left, right| left.name.cmp(&right.name));
                stored
            })
        };
        let session = handle(number);
        assert_eq!(sorted(store.load(session).unwrap()), sorted(reference.load(session).unwrap()));
        assert_eq!(store.answer(&scope(number)).unwrap(), reference.answer(&scope(number)).unwrap());
    }
    for number in 0..60 {
        assert_eq!(store.find(&key(number)).unwrap(), reference.find(&key(number)).unwrap());
    }
    assert_eq!(store.list(None, 3).unwrap(), reference.list(None, 3).unwrap());
    assert_eq!(store.due(second(50), 3).unwrap(), reference.due(second(50), 3).unwrap());
    let (mut found, mut expected) = (store.recover().unwrap(), reference.recover().unwrap());
    found.owners.sort();
    expected.owners.sort();
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
}
