//! Stored sessions are exported, imported and copied by the command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rejoin::block::{Block, Scalar, StreamType};
use rejoin::session::{
    AttributeValue, AttributeWrite, Clock, Durability, Moment, Principal, SaveSession, SessionHandle, SessionKey,
    SessionRecord, SessionStore, SessionWrite, SqliteStore, StoredAttribute, StoredKey, StoredStream, StoredValue,
    SystemClock, Timeline, Verdict,
};
use uuid::Uuid;

use crate::context::create_database;
use crate::durable::Service;

/// A folder with a store in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, name: &str) -> SqliteStore {
        SqliteStore::open(&self.path(name), Durability::Os).unwrap()
    }

    /// Runs `rejoin sessions` in the folder.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
        command.current_dir(&self.folder).arg("sessions").args(arguments).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// What it prints on standard output when it succeeds.
    fn printed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What it says on standard error when it fails.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn handle(number: u128) -> SessionHandle {
    SessionHandle::new(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0000 + number))
}

/// Saves a session of an owner, with a text and a stream.
fn save(store: &SqliteStore, number: u8, owner: &str) {
    let now = Timeline::resume(std::sync::Arc::new(SystemClock), &store.recover().unwrap()).now();
    let mut stream = StoredStream::new(StreamType::Bytes);
    stream.push(Block::Bytes(vec![number; 70_000].into())).unwrap();
    let values: [(&str, AttributeValue); 2] = [("note", Scalar::Text("perth".into()).into()), ("blob", stream.into())];
    let bytes = values.iter().map(|(name, value)| name.len() as u64 + value.byte_size()).sum();
    let attributes = values.map(|(name, value)| {
        let value = StoredValue::encode(&value).unwrap();
        AttributeWrite::Set(StoredAttribute { name: name.into(), order: 0, value })
    });
    let record = SessionRecord {
        handle: handle(number.into()),
        owner: Principal::new(owner),
        timeout: Some(Duration::from_mins(10)),
        lifetime: now.after(Duration::from_hours(12)),
        keys: vec![StoredKey { key: SessionKey::from_bytes([number; 32]), until: Moment::NEVER, superseded: false }],
        released: now,
        fence: 4,
        version: 1,
        sequence: 0,
        due: now.after(Duration::from_mins(10)),
        perishable: false,
        label: None,
        attributes: 2,
        bytes,
        next_order: 1,
    };
    let save =
        SaveSession { record, is_new: true, attributes: attributes.into(), answer: None, answers_kept: 0, end: None };
    assert_eq!(store.commit(&[SessionWrite::Save(save)]), Ok(vec![Verdict::Done]));
}

fn count(store: &SqliteStore) -> usize {
    store.list(None, 1000).unwrap().len()
}

/// Each session without the moments, which differ with the time of the import.
fn content(store: &SqliteStore) -> Vec<(SessionRecord, Vec<StoredAttribute>)> {
    let sessions = store.list(None, 1000).unwrap().into_iter().map(|record| {
        let mut session = store.load(record.handle).unwrap().unwrap();
        session.attributes.sort_by(|one, other| one.name.cmp(&other.name));
        let never = |moment: &mut Moment| *moment = Moment::NEVER;
        let record = &mut session.record;
        [&mut record.lifetime, &mut record.released, &mut record.due].into_iter().for_each(never);
        (session.record, session.attributes)
    });
    sessions.collect()
}

#[test]
fn sessions_move_to_another_store_while_the_first_is_in_use() {
    let place = Place::new();
    let source = place.open("from");
    save(&source, 1, "ada");
    save(&source, 2, "carl");
    let exported = place.run(&["export", "--store", "from", "--to", "all.jsonl"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert!(text(&exported.stderr).contains("exported 2 sessions, 0 remembered ends, 0 remembered answers"));
    save(&source, 3, "carl");

    let said = place.printed(&["import", "--store", "to", "all.jsonl"]);
    assert_eq!(said, "imported 2 sessions, 0 remembered ends, 0 remembered answers into to\n");
    let target = place.open("to");
    assert_eq!(content(&target), content(&source)[..2]);
    let record = target.load(handle(1)).unwrap().unwrap().record;
    let now = Timeline::resume(std::sync::Arc::new(SystemClock), &target.recover().unwrap()).now();
    assert!(
        record.lifetime > now.after(Duration::from_hours(11)) && record.lifetime < now.after(Duration::from_hours(13))
    );
}

#[cfg(unix)]
#[test]
fn an_exported_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    save(&place.open("from"), 1, "ada");
    place.printed(&["export", "--store", "from", "--to", "all.jsonl"]);
    assert_eq!(fs::metadata(place.path("all.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
    let refused = place.refused(&["export", "--store", "from", "--to", "all.jsonl"]);
    assert!(refused.contains("`all.jsonl` is there already"), "{refused}");
}

#[test]
fn one_session_is_looked_at_on_standard_output() {
    let place = Place::new();
    let store = place.open("from");
    save(&store, 1, "ada");
    save(&store, 2, "carl");
    let lines = |arguments: &[&str]| {
        let all = [&["export", "--store", "from"], arguments].concat();
        place.printed(&all).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let handle = handle(2).to_string();
    for chosen in [&["--handle", &handle][..], &["--owner", "carl"]] {
        let lines = lines(chosen);
        assert_eq!(lines.len(), 3);
        assert!(lines[1].contains(&handle) && lines[1].contains(r#""value":{"text":"perth"}"#), "{}", lines[1]);
    }
    assert_eq!(lines(&["--anonymous"]).len(), 2);
    let unknown = place.refused(&["export", "--store", "from", "--handle", "0193fe2c-0000-7000-8000-000000000000"]);
    assert!(unknown.contains("not all of these sessions are in the store"), "{unknown}");
}

#[test]
fn nothing_is_imported_into_a_store_that_is_in_use() {
    let place = Place::new();
    save(&place.open("from"), 1, "ada");
    place.printed(&["export", "--store", "from", "--to", "all.jsonl"]);
    let target = place.open("to");
    let refused = place.refused(&["import", "--store", "to", "all.jsonl"]);
    assert!(refused.contains("nothing was imported: the session store `to` is in use by another process"), "{refused}");
    assert_eq!(count(&target), 0);
}

#[test]
fn a_bad_file_is_refused_with_its_line_and_changes_nothing() {
    let place = Place::new();
    let source = place.open("from");
    save(&source, 1, "ada");
    save(&source, 2, "carl");
    place.printed(&["export", "--store", "from", "--to", "all.jsonl"]);
    let whole = fs::read_to_string(place.path("all.jsonl")).unwrap();
    for (bad, expected) in [
        (whole.replacen("perth", "troon", 1), "bad.jsonl:4:1: the file was changed since it was written"),
        (whole.replacen("\"version\":1", "\"version\":\"x\"", 1), "bad.jsonl:2:"),
        (whole.lines().take(2).collect::<Vec<_>>().join("\n"), "bad.jsonl:3:1: the file is cut off"),
        ("not ours".to_owned(), "bad.jsonl:1:1: this is no file of exported sessions"),
        (
            whole.replacen("\"attributeCount\":2", "\"attributeCount\":3", 1),
            "bad.jsonl:2:1: `attributeCount` is 3, and the `attributes` that follow have 2: expected the same; correct the line",
        ),
    ] {
        fs::write(place.path("bad.jsonl"), bad).unwrap();
        let refused = place.refused(&["import", "--store", "to", "bad.jsonl"]);
        assert!(refused.contains(expected) && refused.contains("nothing was imported"), "{expected}: {refused}");
        assert!(!place.path("to").exists());
    }
    let long = place.refused(&["import", "--store", "to", "all.jsonl", "--line-bytes", "90000"]);
    assert!(
        long.contains("all.jsonl:2:1: the line has more than 90000 bytes") && long.contains("--line-bytes"),
        "{long}"
    );
    let missing = place.refused(&["import", "--store", "to", "none.jsonl"]);
    assert!(missing.contains("`none.jsonl` can't be read"), "{missing}");
}

#[test]
fn what_is_there_already_is_refused_unless_the_operator_says_what_to_do() {
    let place = Place::new();
    let source = place.open("from");
    save(&source, 2, "carl");
    place.printed(&["export", "--store", "from", "--to", "all.jsonl"]);
    {
        let target = place.open("to");
        save(&target, 2, "other");
    }
    let refused = place.refused(&["import", "--store", "to", "all.jsonl"]);
    assert!(refused.contains("all.jsonl:2:1: the session") && refused.contains("--existing keep"), "{refused}");
    let kept = place.printed(&["import", "--store", "to", "all.jsonl", "--existing", "keep"]);
    assert!(kept.contains("imported 0 sessions") && kept.contains("1 was in the store already and kept"), "{kept}");
    let owner = || place.open("to").load(handle(2)).unwrap().unwrap().record.owner;
    assert_eq!(owner(), Principal::new("other"));
    place.printed(&["import", "--store", "to", "all.jsonl", "--existing", "replace"]);
    assert_eq!(owner(), Principal::new("carl"));
}

#[test]
fn a_store_is_copied_while_it_is_in_use() {
    let place = Place::new();
    let source = place.open("from");
    save(&source, 1, "ada");
    assert_eq!(place.printed(&["backup", "--store", "from", "copy"]), "copy is a copy of from\n");
    save(&source, 2, "carl");
    assert_eq!(content(&place.open("copy")), content(&source)[..1]);
    let again = place.refused(&["backup", "--store", "from", "copy"]);
    assert!(again.contains("`copy` is there already"), "{again}");
}

#[test]
fn a_folder_that_is_missing_is_named_and_not_made() {
    let place = Place::new();
    save(&place.open("from"), 1, "ada");
    place.printed(&["export", "--store", "from", "--to", "all.jsonl"]);
    for (arguments, expected) in [
        (
            &["backup", "--store", "from", "mnt/backup/copy"][..],
            "the folder `mnt` is not there, where `mnt/backup/copy` is to",
        ),
        (
            &["import", "--store", "mnt/sessions", "all.jsonl"],
            "nothing was imported: the folder `mnt` is not there, where",
        ),
    ] {
        let refused = place.refused(arguments);
        assert!(refused.contains(expected), "{refused}");
        assert!(!place.path("mnt").exists());
    }
}

#[test]
fn examples_name_the_store_that_init_makes() {
    let place = Place::new();
    let mut init = Command::new(env!("CARGO_BIN_EXE_rejoin"));
    assert!(init.current_dir(&place.folder).args(["init", "--durable", "orders"]).output().unwrap().status.success());
    let made = fs::read_to_string(place.path("orders/data/session.xml")).unwrap();
    assert!(made.contains("<store path=\"sessions/\""), "{made}");
    for command in [&["--help"][..], &["export", "--help"], &["import", "--help"], &["backup", "--help"]] {
        let help = place.printed(command);
        let stores: Vec<&str> =
            help.split("--store ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
        assert!(stores.contains(&"orders/data/sessions"), "{help}");
        let others: Vec<_> =
            stores.iter().filter(|store| !store.starts_with('<') && **store != "orders/data/sessions").collect();
        assert!(others.is_empty(), "{others:?}");
    }
}

#[test]
fn a_store_that_nobody_uses_is_left_as_it_was_by_those_who_read_it() {
    let place = Place::new();
    save(&place.open("from"), 1, "ada");
    let files = || {
        let mut names: Vec<_> =
            fs::read_dir(place.path("from")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        (names, fs::read(place.path("from/sessions.db")).unwrap())
    };
    let before = files();
    place.printed(&["export", "--store", "from"]);
    place.printed(&["backup", "--store", "from", "copy"]);
    assert!(files() == before);
}

#[test]
fn a_command_says_what_it_needs() {
    let place = Place::new();
    for (arguments, expected) in [
        (&["export", "--store", "none"][..], "`none` is no session store"),
        (&["backup", "--store", "none", "copy"], "`none` is no session store"),
        (&["list"], "Name the resource"),
        (&["http://127.0.0.1:9/services/demo", "export", "--store", "none"], "leave the URL out"),
    ] {
        let refused = place.refused(arguments);
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
    assert!(!Path::new("none").exists() && !place.path("none").exists());
    let help = place.printed(&["export", "--help"]);
    for part in ["Usage: rejoin sessions export --store <DIR>", "mode 0600", "--owner <ID>", "Examples:"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    let help = place.printed(&["list", "--help"]);
    assert!(help.contains("Usage: rejoin sessions <URL> list"), "{help}");
}

/// Makes an integer, a text stream of two pieces and rows, one after the other.
const FILL: [&str; 4] = [
    "<sessionAttributeManagement name=\"set\"><setAttribute name=\"n\" type=\"integer\">41</setAttribute>\
     </sessionAttributeManagement>",
    "<echo name=\"say\"><text>a</text><output name=\"words\"/></echo>\
     <deliverToSession name=\"keep\"><fromLocal from=\"words\"/><toSession attribute=\"log\" mode=\"append\"/></deliverToSession>",
    "<echo name=\"say\"><text>b</text><output name=\"words\"/></echo>\
     <deliverToSession name=\"keep\"><fromLocal from=\"words\"/><toSession attribute=\"log\" mode=\"append\"/></deliverToSession>",
    "<sqlQueryStatement name=\"find\"><expression>SELECT 1 AS a, 'x' AS b UNION ALL SELECT NULL, 2.5</expression>\
     <resultStream name=\"rows\"/></sqlQueryStatement>\
     <deliverToSession name=\"keep\"><fromLocal from=\"rows\"/><toSession attribute=\"found\" mode=\"replace\"/></deliverToSession>",
];

/// What is in the session, as a client sees it.
async fn read(service: &Service, id: &str) -> String {
    let session = format!("<session id=\"{id}\"/>");
    let read = "<sessionAttributeManagement name=\"get\"><getAttribute name=\"n\"/><output name=\"now\"/>\
         </sessionAttributeManagement>\
         <deliverFromSession name=\"take\"><fromSession attribute=\"log\"/><toLocal name=\"words\"/></deliverFromSession>\
         <deliverFromSession name=\"again\"><fromSession attribute=\"found\"/><toLocal name=\"rows\"/></deliverFromSession>\
         <sqlResultsToXML name=\"format\"><resultSet from=\"rows\"/><webRowSet name=\"table\"/></sqlResultsToXML>";
    let reply = service.perform(&format!("{session}{read}")).await;
    reply.is_completed();
    let (_, results) = reply.text.split_once("<result ").unwrap();
    results.to_owned()
}

/// A service with durable sessions and a database without tables.
fn service() -> Service {
    let mut service = Service::new("");
    service.stop("-TERM");
    let data = service.folder.path().join("data");
    create_database(&data.join("empty.db"), "");
    let resource = fs::read_to_string(data.join("resource.xml")).unwrap();
    let end = "</dataServiceResourceConfiguration>";
    let with_database = resource.replace(end, &format!("<dataResource uri=\"sqlite:empty.db\"/>{end}"));
    service.folder.write("resource.xml", &with_database);
    service.start_again();
    service
}

#[tokio::test]
async fn sessions_of_a_service_that_runs_go_on_in_another() {
    let old = service();
    let id = old.create().await;
    for content in FILL {
        old.perform(&format!("<session id=\"{id}\"/>{content}")).await.is_completed();
    }
    let ended = old.create().await;
    old.perform(&format!("<session id=\"{ended}\" mode=\"terminate\"/>")).await.is_completed();
    let before = read(&old, &id).await;

    let place = Place::new();
    let store = |service: &Service| service.folder.path().join("data/sessions").to_str().unwrap().to_owned();
    place.printed(&["export", "--store", &store(&old), "--to", "all.jsonl"]);
    place.printed(&["backup", "--store", &store(&old), "copy"]);
    assert_eq!(count(&place.open("copy")), 1);
    let exported = fs::read_to_string(place.path("all.jsonl")).unwrap();
    assert!(!exported.contains(&id) && exported.contains("\"terminated\""), "ids are no part of it");

    let mut new = service();
    let running = place.refused(&["import", "--store", &store(&new), "all.jsonl"]);
    assert!(running.contains("is in use by another process"), "{running}");
    new.stop("-TERM");
    place.printed(&["import", "--store", &store(&new), "all.jsonl"]);
    new.start_again();
    assert_eq!(read(&new, &id).await, before);
    for content in FILL {
        new.perform(&format!("<session id=\"{id}\"/>{content}")).await.is_completed();
    }
    new.perform(&format!("<session id=\"{ended}\"/>"))
        .await
        .is_fault(410, "SessionEnded")
        .says("reason=\"terminated\"");
}
