use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use proptest::prelude::*;

use super::*;
use crate::block::{Block, Scalar, StreamType};
use crate::session::store::SqliteSnapshot;
use crate::session::store::conformance::sample;
use crate::session::{
    AttributeValue, AttributeWrite, Clock, Durability, ManualClock, Moment, Principal, SaveSession, SessionRecord,
    SessionStore, SessionWrite, SqliteStore, StoredAttribute, StoredKey, StoredSession, StoredStream, StoredValue,
    TimeMark, Timeline,
};

const MINUTE: Duration = Duration::from_mins(1);

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, Durability::Os).unwrap()
}

/// One value of each kind.
fn values() -> Vec<AttributeValue> {
    let rows = |number: i64| {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![number]));
        Block::Rows(RecordBatch::try_from_iter([("n", column)]).unwrap())
    };
    let mut streams = Vec::new();
    for blocks in [
        [rows(1), rows(2)],
        ["a \u{1} ü".into(), "".into()].map(Block::Text),
        [&b"\xFF"[..], b""].map(|bytes| Block::Bytes(bytes.into())),
    ] {
        let mut stream = StoredStream::new(StreamType::Any);
        let mut before = stream.clone();
        for block in blocks {
            stream.push(block).unwrap();
            before.clone_from(&stream);
        }
        assert_eq!(before.piece_count(), 2);
        streams.push(stream.into());
    }
    streams.push(StoredStream::new(StreamType::Any).into());
    streams.push(StoredStream::new(StreamType::Text).into());
    let scalars = [
        Scalar::Text("\"\\\n\u{0}".into()),
        Scalar::Integer(i64::MIN),
        Scalar::Real(-0.0),
        Scalar::Real(f64::from_bits(0x7ff8_0000_0000_0001)),
        Scalar::Boolean(false),
        Scalar::Xml("<x/>".into()),
    ];
    streams.into_iter().chain(scalars.map(AttributeValue::from)).collect()
}

fn attributes() -> Vec<AttributeWrite> {
    let values = values().into_iter().enumerate().map(|(index, value)| StoredAttribute {
        name: format!("attribute {index}").into(),
        order: index as u64,
        value: StoredValue::encode(&value).unwrap(),
    });
    values.map(AttributeWrite::Set).collect()
}

/// How many they are, and the bytes of their names and values in memory.
fn totals(attributes: &[AttributeWrite]) -> (u32, u64) {
    let bytes = attributes.iter().map(|write| match write {
        AttributeWrite::Set(attribute) => attribute.name.len() as u64 + attribute.value.decode().unwrap().byte_size(),
        other => panic!("{other:?}"),
    });
    (attributes.len().try_into().unwrap(), bytes.sum())
}

/// A store with sessions 1 (of everything) and 2 (anonymous), the end of 3, and answers of 1, of 3 and of no session.
fn fill(store: &SqliteStore, clock: &ManualClock) {
    let mut first = sample::record(1);
    first.version = 17;
    first.label = Some("nightly".into());
    first.keys.push(StoredKey { key: sample::key(11), until: sample::second(30), superseded: true });
    let attributes = attributes();
    (first.attributes, first.bytes) = totals(&attributes);
    let mut first = sample::save(&first, attributes);
    first.is_new = true;
    let mut second = sample::record(2);
    (second.owner, second.timeout, second.due) = (Principal::anonymous(), None, Moment::NEVER);
    sample::done(
        store,
        &[
            SessionWrite::Save(first),
            SessionWrite::Save(sample::save(&second, vec![])),
            SessionWrite::End(sample::end(3, 40)),
            SessionWrite::Remember(sample::answer(1, Some(sample::handle(1)))),
            SessionWrite::Remember(sample::answer(2, None)),
            SessionWrite::Remember(sample::answer(3, Some(sample::handle(3)))),
        ],
    );
    store.mark(&timeline(store, clock).mark()).unwrap();
}

fn timeline(store: &SqliteStore, clock: &ManualClock) -> Timeline {
    Timeline::resume(Arc::new(clock.clone()), &store.recover().unwrap())
}

fn exported_of(folder: &Path, clock: &ManualClock, wanted: &Wanted) -> String {
    let mut written = Vec::new();
    let store = SqliteSnapshot::open(folder).unwrap();
    export(&store, Arc::new(clock.clone()), wanted, &mut written, &mut |_, _| {}).unwrap();
    String::from_utf8(written).unwrap()
}

fn exported(folder: &Path, clock: &ManualClock) -> String {
    exported_of(folder, clock, &Wanted::default())
}

fn import_text(text: &str, store: &SqliteStore, clock: &ManualClock, existing: Existing) -> Result<u64, String> {
    check(text.as_bytes(), LONGEST_LINE, &mut |_| {}).map_err(|error| error.to_string())?;
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let done = import((text.as_bytes(), LONGEST_LINE), store, &clock, existing, &mut |_| {})
        .map_err(|error| error.to_string())?;
    Ok(done.written.all())
}

fn sorted(session: Option<StoredSession>) -> StoredSession {
    let mut session = session.unwrap();
    session.attributes.sort_by(|one, other| one.name.cmp(&other.name));
    session
}

/// The lines between the first and the last.
fn middle(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().collect();
    lines[1..lines.len() - 1].to_vec()
}

#[test]
fn what_was_exported_and_imported_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let clock = ManualClock::new();
    let source = open(&from);
    fill(&source, &clock);
    let text = exported(&from, &clock);
    let target = open(&to);
    target.mark(&timeline(&source, &clock).mark()).unwrap();
    assert_eq!(import_text(&text, &target, &clock, Existing::Refuse), Ok(6));
    for number in [1, 2] {
        let session = |store: &SqliteStore| sorted(store.load(sample::handle(number)).unwrap());
        assert_eq!(session(&target), session(&source));
    }
    assert_eq!(target.find(&sample::key(11)).unwrap(), Some(sample::handle(1)));
    assert_eq!(target.recover().unwrap().ended, source.recover().unwrap().ended);
    for number in [1, 2, 3] {
        let answer = |store: &SqliteStore| store.answer(&sample::scope(number)).unwrap().unwrap();
        assert_eq!(answer(&target), answer(&source));
    }
    assert_eq!(exported(&to, &clock), text, "once more");
}

#[test]
fn lifetimes_go_on_between_export_and_import() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let source = open(&folder.path().join("from"));
    // Its timeline is far from the wall clock.
    fill(&source, &clock);
    let left = |store: &SqliteStore| {
        let record = store.load(sample::handle(1)).unwrap().unwrap().record;
        record.lifetime.since(timeline(store, &clock).now())
    };
    source.mark(&TimeMark { moment: sample::second(100), ..timeline(&source, &clock).mark() }).unwrap();
    let before = left(&source);
    assert!(before > MINUTE);
    let text = exported(&folder.path().join("from"), &clock);
    clock.advance(MINUTE);
    let target = open(&folder.path().join("to"));
    import_text(&text, &target, &clock, Existing::Refuse).unwrap();
    assert_eq!(left(&target) + MINUTE, before);
    assert_eq!(target.load(sample::handle(2)).unwrap().unwrap().record.due, Moment::NEVER);
    assert!(target.recover().unwrap().mark.is_some());
}

#[test]
fn sessions_are_exported_by_owner_or_handle_with_what_belongs_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    fill(&open(folder.path()), &clock);
    let lines = |wanted: Wanted| {
        let text = exported_of(folder.path(), &clock, &wanted);
        let names = middle(&text).into_iter().map(|line| line[2..line.find("\":").unwrap()].to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    let of = |owner: Principal| Wanted { owner: Some(owner), handles: vec![] };
    assert_eq!(lines(Wanted::default()), "session session ended answer answer answer");
    assert_eq!(lines(of(Principal::new("owner"))), "session ended answer answer");
    assert_eq!(lines(of(Principal::anonymous())), "session");
    assert_eq!(lines(Wanted { owner: None, handles: vec![sample::handle(1)] }), "session answer");
    assert_eq!(lines(Wanted { owner: None, handles: vec![sample::handle(3)] }), "ended answer");
    assert_eq!(lines(Wanted { owner: Some(Principal::anonymous()), handles: vec![sample::handle(1)] }), "");
}

#[test]
fn a_line_can_be_read_by_people_and_holds_no_id() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    fill(&open(folder.path()), &clock);
    let text = exported(folder.path(), &clock);
    for part in [
        r#""handle":"01970000-0000-7000-8000-000000000001","owner":"owner","label":"nightly""#,
        r#""timeout":"PT600S","#,
        r#""released":"2025-06-15T15:06:41.000000000Z""#,
        r#"{"name":"attribute 1","order":1,"value":{"textStream":[{"bytes":"#,
        r#""value":{"integer":-9223372036854775808}"#,
        r#""value":{"real":"-0.0"}"#,
        r#""value":{"real":"bits:7ff8000000000001"}"#,
        r#""value":"emptyStream""#,
        r#""reason":"terminated""#,
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn what_the_store_has_already_is_refused_kept_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = open(folder.path());
    fill(&store, &clock);
    let text = exported(folder.path(), &clock);
    let changed = sample::save(&sample::next(&sample::record(2)), vec![AttributeWrite::Set(sample::text("new", "1"))]);
    let (attributes, bytes) = totals(&changed.attributes);
    let changed = SaveSession {
        record: SessionRecord {
            owner: Principal::anonymous(),
            timeout: None,
            due: Moment::NEVER,
            attributes,
            bytes,
            ..changed.record
        },
        ..changed
    };
    sample::done(&store, &[SessionWrite::Save(changed), SessionWrite::End(sample::end(1, 50))]);
    let before = exported(folder.path(), &clock);

    let refused = import_text(&text, &store, &clock, Existing::Refuse).unwrap_err();
    assert!(
        refused.starts_with("2:1: the session 01970000-0000-7000-8000-000000000001 is in the store already"),
        "{refused}"
    );
    assert_eq!(import_text(&text, &store, &clock, Existing::Keep), Ok(0));
    assert_eq!(middle(&exported(folder.path(), &clock)), middle(&before));
    assert_eq!(import_text(&text, &store, &clock, Existing::Replace), Ok(6));
    assert_eq!(middle(&exported(folder.path(), &clock)), middle(&text));
}

#[test]
fn a_key_of_another_session_is_refused_and_nothing_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let source = folder.path().join("from");
    fill(&open(&source), &clock);
    let store = open(&folder.path().join("to"));
    let mut other = sample::record(9);
    other.keys[0].key = sample::key(2);
    sample::done(&store, &[SessionWrite::Save(sample::save(&other, vec![]))]);
    for existing in [Existing::Refuse, Existing::Keep, Existing::Replace] {
        let refused = import_text(&exported(&source, &clock), &store, &clock, existing).unwrap_err();
        assert!(refused.starts_with("3:1: a key of the session"), "{refused}");
        assert_eq!(store.list(None, 10).unwrap().len(), 1);
        assert!(store.recover().unwrap().ended.is_empty());
    }
}

/// A file as somebody may edit it.
fn without_sum(text: &str) -> String {
    let (head, tail) = text.rsplit_once(",\"sha256\":\"").unwrap();
    format!("{head}{}", &tail[65..])
}

#[test]
fn a_file_that_is_not_whole_is_refused_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    fill(&open(folder.path()), &clock);
    let text = exported(folder.path(), &clock);
    let without_sum = without_sum(&text);
    check(without_sum.as_bytes(), LONGEST_LINE, &mut |_| {}).unwrap();
    let edited = |from: &str, to: &str| without_sum.replacen(from, to, 1);
    let lines: Vec<&str> = text.lines().collect();
    for (text, expected) in [
        (String::new(), "1:1: this is no file of exported sessions"),
        ("{\"a\":1}\n".into(), "1:1: this is no file of exported sessions"),
        (
            edited("\"format\":1", "\"format\":2,\"x\":0"),
            "1:1: the file has format 2, and this version knows formats up to 1",
        ),
        (lines[..4].join("\n"), "5:1: the file is cut off"),
        (text[..lines[0].len() + 100].into(), "2:99: the file is cut off in the middle of this line"),
        ([lines[0], lines[2], lines[lines.len() - 1]].join("\n"), "3:1: the file should have 2 sessions"),
        (text.replacen("nightly", "daily", 1), "8:1: the file was changed since it was written"),
        (edited("nightly", "night\u{1}ly"), "2:"),
        (edited("\"fence\"", "\"fense\""), "2:"),
        (edited("\"owner\":\"owner\",", ""), "2:"),
        (edited("\"order\":1,", "\"order\":-1,"), "2:"),
        (edited("\"lifetime\":\"2025", "\"lifetime\":\"1825"), "2:"),
        (edited("\"fence\":10", "\"fence\":18446744073709551615"), "2:1: `fence` can't be 18446744073709551615:"),
        (edited("\"version\":17", "\"version\":9223372036854775807"), "2:1: `version` can't be"),
        (edited("\"order\":1,", "\"order\":18446744073709551615,"), "2:1: `order` can't be"),
        (edited("\"released\":\"2025", "\"released\":\"2500"), "2:1: `released` can't be after the export"),
        (
            edited("\"moment\":\"2025-06-15T15:07", "\"moment\":\"2500-06-15T15:07"),
            "4:1: `moment` can't be after the export",
        ),
        (edited("<x/>", "<x><y></x>"), "2:1: the attribute `attribute 10` is no XML element: 1:"),
        (
            edited("\"rowStream\":[\"AQAA", "\"rowStream\":[\"AgAA"),
            "2:1: the attribute `attribute 0`: the value has format 2",
        ),
        (
            edited("\"rowStream\":[\"AQAAA", "\"rowStream\":[\"AQAAB"),
            "2:1: the attribute `attribute 0`: the value is damaged: piece 1:",
        ),
        (
            edited("\"name\":\"attribute 1\"", "\"name\":\"attribute 0\""),
            "2:1: the attribute `attribute 0` is there twice",
        ),
        (
            edited("000000000002\"", "000000000001\""),
            "3:1: the session 01970000-0000-7000-8000-000000000001 is in the file twice",
        ),
        (edited(&"02".repeat(32), &"01".repeat(32)), "3:1: a key of the session"),
        (format!("{text}{text}"), "9:1: there is more after the last line"),
        (
            edited(
                "{\"answer\"",
                "{\"rejoinSessions\":{\"format\":1,\"moment\":\"never\",\"wall\":\"2025-01-01T00:00:00Z\",\"boot\":null}}\n{\"answer\"",
            ),
            "5:1: a second file begins here",
        ),
    ] {
        let refused = check(text.as_bytes(), LONGEST_LINE, &mut |_| {}).unwrap_err().to_string();
        assert!(
            refused.contains(expected) && (expected == ":" || refused.starts_with(expected)),
            "{expected}: {refused}"
        );
    }
}

#[test]
fn what_no_export_can_have_written_is_refused_with_what_was_expected_and_changes_nothing() {
    let key = |number: u8| format!("{number:02x}").repeat(32);
    let keys = |numbers: std::ops::Range<u8>| {
        let keys = numbers
            .map(|number| format!("{{\"sha256\":\"{}\",\"until\":\"never\",\"superseded\":false}}", key(number)));
        keys.collect::<Vec<_>>().join(",")
    };
    let without_sum = without_sum(&SAMPLE);
    let folder = tempfile::tempdir().unwrap();
    let (store, clock) = (open(folder.path()), ManualClock::new());
    let none = exported(folder.path(), &clock);
    for (from, to, expected) in [
        (
            "\"attributeCount\":11",
            "\"attributeCount\":12",
            "2:1: `attributeCount` is 12, and the `attributes` that follow have 11",
        ),
        (
            "\"attributeCount\":0",
            "\"attributeCount\":1",
            "3:1: `attributeCount` is 1, and the `attributes` that follow have 0",
        ),
        ("\"bytes\":", "\"bytes\":1", "2:1: `bytes` is 1"),
        ("\"bytes\":0", "\"bytes\":18446744073709551615", "3:1: `bytes` is 18446744073709551615, and the"),
        ("\"keys\":[", &format!("\"keys\":[{},", keys(100..104)), "2:1: there are 6 `keys`: expected 1 to 5"),
        (&format!("\"keys\":[{}]", keys(2..3)), "\"keys\":[]", "3:1: there are 0 `keys`: expected 1 to 5"),
        (
            &format!("\"keys\":[\"{}\"", key(3)),
            &format!("\"keys\":[{}", format!("\"{}\",", key(3)).repeat(6).trim_end_matches(',')),
            "4:1: there are 6 `keys`",
        ),
        ("nightly", &"x".repeat(257), "2:1: `label` has 257 bytes: 256 at the most"),
        ("\"name\":\"attribute 1\"", "\"name\":\"\"", "2:1: the `name` of an attribute is empty: expected one byte"),
    ] {
        let text = without_sum.replacen(from, to, 1);
        assert_ne!(text, without_sum, "{from}");
        let refused = check(text.as_bytes(), LONGEST_LINE, &mut |_| {}).unwrap_err().to_string();
        assert!(refused.starts_with(expected) && refused.ends_with("else export again"), "{expected}: {refused}");
        // Also by who did not check it first.
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        import((text.as_bytes(), LONGEST_LINE), &store, &clock, Existing::Refuse, &mut |_| {}).unwrap_err();
    }
    assert_eq!(middle(&exported(folder.path(), &clock)), middle(&none));
    // What was alive was counted, and is not in the file.
    let alive = without_sum.replacen(
        "\"perishable\":false,\"attributeCount\":11",
        "\"perishable\":true,\"attributeCount\":12",
        1,
    );
    check(alive.as_bytes(), LONGEST_LINE, &mut |_| {}).unwrap();
}

/// A file without an end, of which no more than a MiB may be read.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        self.0 += buffer.len() as u64;
        assert!(self.0 < 1 << 20, "it reads on and on");
        Ok(buffer.len())
    }
}

#[test]
fn a_line_is_read_no_further_than_it_may_be_long() {
    let lengths: Vec<u64> = SAMPLE.lines().map(|line| line.len() as u64 + 1).collect();
    let longest = *lengths.iter().max().unwrap();
    assert_eq!(lengths[1], longest);
    check(SAMPLE.as_bytes(), longest, &mut |_| {}).unwrap();
    let refused = check(SAMPLE.as_bytes(), longest - 1, &mut |_| {}).unwrap_err().to_string();
    let expected = format!("2:1: the line has more than {} bytes", longest - 1);
    assert!(refused.starts_with(&expected) && refused.contains("--line-bytes"), "{refused}");

    let endless = |begin: String| BufReader::new(Cursor::new(begin).chain(Endless(0)));
    let head = SAMPLE.split_inclusive('\n').next().unwrap().to_owned();
    let refused = |begin: String| check(endless(begin), 1 << 16, &mut |_| {}).unwrap_err().to_string();
    assert!(refused(head).starts_with("2:1: the line has more than 65536 bytes"));
    assert!(refused(String::new()).starts_with("1:1: this is no file of exported sessions"));
}

#[test]
fn an_error_quotes_no_more_of_a_file_than_fits_on_a_screen() {
    let long = "é".repeat(100_000);
    let lines = SAMPLE.replacen(&sample::handle(1).to_string(), &long, 1);
    let refused = check(lines.as_bytes(), LONGEST_LINE, &mut |_| {}).unwrap_err().to_string();
    assert!(refused.len() < 500 && refused.contains("the handle of a session: a UUID"), "{refused}");
}

/// What `fill` makes, exported.
static SAMPLE: LazyLock<String> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    fill(&open(folder.path()), &clock);
    exported(folder.path(), &clock)
});

proptest! {
    #[test]
    fn any_file_is_read_or_refused(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut text = SAMPLE.clone().into_bytes();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let _ = check(&text[..], LONGEST_LINE, &mut |_| {});
    }
}
