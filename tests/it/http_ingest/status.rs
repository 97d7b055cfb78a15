//! Polling for a state.

use std::time::Duration;

use super::Bench;
use crate::scripted::{Answer, Script, csv, json, status};

const STATE: (&str, &str) = (
    "ms.session.key.field",
    r#"{"name":"result.status","condition":{"regexp":"^complete$"},"failCondition":{"regexp":"^failed$"}}"#,
);

fn state(value: &str) -> Answer {
    json(format!("{{\"result\":{{\"status\":\"{value}\"}}}}"))
}

/// A poll for `result.status`, every 1.2 s.
fn poll<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut properties = vec![
        ("ms.source.uri", "/jobs/7"),
        ("ms.call.interval.millis", "1200"),
        ("ms.data.field", "result"),
        ("ms.wait.timeout.seconds", "600"),
    ];
    if !more.iter().any(|(key, _)| *key == STATE.0) {
        properties.push(STATE);
    }
    properties.retain(|(key, _)| !more.iter().any(|(other, _)| other == key));
    properties.extend(more);
    properties
}

#[tokio::test]
async fn as_1_a_status_is_polled_until_it_is_complete() {
    let bench = Bench::over(Script::of([state("pending"), state("running"), state("complete")])).await;
    let pulled = bench.pull_while(&poll(&[]), &[1200, 1200]).await;
    pulled.is_completed().gave(["status", "pending", "running", "complete"]).by(["poll", "poll", "condition"]);
    bench.server.saw(["GET /jobs/7"; 3]);
    bench.server.was_paced([Duration::from_millis(1200); 2]);
}

#[tokio::test]
async fn as_2_a_status_that_fails_fails_the_ingestion() {
    let bench = Bench::over(Script::of([state("pending"), state("failed")])).await;
    let pulled = bench.pull_while(&poll(&[]), &[1200]).await;
    pulled.has_failed("HttpIngestFailed", "the failCondition holds of `failed`");
    bench.server.saw(["GET /jobs/7"; 2]);
}

#[tokio::test]
async fn as_3_r09_a_status_that_never_comes_ends_by_the_deadline() {
    let bench = Bench::over(Script::by(|_| state("pending"))).await;
    let properties = poll(&[("ms.wait.timeout.seconds", "1"), ("ms.call.interval.millis", "400")]);
    let pulled = bench.pull_while(&properties, &[400, 400]).await;
    pulled.has_failed("HttpIngestTimedOut", "1 s after the first request");
    bench.server.was_paced([Duration::from_millis(400); 2]);
}

#[tokio::test]
async fn what_came_before_the_time_was_over_may_be_enough() {
    let bench = Bench::over(Script::by(|_| state("pending"))).await;
    let partial = ("rejoin.on.timeout", "partial");
    let properties = poll(&[("ms.wait.timeout.seconds", "1"), ("ms.call.interval.millis", "400"), partial]);
    let pulled = bench.pull_while(&properties, &[400, 400]).await;
    pulled.is_completed().gave(["status", "pending", "pending", "pending"]).by(["poll", "poll", "timeout"]);
}

#[tokio::test]
async fn as_4_the_condition_comes_before_the_fail_condition() {
    let bench = Bench::over(Script::of([state("done-failed")])).await;
    let key = r#"{"name":"result.status","condition":{"regexp":"done.*"},"failCondition":{"regexp":".*failed"}}"#;
    bench.pull(&poll(&[(STATE.0, key)])).await.is_completed().by(["condition"]);
    assert_eq!(bench.server.count(), 1);
}

#[tokio::test]
async fn as_5_a_condition_matches_the_whole_value() {
    let bench = Bench::over(Script::by(|_| state("completed"))).await;
    let key = r#"{"name":"result.status","condition":{"regexp":"complete"}}"#;
    let properties = poll(&[(STATE.0, key), ("ms.wait.timeout.seconds", "2")]);
    bench.pull_while(&properties, &[1200]).await.has_failed("HttpIngestTimedOut", "the session key is `completed`");
}

#[tokio::test]
async fn as_6_r12_a_status_may_be_in_a_header_of_any_case() {
    let key = (STATE.0, r#"{"name":"x-job-state","condition":{"regexp":"done"}}"#);
    let with = |answer: Answer, state| answer.header("X-Job-State", state);
    let answers = [with(json(r#"{"result":[]}"#), "pending"), with(json(r#"{"result":[{"a":1}]}"#), "done")];
    let bench = Bench::over(Script::of(answers)).await;
    bench.pull_while(&poll(&[key]), &[1200]).await.is_completed().gave(["a", "1"]);
    let bench = Bench::over(Script::of([with(csv("a\n"), "pending"), with(csv("a\n1\n2\n"), "done")])).await;
    let mut properties =
        poll(&[key, ("rejoin.format", "csv"), ("ms.csv", r#"{"linesToSkip":1,"columnHeaderIndex":0}"#)]);
    properties.retain(|(key, _)| *key != "ms.data.field");
    bench.pull_while(&properties, &[1200]).await.is_completed().gave(["a", "1", "2"]).by(["poll", "condition"]);
}

#[tokio::test]
async fn as_7_a_flag_that_there_is_more() {
    let more = |value| json(format!("{{\"hasMore\":{value},\"result\":[{{\"n\":1}}]}}"));
    let bench = Bench::over(Script::of([more(true), more(false)])).await;
    let key = r#"{"name":"hasMore","condition":{"regexp":"false|False"}}"#;
    bench.pull_while(&poll(&[(STATE.0, key)]), &[1200]).await.is_completed().gave(["n", "1", "1"]);
    assert_eq!(bench.server.count(), 2);
}

#[tokio::test]
async fn r05_a_poll_goes_on_after_a_warning() {
    let statuses = ("ms.http.statuses", r#"{"success":[200],"warning":[404]}"#);
    let bench = Bench::over(Script::of([status(404), status(204), state("complete")])).await;
    let pulled = bench.pull_while(&poll(&[statuses]), &[1200, 1200]).await;
    pulled.is_completed().gave(["status", "complete"]).by(["poll", "poll", "condition"]);
}

#[tokio::test]
async fn r30_a_formula_may_decide() {
    let answers = [r#"{"result":[{"n":1}],"progress":40}"#, r#"{"result":[{"n":2}],"progress":100}"#].map(json);
    let bench = Bench::over(Script::of(answers)).await;
    let key = r#"{"name":"progress","condition":{"formula":"body.progress >= 100 && status == 200"}}"#;
    bench.pull_while(&poll(&[(STATE.0, key)]), &[1200]).await.is_completed().gave(["n", "1", "2"]);
}

#[tokio::test]
async fn a_poll_that_fails_now_and_then_goes_on() {
    let bench = Bench::over(Script::of([status(500), state("pending"), status(502), state("complete")])).await;
    let properties = poll(&[("rejoin.poll.errors", "1"), ("ms.call.interval.millis", "7200")]);
    let pulled = bench.pull_while(&properties, &[7200, 7200, 7200]).await;
    pulled.is_completed().by(["pollError", "poll", "pollError", "condition"]);
}

#[tokio::test]
async fn r29_a_file_is_asked_for_until_it_is_complete() {
    let file = |state: &str, bytes: &str| status(200).header("x-state", state).body(bytes);
    let bench = Bench::over(Script::of([file("writing", ""), file("writing", ""), file("done", "\0whole")])).await;
    let key = (STATE.0, r#"{"name":"X-State","condition":{"regexp":"done"}}"#);
    let mut properties = poll(&[key, ("rejoin.format", "file")]);
    properties.retain(|(key, _)| *key != "ms.data.field");
    let pulled = bench.pull_while(&properties, &[1200, 1200]).await;
    pulled.is_completed().by(["poll", "poll", "condition"]);
    // An empty answer does not end it, as it would end pages; and without a key there is one answer.
    bench.server.saw(["GET /jobs/7"; 3]);
}
