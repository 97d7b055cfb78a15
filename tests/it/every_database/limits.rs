//! Time-outs and bounds.

use std::time::Duration;

use super::Kind;
use super::stage::{Stage, query, until, update};
use crate::context::Reply;

in_every_database!(
    a_statement_that_takes_too_long_is_stopped;
    servers: a_statement_that_finds_no_connection_is_told_so, one_that_waits_for_a_lock_is_stopped_in_time,
);

/// An answer that has to come, although the statement would run for ever.
async fn answer(stage: &Stage, content: &str) -> Reply {
    tokio::time::timeout(Duration::from_mins(1), stage.perform(content)).await.expect("there is no answer")
}

async fn a_statement_that_takes_too_long_is_stopped(kind: Kind) {
    let stage = Stage::with(kind, |_, options| options.resource = "<statement timeout=\"200\"/>".into()).await;
    let slow = kind.pick(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "SELECT pg_sleep(3000)",
        "SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b, seq_1_to_1000000 c WHERE a.seq + b.seq + c.seq < 0",
    );
    answer(&stage, &query(slow)).await.is_fault(504, "RequestTimedOut");
    assert_eq!(stage.rows("SELECT count(*) FROM person").await, "4\n");
    let slow = kind.pick(
        "INSERT INTO person WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i), 'x', NULL, NULL FROM n",
        "INSERT INTO person SELECT 9, 'x', NULL, NULL FROM pg_sleep(3000)",
        "INSERT INTO person SELECT max(a.seq), 'x', NULL, NULL FROM seq_1_to_1000000 a, seq_1_to_1000000 b, seq_1_to_1000000 c",
    );
    answer(&stage, &update("u", slow)).await.is_fault(504, "RequestTimedOut");
    assert_eq!(stage.people(), "1 2 3 4");
}

async fn a_statement_that_finds_no_connection_is_told_so(kind: Kind) {
    let stage = Stage::with(kind, |_, options| options.resource = "<pool size=\"1\" wait=\"50\"/>".into()).await;
    let sleep = kind.pick("", "SELECT pg_sleep(3000), 'busy'", "SELECT sleep(3000), 'busy'");
    let request = tokio::spawn(stage.context.post(&query(sleep)).send());
    until("the statement runs", || stage.database.running().contains("busy")).await;
    stage.perform(&query("SELECT 1")).await.is_fault(503, "ServerBusy").says("retryable=\"true\"");
    request.abort();
    until("the statement is stopped", || !stage.database.running().contains("busy")).await;
    // The connection comes back a moment later.
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while stage.perform(&query("SELECT 1")).await.status != 200 {
        assert!(std::time::Instant::now() < end, "the only connection is lost");
    }
}

async fn one_that_waits_for_a_lock_is_stopped_in_time(kind: Kind) {
    let stage = Stage::with(kind, |_, options| options.resource = "<statement timeout=\"300\"/>".into()).await;
    let holder = stage.session().await;
    holder.transaction("<begin/>").await;
    holder.update("UPDATE person SET credit = 1 WHERE id = 1").await;
    let waits = stage.perform(&update("u", "UPDATE person SET credit = 2 WHERE id = 1")).await;
    assert!(matches!(waits.status, 503 | 504), "{}", waits.text);
    holder.transaction("<commit/>").await;
    assert_eq!(stage.rows("SELECT credit FROM person WHERE id = 1").await, "1\n");
    stage.perform(&update("u", "UPDATE person SET credit = 2 WHERE id = 1")).await.is_completed();
}
