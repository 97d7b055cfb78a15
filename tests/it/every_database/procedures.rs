//! Procedures and functions that the database stores.

use super::Kind;
use super::granted::{Stage, csv};

in_every_database! {
    ;
    servers:
    what_goes_out_is_told_by_position_and_name,
    rows_are_a_stream_as_of_a_query,
    a_stream_of_parameters_calls_once_for_each_row,
    what_a_failed_call_did_is_taken_back,
    a_call_is_part_of_the_transaction,
    a_procedure_that_is_not_there_is_an_error_of_the_client,
}

fn call(procedure: &str, content: &str) -> String {
    format!(
        "<sqlStoredProcedure name=\"call\"><procedure name=\"{procedure}\"/>{content}\
         <outputParameters name=\"answer\"/></sqlStoredProcedure>"
    )
}

fn given(position: u32, value: &str) -> String {
    format!("<sqlParameter position=\"{position}\">{value}</sqlParameter>")
}

async fn what_goes_out_is_told_by_position_and_name(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage
        .run(&[stage.pick(
            "",
            "CREATE PROCEDURE part(IN share int, INOUT total int, OUT note text) LANGUAGE sql \
             AS $$ SELECT total * share / 100, NULL::text $$",
            "CREATE PROCEDURE part(IN share INT, INOUT total INT, OUT note VARCHAR(10)) \
             SELECT total * share / 100, NULL INTO total, note",
        )])
        .await;
    let inout = "<sqlParameter position=\"2\" mode=\"inout\">40</sqlParameter>";
    let out = "<sqlParameter position=\"3\" mode=\"out\"/>";
    // In whatever order they stand.
    let content = call("part", &[out, &given(1, "50"), inout].concat());
    let answer = stage.output(&content, "answer").await;
    let expected = "<outputParameter position=\"2\" name=\"total\">20</outputParameter>\
        <outputParameter position=\"3\" name=\"note\"><null/></outputParameter><resultStream rows=\"0\"";
    assert!(answer.starts_with(&format!("<procedureResult>{expected}")), "{answer}");
}

/// Something that gives the numbers below a limit.
async fn with_numbers(kind: Kind) -> Stage {
    let stage = Stage::new(kind).await;
    stage
        .run(&[stage.pick(
            "",
            "CREATE FUNCTION numbers(bound int) RETURNS TABLE (n int, word text) LANGUAGE sql \
             AS $$ SELECT s.n, 'n' || s.n FROM generate_series(1, bound - 1) AS s(n) $$",
            "CREATE PROCEDURE numbers(bound INT) \
             SELECT CAST(seq AS INT) AS n, CONCAT('n', seq) AS word FROM seq_1_to_1000 WHERE seq < bound ORDER BY seq",
        )])
        .await;
    stage
}

async fn rows_are_a_stream_as_of_a_query(kind: Kind) {
    let stage = with_numbers(kind).await;
    let calling = call("numbers", &[&given(1, "4"), "<resultStream name=\"rows\"/>"].concat());
    let rows = stage.output(&[calling.as_str(), &csv("rows")].concat(), "csv").await;
    assert_eq!(rows, "1,n1\n2,n2\n3,n3\n");
    let none = call("numbers", &[&given(1, "0"), "<resultStream name=\"rows\"/>"].concat());
    assert_eq!(stage.output(&[none.as_str(), &csv("rows")].concat(), "csv").await, "");
    let many = call("numbers", &given(1, "1000"));
    assert!(stage.output(&many, "answer").await.contains("rows=\"999\""), "unread rows are counted, too");
}

async fn a_stream_of_parameters_calls_once_for_each_row(kind: Kind) {
    let stage = with_numbers(kind).await;
    let items = "<dataStore name=\"bounds\"><item>2</item><item>3</item><itemCursor name=\"bound\"/></dataStore>";
    let content = "<sqlParameter position=\"1\" from=\"bound\"/><resultStream name=\"rows\"/>";
    let content = [items, &call("numbers", content), &csv("rows")].concat();
    assert_eq!(stage.output(&content, "csv").await, "1,n1\n1,n1\n2,n2\n");
    assert_eq!(stage.output(&content, "answer").await.matches("<procedureResult>").count(), 2);
}

/// Something that takes a note, and fails when the note is `wrong`.
async fn with_notes(kind: Kind) -> Stage {
    let stage = Stage::new(kind).await;
    let procedure = stage.pick(
        "",
        "CREATE PROCEDURE take(IN note text) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes VALUES (note); \
         IF note = 'wrong' THEN RAISE EXCEPTION 'such a note is not taken'; END IF; END $$",
        "CREATE PROCEDURE take(IN note VARCHAR(20)) BEGIN INSERT INTO notes VALUES (note); \
         IF note = 'wrong' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'such a note is not taken'; END IF; END",
    );
    stage.run(&["CREATE TABLE notes (text VARCHAR(20))", procedure]).await;
    stage
}

async fn what_a_failed_call_did_is_taken_back(kind: Kind) {
    let stage = with_notes(kind).await;
    stage.perform(&call("take", &given(1, "good"))).await.is_completed();
    let failed = stage.perform(&call("take", &given(1, "wrong"))).await;
    failed.is_fault(422, "ActivityFailed").says("such a note is not taken");
    assert_eq!(stage.rows("SELECT text FROM notes").await, "good\n");
}

async fn a_call_is_part_of_the_transaction(kind: Kind) {
    let stage = with_notes(kind).await;
    let begin = "<session/><transactionManagement name=\"t\"><begin/></transactionManagement>";
    let join = format!("<session id=\"{}\"/>", stage.perform(begin).await.is_completed().session_id());
    stage.perform(&[join.as_str(), &call("take", &given(1, "one"))].concat()).await.is_completed();
    // It takes back what it did itself, and nothing else.
    stage.perform(&[join.as_str(), &call("take", &given(1, "wrong"))].concat()).await.is_fault(422, "ActivityFailed");
    assert_eq!(stage.rows("SELECT count(*) FROM notes").await, "0\n");
    let commit = "<transactionManagement name=\"t\"><commit/></transactionManagement>";
    stage.perform(&[&join, commit].concat()).await.is_completed();
    assert_eq!(stage.rows("SELECT text FROM notes").await, "one\n");
}

async fn a_procedure_that_is_not_there_is_an_error_of_the_client(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.perform(&call("nowhere", "")).await.is_fault(422, "ActivityFailed").says("nowhere");
}

#[tokio::test]
async fn a_database_without_procedures_says_so() {
    let stage = Stage::new(Kind::Sqlite).await;
    stage.perform(&call("p", "")).await.is_fault(422, "ActivityFailed").says("SqlUnsupported");
}
