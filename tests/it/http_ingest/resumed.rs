//! What goes on in a later request.

use super::{Bench, lines};
use crate::scripted::{Script, json, status};

const PROPERTIES: [(&str, &str); 4] = [
    ("ms.source.uri", "/records"),
    ("ms.data.field", "items"),
    ("ms.session.key.field", r#"{"name":"cursor"}"#),
    ("ms.parameters", r#"[{"name":"cursor","type":"session"}]"#),
];
const STATE: &str = "<sessionState attribute=\"pull\"/>";

#[tokio::test]
async fn rc_1_a_later_request_goes_on_with_the_cursor() {
    let answers = [
        json(r#"{"items":[{"n":1}],"cursor":"c1"}"#),
        status(500),
        json(r#"{"items":[{"n":2}],"cursor":null}"#),
        json(r#"{"items":[{"n":3}]}"#),
    ];
    let bench = Bench::over(Script::of(answers)).await;
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    bench.pull_in(&joined, &PROPERTIES, STATE).await.has_failed("HttpIngestFailed", "the answer is 500");
    bench.pull_in(&joined, &PROPERTIES, STATE).await.is_completed().gave(["n", "2"]).by(["keyBlank"]);
    // It was complete: the next one begins anew.
    bench.pull_in(&joined, &PROPERTIES, STATE).await.is_completed().gave(["n", "3"]);
    bench.server.saw(["GET /records", "GET /records?cursor=c1", "GET /records?cursor=c1", "GET /records"]);
}

#[tokio::test]
async fn what_was_kept_with_the_request_is_gone_with_it() {
    let answers = [json(r#"{"items":[{"n":1}],"cursor":"c1"}"#), status(500), json(r#"{"items":[{"n":1}]}"#)];
    let bench = Bench::over(Script::of(answers)).await;
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    let state = "<sessionState attribute=\"pull\" save=\"request\"/>";
    bench.pull_in(&joined, &PROPERTIES, state).await.has_failed("HttpIngestFailed", "the answer is 500");
    bench.pull_in(&joined, &PROPERTIES, state).await.is_completed().gave(["n", "1"]);
    bench.server.saw(["GET /records", "GET /records?cursor=c1", "GET /records"]);
}

#[tokio::test]
async fn a_poll_that_is_paused_goes_on_later() {
    let state = |state: &str| json(format!("{{\"state\":\"{state}\"}}"));
    let bench = Bench::over(Script::of([state("pending"), state("done")])).await;
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    let properties = [
        ("ms.source.uri", "/job"),
        ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"done"}}"#),
        ("ms.wait.timeout.seconds", "1"),
        ("ms.call.interval.millis", "5000"),
        ("rejoin.on.timeout", "continue"),
    ];
    bench.pull_in(&joined, &properties, STATE).await.is_completed().by(["timeout"]);
    bench.pull_in(&joined, &properties, STATE).await.is_completed().by(["condition"]);
}

#[tokio::test]
async fn answers_and_documents_come_as_they_were_written() {
    let body = r#"{"items":[{"n": 1.10}, {"n": 12345678901234567890.5}]}"#;
    let bench = Bench::over(Script::of([json(body)])).await;
    let document = "<httpIngest name=\"pull\"><property key=\"ms.source.uri\">/records</property>
        <property key=\"ms.data.field\">items</property><json name=\"documents\"/></httpIngest>";
    let reply = bench.context.perform(document).await;
    reply.is_completed();
    assert_eq!(lines(&reply, "documents"), [r#"{"n": 1.10}{"n": 12345678901234567890.5}"#]);
}
