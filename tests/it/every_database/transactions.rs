//! Transactions that span the requests of a session.

use super::Kind;
use super::stage::{Stage, query, stream, transaction, until, update, update_with};

in_every_database!(
    a_transaction_of_three_requests_is_committed_whole,
    a_transaction_of_three_requests_is_rolled_back_whole,
    savepoints_take_back_what_was_done_since,
    savepoints_are_told_apart_by_letter_case,
    nobody_else_sees_it_before_the_commit,
    a_statement_that_fails_leaves_the_transaction_usable,
    an_update_of_many_rows_that_fails_takes_back_its_own_alone,
    a_query_that_would_write_is_refused_in_a_transaction_too,
    the_end_of_the_session_rolls_back,
    the_absence_of_the_client_rolls_back,
    a_session_has_one_transaction_at_a_time,
    a_transaction_that_only_reads_writes_nothing,
    the_next_transaction_of_the_session_is_another,
    the_request_that_begins_may_also_work_and_commit,
    a_request_that_fails_when_it_begins_leaves_nothing_open,
);

const ZOE: &str = "INSERT INTO person (id, name) VALUES (5, 'Zoe')";
const YAN: &str = "INSERT INTO person (id, name) VALUES (6, 'Yan')";

async fn a_transaction_of_three_requests_is_committed_whole(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await.says("state=\"active\"");
    let both = update("u1", ZOE) + &update("u2", "UPDATE person SET credit = 0 WHERE id = 1");
    session.perform(&format!("<sequence>{both}</sequence>")).await.is_completed();
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "5\n");
    assert_eq!(stage.people(), "1 2 3 4");
    session.transaction("<commit/>").await.says("state=\"committed\"");
    assert_eq!(stage.people(), "1 2 3 4 5");
    assert_eq!(stage.rows("SELECT credit FROM person WHERE id = 1").await, "0\n");
    stage.database.until_quiet().await;
}

async fn a_transaction_of_three_requests_is_rolled_back_whole(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update(ZOE).await;
    session.update("DELETE FROM person WHERE id = 1").await;
    session.transaction("<rollback/>").await.says("state=\"rolledBack\"");
    assert_eq!(stage.people(), "1 2 3 4");
    stage.database.until_quiet().await;
    // Behind it, each statement is for itself again.
    session.update(ZOE).await;
    assert_eq!(stage.people(), "1 2 3 4 5");
}

async fn savepoints_take_back_what_was_done_since(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update(ZOE).await;
    session.transaction("<savepoint name=\"one\"/>").await;
    session.update(YAN).await;
    session.transaction("<savepoint name=\"two\"/>").await;
    session.update("DELETE FROM person").await;
    session.transaction("<rollbackTo name=\"two\"/>").await;
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "6\n");
    session.transaction("<rollbackTo name=\"one\"/>").await;
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "5\n");
    session.perform(&transaction("<rollbackTo name=\"two\"/>")).await.is_fault(422, "ActivityFailed");
    session.transaction("<releaseSavepoint name=\"one\"/>").await;
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4 5");
}

async fn savepoints_are_told_apart_by_letter_case(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.transaction("<savepoint name=\"one\"/>").await;
    session.update(ZOE).await;
    session.transaction("<savepoint name=\"ONE\"/>").await;
    session.update(YAN).await;
    session.transaction("<rollbackTo name=\"one\"/>").await;
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "4\n");
    // Names that the service itself uses.
    for name in ["rejoin.statement", "rejoin_statement", "rejoin_reading", "rejoin_update", "mark1"] {
        session.transaction(&format!("<savepoint name=\"{name}\"/>")).await;
    }
    let several = stream("ids", &["5", "6"])
        + &update_with(
            "u",
            "<sqlParameter position=\"1\" from=\"ids\"/>",
            "INSERT INTO person (id, name) VALUES (?, 'x')",
        );
    session.perform(&several).await.is_completed();
    session.transaction("<rollbackTo name=\"rejoin.statement\"/>").await;
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn nobody_else_sees_it_before_the_commit(kind: Kind) {
    let stage = Stage::new(kind).await;
    let (writer, reader) = (stage.session().await, stage.session().await);
    writer.transaction("<begin/>").await;
    writer.update(ZOE).await;
    assert_eq!(reader.rows("SELECT count(*) FROM person").await, "4\n");
    assert_eq!(stage.rows("SELECT count(*) FROM person").await, "4\n");
    // Nor does another session have anything to commit.
    reader.perform(&transaction("<commit/>")).await.is_fault(422, "ActivityFailed").says("NoTransaction");
    assert_eq!(writer.rows("SELECT count(*) FROM person").await, "5\n");
    writer.transaction("<commit/>").await;
    assert_eq!(reader.rows("SELECT count(*) FROM person").await, "5\n");
}

async fn a_statement_that_fails_leaves_the_transaction_usable(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update(ZOE).await;
    session.perform(&update("u", ZOE)).await.is_fault(422, "ActivityFailed");
    session.perform(&query("SELECT nothing_such FROM person")).await.is_fault(422, "ActivityFailed");
    session.perform(&query("SELEC 1")).await.is_fault(422, "ActivityFailed");
    session.update(YAN).await;
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "6\n");
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4 5 6");
}

async fn an_update_of_many_rows_that_fails_takes_back_its_own_alone(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update(ZOE).await;
    let insert = super::stage::stream("ids", &["6", "7", "1"])
        + &super::stage::update_with(
            "u",
            "<sqlParameter position=\"1\" from=\"ids\"/>",
            "INSERT INTO person (id, name) VALUES (?, 'x')",
        );
    session.perform(&insert).await.is_fault(422, "ActivityFailed");
    assert_eq!(session.rows("SELECT max(id) FROM person").await, "5\n");
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4 5");
}

async fn a_query_that_would_write_is_refused_in_a_transaction_too(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update(ZOE).await;
    for writes in ["DELETE FROM person", "DROP TABLE person", "COMMIT", "ROLLBACK"] {
        let reply = session.perform(&query(writes)).await;
        assert_eq!(reply.status, 422, "{writes}: {}", reply.text);
    }
    for ends in ["COMMIT", "ROLLBACK"] {
        assert_eq!(session.perform(&update("u", ends)).await.status, 422, "{ends}");
    }
    assert_eq!(stage.people(), "1 2 3 4");
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4 5");
}

async fn the_end_of_the_session_rolls_back(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update(ZOE).await;
    assert_eq!(stage.database.open_transactions(), 1);
    session.end().await;
    stage.database.until_quiet().await;
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn the_absence_of_the_client_rolls_back(kind: Kind) {
    let stage = Stage::with(kind, |_, options| {
        options.session = "<timeout default=\"400\"/><expiry pollingTime=\"50\"/>".into();
    })
    .await;
    // On a slow machine the session may be gone before all is said.
    let session = stage.session().await;
    let begun = session.perform(&format!("<sequence>{}{}</sequence>", transaction("<begin/>"), update("u", ZOE))).await;
    assert!(begun.status == 200 || begun.status == 410, "{}", begun.text);
    until("the session has ended", || stage.database.open_transactions() == 0).await;
    assert_eq!(stage.people(), "1 2 3 4");
    session.perform(&transaction("<commit/>")).await.is_fault(410, "SessionEnded");
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn a_session_has_one_transaction_at_a_time(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.perform(&transaction("<begin/>")).await.is_fault(422, "ActivityFailed").says("TransactionActive");
    session.transaction("<commit/>").await;
    session.perform(&transaction("<commit/>")).await.is_fault(422, "ActivityFailed").says("NoTransaction");
    session.perform(&transaction("<rollback/>")).await.is_fault(422, "ActivityFailed").says("NoTransaction");
}

async fn a_transaction_that_only_reads_writes_nothing(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin readOnly=\"true\"/>").await;
    assert_eq!(session.rows("SELECT count(*) FROM person").await, "4\n");
    session.perform(&update("u", ZOE)).await.is_fault(422, "ActivityFailed").says("SqlReadOnly");
    session.transaction("<commit/>").await;
    assert_eq!(stage.people(), "1 2 3 4");
    // The connection that it had writes again.
    session.update(ZOE).await;
    assert_eq!(stage.people(), "1 2 3 4 5");
}

async fn the_next_transaction_of_the_session_is_another(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    for (id, end) in [(5, "commit"), (6, "rollback"), (7, "commit")] {
        session.transaction("<begin isolation=\"serializable\"/>").await;
        session.update(&format!("INSERT INTO person (id, name) VALUES ({id}, 'x')")).await;
        session.transaction(&format!("<{end}/>")).await;
    }
    assert_eq!(stage.people(), "1 2 3 4 5 7");
}

async fn the_request_that_begins_may_also_work_and_commit(kind: Kind) {
    let stage = Stage::new(kind).await;
    let step =
        |name: &str, step: &str| format!("<transactionManagement name=\"{name}\">{step}</transactionManagement>");
    let all = [step("begin", "<begin/>"), update("u", ZOE), step("end", "<commit/>")].concat();
    stage.perform(&format!("<session/><sequence>{all}</sequence>")).await.is_completed();
    assert_eq!(stage.people(), "1 2 3 4 5");
    // Also without a session of its own; what is not committed is rolled back with that.
    let open = [step("begin", "<begin/>"), update("u", YAN)].concat();
    stage.perform(&format!("<sequence>{open}</sequence>")).await.is_completed();
    stage.database.until_quiet().await;
    assert_eq!(stage.people(), "1 2 3 4 5");
}

async fn a_request_that_fails_when_it_begins_leaves_nothing_open(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    let content =
        transaction("<begin/>") + &update("u", ZOE) + "<refuse name=\"no\"><message>on purpose</message></refuse>";
    session.perform(&format!("<sequence>{content}</sequence>")).await.is_fault(403, "Forbidden");
    stage.database.until_quiet().await;
    assert_eq!(stage.people(), "1 2 3 4");
    session.update(ZOE).await;
    assert_eq!(stage.people(), "1 2 3 4 5");
}
