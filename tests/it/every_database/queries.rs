//! Statements that read.

use std::time::Duration;

use super::Kind;
use super::stage::{Stage, parameters, query, query_with, stream, until, update};
use crate::context::Reply;

in_every_database!(
    a_query_takes_parameters_from_the_document,
    a_parameter_is_never_a_part_of_the_statement,
    a_query_runs_once_for_each_streamed_row_of_parameters,
    an_empty_result_has_columns_and_no_rows,
    null_is_not_an_empty_text,
    a_wrong_statement_is_the_clients_mistake,
    a_query_that_would_write_is_refused_and_changes_nothing,
    a_text_of_two_statements_is_refused,
    placeholders_in_quotes_and_comments_are_text,
    the_service_tells_its_tables,
    many_rows_come_whole_and_in_order;
    servers: a_statement_whose_client_left_is_stopped_in_the_server, a_result_that_nobody_reads_on_stops_the_statement,
);

async fn a_query_takes_parameters_from_the_document(kind: Kind) {
    let stage = Stage::new(kind).await;
    let content = query_with(
        &parameters(&["Perth", "1"]),
        "SELECT id, name, credit FROM person WHERE town = ? AND id > ? ORDER BY id",
    );
    let reply = stage.context.raw(&content, "csv").await;
    assert_eq!((reply.status, &*reply.text), (200, "3,<Grace>,-3\n"));
    // In the response document the same.
    stage.perform(&content).await.is_completed().says("<![CDATA[3,<Grace>,-3\n]]>");
}

async fn a_parameter_is_never_a_part_of_the_statement(kind: Kind) {
    let stage = Stage::new(kind).await;
    for hostile in ["' OR '1'='1", "\\' OR 1=1 -- ", "\"; DROP TABLE person; --", "$1", "?"] {
        let content = query_with(&parameters(&[hostile]), "SELECT id FROM person WHERE name = ?");
        let reply = stage.context.raw(&content, "csv").await;
        assert_eq!((reply.status, &*reply.text), (200, ""), "{hostile}");
    }
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn a_query_runs_once_for_each_streamed_row_of_parameters(kind: Kind) {
    let stage = Stage::new(kind).await;
    let streamed = "<sqlParameter position=\"1\" from=\"towns\"/><sqlParameter position=\"2\">2</sqlParameter>";
    let sql = "SELECT id, town FROM person WHERE town = ? AND id >= ? ORDER BY id";
    let content = stream("towns", &["Oban", "Perth", "Wick", "Oban"]) + &query_with(streamed, sql);
    let reply = stage.context.raw(&content, "csv").await;
    assert_eq!((reply.status, &*reply.text), (200, "2,Oban\n3,Perth\n2,Oban\n"));
}

async fn an_empty_result_has_columns_and_no_rows(kind: Kind) {
    let stage = Stage::new(kind).await;
    let sql = "SELECT id, name FROM person WHERE id = 77";
    assert_eq!(stage.rows(sql).await, "");
    let header = query(sql).replace("</sqlResultsToCSV>", "<includeHeader value=\"true\"/></sqlResultsToCSV>");
    assert_eq!(stage.context.raw(&header, "csv").await.text, "id,name\n");
}

async fn null_is_not_an_empty_text(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.perform(&update("u", "UPDATE person SET town = '' WHERE id = 1")).await.is_completed();
    assert_eq!(
        stage.rows("SELECT id, town, credit FROM person WHERE id IN (1, 4) ORDER BY id").await,
        "1,,10.5\n4,NULL,NULL\n"
    );
}

async fn a_wrong_statement_is_the_clients_mistake(kind: Kind) {
    let stage = Stage::new(kind).await;
    for (wrong, says) in [
        ("SELECT nothing_such FROM person", "nothing_such"),
        ("SELECT * FORM person", "FORM"),
        ("SELECT * FROM no_table", "no_table"),
    ] {
        let reply = stage.perform(&query(wrong)).await;
        reply.is_fault(422, "ActivityFailed").says(says).says("SqlError").says("retryable=\"false\"");
    }
    // The connection is as good as new.
    assert_eq!(stage.rows("SELECT count(*) FROM person").await, "4\n");
}

async fn a_query_that_would_write_is_refused_and_changes_nothing(kind: Kind) {
    let stage = Stage::new(kind).await;
    let insert = "INSERT INTO person (id, name) VALUES (9, 'Zoe')";
    let hidden = kind.pick(
        "DELETE FROM person WHERE id = 1 RETURNING id",
        "WITH gone AS (DELETE FROM person WHERE id = 1 RETURNING id) SELECT id FROM gone",
        "DELETE FROM person WHERE id = 1 RETURNING id",
    );
    for writes in [insert, hidden, "DELETE FROM person", "DROP TABLE person", "CREATE TABLE other (n INTEGER)"] {
        let reply = stage.perform(&query(writes)).await;
        assert_eq!(reply.status, 422, "{writes}: {}", reply.text);
        // Where a cursor reads, PostgreSQL knows of no such statement.
        if !writes.starts_with("WITH") {
            reply.says("SqlReadOnly");
        }
    }
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn a_text_of_two_statements_is_refused(kind: Kind) {
    let stage = Stage::new(kind).await;
    for two in ["SELECT 1; SELECT 2", "SELECT 1; DELETE FROM person", "SELECT 1; COMMIT; DELETE FROM person"] {
        let reply = stage.perform(&query(two)).await;
        assert_eq!(reply.status, 422, "{two}: {}", reply.text);
        assert_eq!(stage.perform(&update("u", two)).await.status, 422, "{two}");
    }
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn placeholders_in_quotes_and_comments_are_text(kind: Kind) {
    let stage = Stage::new(kind).await;
    let sql = "SELECT '?' AS one, name /* ? */ FROM person -- ?\n WHERE id = ?";
    let reply = stage.context.raw(&query_with(&parameters(&["1"]), sql), "csv").await;
    assert_eq!((reply.status, &*reply.text), (200, "?,Ada\n"));
}

async fn the_service_tells_its_tables(kind: Kind) {
    let stage = Stage::new(kind).await;
    let reply = Reply::of(stage.context.client.get(stage.context.url()).send().await.unwrap()).await;
    let product = kind.pick("SQLite", "PostgreSQL", "MariaDB");
    reply.says(&format!("<productName>{product}</productName>")).says("name=\"person\"");
    reply.says("primaryKey=\"1\"").says("<column name=\"credit\"");
}

/// The integers from 1 to `count`.
fn numbers(kind: Kind, count: u32) -> String {
    kind.pick(
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"),
        format!("SELECT i FROM generate_series(1, {count}) AS n(i)"),
        format!("SELECT seq AS i FROM seq_1_to_{count}"),
    )
}

async fn many_rows_come_whole_and_in_order(kind: Kind) {
    let stage = Stage::new(kind).await;
    let count = 100_000;
    let text = stage.rows(&numbers(kind, count)).await;
    assert!(text.lines().map(|line| line.parse::<u32>().unwrap()).eq(1..=count));
}

async fn a_statement_whose_client_left_is_stopped_in_the_server(kind: Kind) {
    let stage = Stage::new(kind).await;
    let sleep = kind.pick("", "SELECT pg_sleep(3000), 'left'", "SELECT sleep(3000), 'left'");
    for content in [
        query(sleep),
        update(
            "u",
            kind.pick(
                "",
                "INSERT INTO person SELECT 7, 'left' FROM pg_sleep(3000)",
                "INSERT INTO person (id, name) SELECT sleep(3000), 'left'",
            ),
        ),
    ] {
        let request = tokio::spawn(stage.context.post(&content).send());
        until("the statement runs", || stage.database.running().contains("left")).await;
        request.abort();
        until("the statement is stopped", || !stage.database.running().contains("left")).await;
    }
    assert_eq!(stage.people(), "1 2 3 4");
    assert_eq!(stage.rows("SELECT count(*) FROM person").await, "4\n");
}

async fn a_result_that_nobody_reads_on_stops_the_statement(kind: Kind) {
    let stage = Stage::new(kind).await;
    let endless = kind.pick(
        String::new(),
        "SELECT 'read on', repeat('x', 1000) FROM generate_series(1, 100000) a, generate_series(1, 100000) b".into(),
        "SELECT 'read on', repeat('x', 1000), a.seq FROM seq_1_to_1000000 a, seq_1_to_1000000 b".into(),
    );
    let request = stage.context.post(&query(&endless)).query(&[("return", "csv")]);
    let mut response = request.timeout(Duration::from_mins(2)).send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    assert!(stage.database.running().contains("read on"), "it waits for its reader");
    drop(response);
    until("the statement is stopped", || !stage.database.running().contains("read on")).await;
    assert_eq!(stage.rows("SELECT count(*) FROM person").await, "4\n");
}
