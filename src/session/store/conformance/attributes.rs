//! Attributes: set, appended to, removed.

use bytes::Bytes;

use super::MakePlace;
use super::sample::{attribute, attributes, done, handle, next, record, save, text};
use crate::session::{AttributeWrite, SessionRecord, SessionStore, SessionWrite, StoredAttribute, ValueKind, Verdict};

/// Saves the next version of a session with some changes.
fn change(store: &dyn SessionStore, record: &mut SessionRecord, changes: Vec<AttributeWrite>) {
    *record = next(record);
    done(store, &[SessionWrite::Save(save(record, changes))]);
}

fn set(attribute: &StoredAttribute) -> AttributeWrite {
    AttributeWrite::Set(attribute.clone())
}

fn append(name: &str, present: u32, pieces: &[&[u8]]) -> AttributeWrite {
    let pieces = pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
    AttributeWrite::Append { name: name.into(), order: 9, present, pieces }
}

pub(crate) fn only_the_attributes_that_are_named_change(make: MakePlace) {
    let place = make();
    let store = place.open();
    let mut session = record(1);
    let names = ["a", "b", "c", "d"];
    let writes = names.iter().map(|name| set(&text(name, "first"))).collect();
    done(&*store, &[SessionWrite::Save(save(&session, writes))]);
    let changes = vec![
        set(&text("b", "second")),
        AttributeWrite::Remove { name: "c".into() },
        AttributeWrite::Remove { name: "never there".into() },
        set(&text("e", "new")),
    ];
    change(&*store, &mut session, changes);
    let expected = [text("a", "first"), text("b", "second"), text("d", "first"), text("e", "new")];
    assert_eq!(attributes(&*store, handle(1)), expected);
    change(&*store, &mut session, vec![]);
    assert_eq!(attributes(&*store, handle(1)), expected);
}

pub(crate) fn a_value_is_replaced_by_one_of_any_size_and_kind(make: MakePlace) {
    let place = make();
    let store = place.open();
    let mut session = record(1);
    done(&*store, &[SessionWrite::Save(save(&session, vec![]))]);
    let large = vec![0xa5; 300_000];
    let values = [
        attribute("a", ValueKind::Text, &[b""]),
        attribute("a", ValueKind::ByteStream, &[&large, b"small", &large]),
        attribute("a", ValueKind::Integer, &[&[1, 0, 0, 0, 0, 0, 0, 0]]),
        attribute("a", ValueKind::EmptyStream, &[]),
        attribute("a", ValueKind::Xml, &[&large]),
        attribute("a", ValueKind::TextStream, &[b"small", b"small", &large]),
        attribute("a", ValueKind::RowStream, &[b"", b""]),
        attribute("a", ValueKind::Real, &[&[0, 0, 0, 0, 0, 0, 0xf8, 0x7f]]),
        attribute("a", ValueKind::Boolean, &[&[1]]),
    ];
    for value in values {
        change(&*store, &mut session, vec![set(&value)]);
        assert_eq!(attributes(&*store, handle(1)), std::slice::from_ref(&value));
        change(&*store, &mut session, vec![AttributeWrite::Remove { name: "a".into() }]);
        assert_eq!(attributes(&*store, handle(1)), []);
        change(&*store, &mut session, vec![set(&value)]);
    }
}

pub(crate) fn pieces_are_appended_behind_those_that_are_there(make: MakePlace) {
    let place = make();
    let store = place.open();
    let mut session = record(1);
    let (stream, other) = (attribute("s", ValueKind::TextStream, &[]), attribute("t", ValueKind::ByteStream, &[b"x"]));
    done(&*store, &[SessionWrite::Save(save(&session, vec![set(&stream), set(&other)]))]);
    let large = vec![b'l'; 5000];
    change(&*store, &mut session, vec![append("s", 0, &[b"one", &large])]);
    change(&*store, &mut session, vec![append("s", 2, &[b"three"]), append("t", 1, &[b"y"])]);
    change(&*store, &mut session, vec![append("s", 3, &[])]);
    let grown = |name, kind, pieces: &[&[u8]]| StoredAttribute { order: 9, ..attribute(name, kind, pieces) };
    let expected = [
        grown("s", ValueKind::TextStream, &[b"one", &large, b"three"]),
        grown("t", ValueKind::ByteStream, &[b"x", b"y"]),
    ];
    assert_eq!(attributes(&*store, handle(1)), expected);
}

pub(crate) fn an_append_to_something_else_is_stale(make: MakePlace) {
    let place = make();
    let store = place.open();
    let stream = attribute("s", ValueKind::TextStream, &[b"one"]);
    done(&*store, &[SessionWrite::Save(save(&record(1), vec![set(&stream)]))]);
    for appended in [append("s", 0, &[b"x"]), append("s", 2, &[b"x"]), append("absent", 0, &[b"x"])] {
        let write = SessionWrite::Save(save(&next(&record(1)), vec![set(&text("a", "lost")), appended]));
        assert_eq!(store.commit(&[write]).unwrap(), [Verdict::Stale]);
        assert_eq!(attributes(&*store, handle(1)), std::slice::from_ref(&stream));
        assert_eq!(store.load(handle(1)).unwrap().unwrap().record, record(1));
    }
}

pub(crate) fn changes_of_one_attribute_follow_each_other(make: MakePlace) {
    let place = make();
    let store = place.open();
    let mut session = record(1);
    let stream = attribute("s", ValueKind::TextStream, &[b"one"]);
    let writes = vec![set(&stream), append("s", 1, &[b"two"]), set(&text("a", "x"))];
    done(&*store, &[SessionWrite::Save(save(&session, writes))]);
    let grown = StoredAttribute { order: 9, ..attribute("s", ValueKind::TextStream, &[b"one", b"two"]) };
    assert_eq!(attributes(&*store, handle(1)), [text("a", "x"), grown]);
    let changes = vec![
        AttributeWrite::Remove { name: "s".into() },
        AttributeWrite::Remove { name: "a".into() },
        set(&text("a", "again")),
        set(&stream),
        append("s", 1, &[b"other"]),
        AttributeWrite::Remove { name: "s".into() },
    ];
    change(&*store, &mut session, changes);
    assert_eq!(attributes(&*store, handle(1)), [text("a", "again")]);
}
