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
    assert_eq!(lines(&reply, "documents"), [r#"{"n": 1.10}"#, r#"{"n": 12345678901234567890.5}"#], "one to a line");
}

#[tokio::test]
async fn units_that_are_complete_are_not_asked_for_again() {
    let rows = "<echo name=\"given\"><text>id\n1\n2\n</text><output name=\"text\"/></echo>
        <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"units\"/><includeHeader value=\"true\"/></csvToRows>";
    let script = Script::default().at("/one", [json(r#"[{"n":1}]"#)]).at("/two", [status(500), json(r#"[{"n":2}]"#)]);
    let bench = Bench::over(script).await;
    let id = bench.context.create().await;
    let properties = [("ms.source.uri", "/{{id}}"), ("ms.work.unit.parallelism.max", "1")];
    let rows = rows.replace("1\n2", "one\ntwo");
    let before = format!("<session id=\"{id}\"/>{rows}");
    let state = format!("{STATE}<secondary from=\"units\"/>");
    bench.pull_in(&before, &properties, &state).await.is_completed().gave(["n", "1"]);
    bench.pull_in(&before, &properties, &state).await.is_completed().gave(["n", "2"]);
    bench.server.saw(["GET /one", "GET /two", "GET /two"]);
}

#[tokio::test]
async fn a_request_that_creates_is_not_sent_again_when_nobody_knows_what_became_of_it() {
    let bench = Bench::over(Script::of([json("{}").never(), json(r#"{"id":7}"#)])).await;
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    let properties = [("ms.source.uri", "/jobs"), ("ms.http.request.method", "POST")];
    let document = format!("{joined}{}", super::element(&properties, STATE));
    let request = bench.context.post(&document.replace("<records name=\"rows\"/><decisions name=\"log\"/>", ""));
    let sending = tokio::spawn(request.send());
    bench.server.asked(1).await;
    // Its client leaves, and the request with it.
    sending.abort();
    bench.server.abandoned(1).await;
    let pulled = bench.pull_in(&joined, &properties, STATE).await;
    pulled.has_failed("HttpIngestUnreachable", "what became of it is not known");
    bench.server.saw(["POST /jobs {}"]);
}
