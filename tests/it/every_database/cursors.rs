//! Results that later requests read.

use super::Kind;
use super::stage::{Session, Stage, escape, parameters, query, until, update};
use crate::context::Reply;

in_every_database!(
    a_cursor_is_read_over_requests,
    a_cursor_of_a_transaction_sees_it_and_ends_with_it,
    a_cursor_shows_the_rows_of_its_beginning,
    a_cursor_is_closed_and_its_name_free_again,
    the_end_of_the_session_closes_its_cursors,
    a_result_is_read_by_blocks,
    a_result_without_end_is_read_page_by_page,
    a_result_without_end_is_read_by_blocks,
    a_cursor_goes_back_and_jumps_where_the_database_can,
);

fn open(name: &str, parameters: &str, sql: &str) -> String {
    format!("<openCursor name=\"{name}\">{parameters}<expression>{}</expression></openCursor>", escape(sql))
}

fn fetch(name: &str, rows: u32) -> String {
    format!(
        "<fetchCursor name=\"next\"><cursor name=\"{name}\" rows=\"{rows}\"/><resultStream name=\"page\"/></fetchCursor>\
         <sqlResultsToCSV name=\"f\"><resultSet from=\"page\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
    )
}

fn close(name: &str) -> String {
    format!("<closeCursor name=\"done\"><cursor name=\"{name}\"/></closeCursor>")
}

async fn page(session: &Session<'_>, name: &str, rows: u32) -> String {
    let reply = session.context.raw(&session.document(&fetch(name, rows)), "csv").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.text
}

async fn a_cursor_is_read_over_requests(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    let content = open("people", &parameters(&["0"]), "SELECT id, name FROM person WHERE id > ? ORDER BY id");
    session.perform(&content).await.is_completed();
    assert_eq!(page(&session, "people", 1).await, "1,Ada\n");
    assert_eq!(page(&session, "people", 2).await, "2,Carl & Co\n3,<Grace>\n");
    // Other statements go their way meanwhile.
    session.update("INSERT INTO person (id, name) VALUES (50, 'x')").await;
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "5\n");
    assert_eq!(page(&session, "people", 10).await, "4,Dora\n");
    // Fewer than asked for: that was the end.
    session.perform(&fetch("people", 1)).await.is_fault(422, "ActivityFailed");
}

async fn a_cursor_of_a_transaction_sees_it_and_ends_with_it(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update("DELETE FROM person WHERE id = 1").await;
    session.perform(&open("people", "", "SELECT id FROM person ORDER BY id")).await.is_completed();
    assert_eq!(page(&session, "people", 1).await, "2\n");
    session.update("INSERT INTO person (id, name) VALUES (60, 'x')").await;
    assert_eq!(page(&session, "people", 1).await, "3\n");
    session.transaction("<rollback/>").await;
    let late = session.perform(&fetch("people", 1)).await;
    assert!(late.status == 422 || late.status == 409, "{}", late.text);
    stage.database.until_quiet().await;
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn a_cursor_shows_the_rows_of_its_beginning(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.perform(&open("people", "", "SELECT id FROM person ORDER BY id")).await.is_completed();
    assert_eq!(page(&session, "people", 1).await, "1\n");
    stage.perform(&update("u", "DELETE FROM person WHERE id > 2")).await.is_completed();
    assert_eq!(page(&session, "people", 10).await, "2\n3\n4\n");
}

async fn a_cursor_is_closed_and_its_name_free_again(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    for _ in 0..3 {
        session.perform(&open("people", "", "SELECT id FROM person ORDER BY id")).await.is_completed();
        session.perform(&open("people", "", "SELECT 1")).await.is_fault(422, "ActivityFailed").says("CursorExists");
        assert_eq!(page(&session, "people", 1).await, "1\n");
        session.perform(&close("people")).await.is_completed();
        session.perform(&fetch("people", 1)).await.is_fault(422, "ActivityFailed");
    }
    session.perform(&open("wrong", "", "SELECT nothing_such FROM person")).await.is_fault(422, "ActivityFailed");
    session.perform(&open("writes", "", "DELETE FROM person")).await.is_fault(422, "ActivityFailed");
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn the_end_of_the_session_closes_its_cursors(kind: Kind) {
    let stage = Stage::with(kind, |_, options| {
        options.resource = kind.pick("", "<pool size=\"2\" wait=\"5000\"/>", "<pool size=\"2\" wait=\"5000\"/>").into();
    })
    .await;
    // More than there are connections.
    for _ in 0..5 {
        let session = stage.session().await;
        session.perform(&open("people", "", "SELECT id FROM person ORDER BY id")).await.is_completed();
        assert_eq!(page(&session, "people", 1).await, "1\n");
        session.end().await;
    }
    stage.database.until_quiet().await;
    stage.perform(&update("u", "DELETE FROM person")).await.is_completed();
}

async fn a_result_is_read_by_blocks(kind: Kind) {
    let stage = Stage::new(kind).await;
    let count = 50_000;
    let sql = kind.pick(
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"),
        format!("SELECT i FROM generate_series(1, {count}) AS n(i)"),
        format!("SELECT seq FROM seq_1_to_{count}"),
    );
    let tap = "<outputStream name=\"tap\"><fromLocal from=\"csv\"/></outputStream>";
    let reply = stage.perform(&format!("<session/>{}{tap}", query(&sql))).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let id = reply.session_id();
    let url = format!("{}/session/streams/tap", stage.context.url());
    let mut text = String::new();
    let mut reads = 0;
    loop {
        let request = stage.context.client.get(&url).header("rejoin-session", &id).query(&[("blocks", 1)]);
        let part = Reply::of(request.send().await.unwrap()).await;
        assert!(matches!(part.status, 200 | 204), "{}", part.text);
        text.push_str(&part.text);
        reads += 1;
        if part.header("rejoin-stream") == "ended" {
            break;
        }
    }
    assert!(reads > 2, "{reads}");
    assert!(text.lines().map(|line| line.parse::<u32>().unwrap()).eq(1..=count));
}

/// A query whose rows nobody could hold: in two databases they have no end.
fn without_end(kind: Kind) -> &'static str {
    let counting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    kind.pick(counting, counting, "SELECT seq FROM seq_1_to_1000000000000")
}

async fn a_result_without_end_is_read_page_by_page(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    for in_transaction in [false, true] {
        if in_transaction && kind == Kind::MariaDb {
            // There a cursor reads all its rows when it is opened, into a file.
            continue;
        }
        if in_transaction {
            session.transaction("<begin/>").await;
        }
        session.perform(&open("numbers", "", without_end(kind))).await.is_completed();
        for first in [1, 5001, 10_001] {
            let numbers = page(&session, "numbers", 5000).await;
            assert!(numbers.lines().map(|line| line.parse::<u32>().unwrap()).eq(first..first + 5000));
        }
        session.perform(&close("numbers")).await.is_completed();
        if in_transaction {
            session.transaction("<commit/>").await;
        }
    }
    if kind != Kind::Sqlite {
        until("nothing runs", || stage.database.running().is_empty()).await;
    }
}

async fn a_result_without_end_is_read_by_blocks(kind: Kind) {
    let stage = Stage::new(kind).await;
    let tap = "<outputStream name=\"tap\"><fromLocal from=\"csv\"/></outputStream>";
    let reply = stage.perform(&format!("<session/>{}{tap}", query(without_end(kind)))).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let (id, url) = (reply.session_id(), stage.context.url());
    let mut text = String::new();
    for _ in 0..3 {
        let request = stage.context.client.get(format!("{url}/session/streams/tap")).header("rejoin-session", &id);
        let part = Reply::of(request.query(&[("blocks", 2)]).send().await.unwrap()).await;
        assert_eq!((part.status, part.header("rejoin-stream")), (200, "open"), "{}", part.text);
        text.push_str(&part.text);
    }
    let whole = &text[..=text.rfind('\n').unwrap()];
    assert!(whole.lines().zip(1_u32..).all(|(line, number)| line == number.to_string()), "{whole}");
    assert!(whole.lines().count() > 1000);
    let ended = stage.context.client.delete(format!("{url}/session")).header("rejoin-session", &id).send().await;
    assert!(ended.unwrap().status().is_success());
    if kind != Kind::Sqlite {
        until("nothing runs", || stage.database.running().is_empty()).await;
    }
}

async fn a_cursor_goes_back_and_jumps_where_the_database_can(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    let content = open("people", "", "SELECT id FROM person ORDER BY id");
    let content = content.replace("<openCursor", "<openCursor scrollable=\"true\"");
    let opened = session.perform(&content).await;
    if kind != Kind::Postgres {
        opened.is_fault(422, "ActivityFailed").says("SqlUnsupported");
        return;
    }
    opened.is_completed();
    for in_transaction in [false, true] {
        if in_transaction {
            session.perform(&close("people")).await.is_completed();
            session.transaction("<begin/>").await;
            session.perform(&content).await.is_completed();
        }
        for (place, rows, expected) in [
            ("", 2, "1\n2\n"),
            ("absolute=\"3\"", 10, "3\n4\n"),
            // It is at its end, and stays open.
            ("", 1, ""),
            ("relative=\"-2\"", 1, "3\n"),
            ("relative=\"-100\"", 1, "1\n"),
            ("relative=\"1\"", 1, "3\n"),
            ("absolute=\"100\"", 1, ""),
            ("absolute=\"1\"", 4, "1\n2\n3\n4\n"),
        ] {
            let fetch = fetch("people", rows).replace("<cursor ", &format!("<cursor {place} "));
            let reply = session.context.raw(&session.document(&fetch), "csv").await;
            assert_eq!((reply.status, &*reply.text), (200, expected), "{place}");
        }
    }
    // A place that there can't be leaves it as it is; one place at a time.
    let fetch = |place: &str| fetch("people", 1).replace("<cursor ", &format!("<cursor {place} "));
    session.perform(&fetch("absolute=\"5000000000\"")).await.is_fault(422, "ActivityFailed").says("2147483647");
    session.perform(&fetch("absolute=\"1\" relative=\"1\"")).await.is_fault(400, "DocumentInvalid");
    session.update("UPDATE person SET credit = 0").await;
    let reply = session.context.raw(&session.document(&fetch("absolute=\"2\"")), "csv").await;
    assert_eq!((reply.status, &*reply.text), (200, "2\n"));
    session.transaction("<commit/>").await;
    session.perform(&fetch("absolute=\"2\"")).await.is_fault(422, "ActivityFailed");
}
