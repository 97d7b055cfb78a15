//! Rows that statements give which write.

use super::Kind;
use super::stage::{Session, Stage, escape, parameters, stream, update};
use crate::context::Reply;

in_every_database!(
    rows_that_an_update_gives_are_read,
    an_update_for_many_rows_of_parameters_gives_the_rows_of_all_in_order,
    rows_that_nobody_wants_are_counted,
    rows_that_are_only_read_are_given_and_not_counted,
    rows_of_an_update_are_like_those_of_a_query,
    a_statement_that_gives_no_rows_is_refused_where_they_are_wanted,
    rows_of_an_update_are_part_of_the_transaction,
    an_update_that_fails_gives_no_rows_and_leaves_nothing,
    an_update_that_gives_too_much_changes_nothing,
    an_update_that_is_sent_again_gives_the_rows_of_the_first_time,
);

/// An update whose rows are the end-point `csv`, and their number `count`.
fn returning(parameters: &str, sql: &str) -> String {
    format!(
        "<sqlUpdateStatement name=\"u\">{parameters}<expression>{}</expression><resultStream name=\"count\"/>\
         <returnedRows name=\"rows\"/></sqlUpdateStatement>\
         <sqlResultsToCSV name=\"f\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/><nullDataStr value=\"NULL\"/></sqlResultsToCSV>",
        escape(sql)
    )
}

fn count(number: u32) -> String {
    format!("<updateCount>{number}</updateCount>")
}

async fn returned(stage: &Stage, content: &str) -> String {
    let reply = stage.context.raw(content, "csv").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.text
}

async fn rows_that_an_update_gives_are_read(kind: Kind) {
    let stage = Stage::new(kind).await;
    let insert = "INSERT INTO person (id, name) VALUES (?, ?), (8, 'Hal') RETURNING id, name, town";
    let reply = stage.perform(&returning(&parameters(&["7", "Gus"]), insert)).await;
    reply.is_completed().says(&count(2)).says("7,Gus,NULL\n8,Hal,NULL\n");
    let gone = returned(&stage, &returning("", "DELETE FROM person WHERE id > 6 RETURNING name")).await;
    let mut names: Vec<&str> = gone.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["Gus", "Hal"]);
    assert_eq!(stage.people(), "1 2 3 4");
    // One that changes nothing gives columns and no rows.
    let none = stage.perform(&returning("", "DELETE FROM person WHERE id > 6 RETURNING name")).await;
    none.is_completed().says(&count(0));
    if kind != Kind::MariaDb {
        let raised = "UPDATE person SET credit = credit + 1 WHERE id = 1 RETURNING credit";
        assert_eq!(returned(&stage, &returning("", raised)).await, "11.5\n");
    }
}

/// Inserts the values of two streams.
fn insertion(ids: &[&str], names: &[&str]) -> String {
    let from = "<sqlParameter position=\"1\" from=\"ids\"/><sqlParameter position=\"2\" from=\"names\"/>";
    let insert = "INSERT INTO person (id, name) VALUES (?, ?) RETURNING id, name";
    stream("ids", ids) + &stream("names", names) + &returning(from, insert)
}

async fn an_update_for_many_rows_of_parameters_gives_the_rows_of_all_in_order(kind: Kind) {
    let stage = Stage::new(kind).await;
    let reply = stage.perform(&insertion(&["7", "5", "6"], &["G", "E", "F"])).await;
    reply.is_completed().says(&count(3)).says("7,G\n5,E\n6,F\n");
    let ids: Vec<String> = (100..1200).rev().map(|id| id.to_string()).collect();
    let (ids, names): (Vec<&str>, Vec<&str>) = ids.iter().map(|id| (&**id, "x")).unzip();
    let expected: String = ids.iter().map(|id| format!("{id},x\n")).collect();
    assert_eq!(returned(&stage, &insertion(&ids, &names)).await, expected);
    // Without parameters it does not run, and gives nothing.
    stage.perform(&insertion(&[], &[])).await.is_completed().says(&count(0));
}

async fn rows_that_nobody_wants_are_counted(kind: Kind) {
    let stage = Stage::new(kind).await;
    let insert = "INSERT INTO person (id, name) VALUES (7, 'G'), (8, 'H') RETURNING id, name";
    stage.perform(&update("u", insert)).await.is_completed().says(&count(2));
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    let gone = "DELETE FROM person WHERE id IN (7, 8) RETURNING id, name";
    session.perform(&update("u", gone)).await.is_completed().says(&count(2));
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn rows_that_are_only_read_are_given_and_not_counted(kind: Kind) {
    if kind == Kind::Sqlite {
        // It has no locks of rows, and refuses an update that only reads.
        return;
    }
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    let lock = returning("", "SELECT id, name FROM person WHERE id = 1 FOR UPDATE");
    session.perform(&lock).await.is_completed().says(&count(0)).says("1,Ada\n");
    let update = update("u", "SELECT id, name FROM person WHERE id = 1 FOR UPDATE");
    session.perform(&update).await.is_completed().says(&count(0));
    session.transaction("<commit/>").await;
}

async fn rows_of_an_update_are_like_those_of_a_query(kind: Kind) {
    let stage = Stage::new(kind).await;
    let columns = kind.pick(
        "n INTEGER, price DECIMAL(9,2), day DATE, at TIMESTAMP, ratio REAL, data BLOB, flag BOOLEAN, place TEXT",
        "n bigint, price numeric(9,2), day date, at timestamptz, ratio real, data bytea, flag boolean, place inet, \
         tags text[], span interval, id uuid",
        "n BIGINT UNSIGNED, price DECIMAL(9,2), day DATE, at TIMESTAMP NULL, ratio FLOAT, data BLOB, flag BIT, place INET6, \
         id UUID",
    );
    let values = kind.pick(
        "(1, 10.5, '2026-11-21', '2026-11-21 08:00:00', 0.1, x'00ff', 1, 'a'), \
         (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "(1, 10.5, '2026-11-21', '2026-11-21 08:00:00+02', 0.1, '\\x00ff', true, '10.0.0.0/8', '{a,NULL}', 'P1DT2H', \
         'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "(18446744073709551615, 10.5, '2026-11-21', '2026-11-21 08:00:00', 0.1, x'00ff', 1, '::1', \
         'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    stage.perform(&update("u", &format!("CREATE TABLE typed ({columns})"))).await.is_completed();
    let format = "<sqlResultsToXML name=\"f\"><resultSet from=\"rows\"/><webRowSet name=\"xml\"/></sqlResultsToXML>";
    let statement = |element: &str, sql: &str, output: &str| {
        let sql = escape(sql);
        format!("<{element} name=\"s\"><expression>{sql}</expression><{output} name=\"rows\"/></{element}>{format}")
    };
    let insert =
        statement("sqlUpdateStatement", &format!("INSERT INTO typed VALUES {values} RETURNING *"), "returnedRows");
    let given = stage.context.raw(&insert, "xml").await;
    assert_eq!(given.status, 200, "{}", given.text);
    let select = statement("sqlQueryStatement", "SELECT * FROM typed", "resultStream");
    let read = stage.context.raw(&select, "xml").await;
    // Where a column comes from, the server tells of a query alone.
    let metadata = |reply: &Reply, name: &str| -> Vec<String> {
        let lines = reply.text.split('<').filter(|line| line.starts_with(name));
        lines.map(str::to_owned).collect()
    };
    for name in ["column-name", "column-type>", "column-type-name", "columnValue"] {
        assert_eq!(metadata(&given, name), metadata(&read, name), "{kind:?}");
    }
    assert!(metadata(&given, "columnValue").len() >= 16, "{}", given.text);
}

async fn a_statement_that_gives_no_rows_is_refused_where_they_are_wanted(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    for sql in ["DELETE FROM person", "CREATE TABLE another (n INTEGER)"] {
        stage.perform(&returning("", sql)).await.is_fault(422, "ActivityFailed").says("RETURNING");
    }
    session.perform(&returning("", "DELETE FROM person")).await.is_fault(422, "ActivityFailed").says("RETURNING");
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn rows_of_an_update_are_part_of_the_transaction(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    let insert = returning("", "INSERT INTO person (id, name) VALUES (7, 'G') RETURNING id");
    session.perform(&insert).await.is_completed().says("7\n").says(&count(1));
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "5\n");
    assert_eq!(stage.people(), "1 2 3 4");
    session.transaction("<rollback/>").await;
    assert_eq!(stage.people(), "1 2 3 4");
    session.transaction("<begin readOnly=\"true\"/>").await;
    session.perform(&insert).await.is_fault(422, "ActivityFailed").says("SqlReadOnly");
    session.transaction("<rollback/>").await;
}

async fn an_update_that_fails_gives_no_rows_and_leaves_nothing(kind: Kind) {
    let stage = Stage::new(kind).await;
    let wrong = insertion(&["7", "8", "1"], &["G", "H", "twice"]);
    let reply = stage.perform(&wrong).await;
    reply.is_fault(422, "ActivityFailed");
    assert!(!reply.text.contains("7,G"), "{}", reply.text);
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update("INSERT INTO person (id, name) VALUES (9, 'I')").await;
    session.perform(&wrong).await.is_fault(422, "ActivityFailed");
    session.perform(&insertion(&["5"], &["E"])).await.is_completed().says("5,E");
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4 5 9");
}

/// A statement that inserts so many rows, and gives a megabyte for each.
fn much(kind: Kind, rows: u32) -> String {
    let numbers = kind.pick(
        format!("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) SELECT n + 100, 'x' FROM s"),
        format!("SELECT n + 100, 'x' FROM generate_series(1, {rows}) AS s(n)"),
        format!("SELECT seq + 100, 'x' FROM seq_1_to_{rows}"),
    );
    let megabyte = kind.pick("hex(zeroblob(500000))", "repeat('x', 1000000)", "repeat('x', 1000000)");
    format!("INSERT INTO person (id, name) {numbers} RETURNING {megabyte} AS much")
}

async fn an_update_that_gives_too_much_changes_nothing(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session: Session<'_> = stage.session().await;
    session.transaction("<begin/>").await;
    session.update("INSERT INTO person (id, name) VALUES (9, 'I')").await;
    session.perform(&returning("", &much(kind, 80))).await.is_fault(422, "ActivityFailed").says("64 MiB");
    session.transaction("<commit/>").await;
    stage.perform(&returning("", &much(kind, 80))).await.is_fault(422, "ActivityFailed").says("64 MiB");
    assert_eq!(stage.people(), "1 2 3 4 9");
    stage.perform(&update("u", &much(kind, 80))).await.is_completed().says(&count(80));
}

async fn an_update_that_is_sent_again_gives_the_rows_of_the_first_time(kind: Kind) {
    let stage = Stage::new(kind).await;
    let insert = returning("", "INSERT INTO person (id, name) SELECT max(id) + 1, 'new' FROM person RETURNING id");
    for _ in 0..2 {
        let request = stage.context.post(&insert).header("Idempotency-Key", "\"0190c1a6-6f5d-7c3a-9d4e-1b2a3c4d5e6f\"");
        let reply = Reply::of(request.send().await.unwrap()).await;
        reply.is_completed().says("5\n").says(&count(1));
    }
    assert_eq!(stage.people(), "1 2 3 4 5");
}
