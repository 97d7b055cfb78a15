//! A job in several steps of one session: created, polled, fetched.

use std::time::Duration;

use super::{Bench, element, lines};
use crate::scripted::{Script, csv, json, pass};

const CREATE: [(&str, &str); 3] = [
    ("ms.source.uri", "/jobs/query"),
    ("ms.http.request.method", "POST"),
    ("ms.parameters", r#"[{"name":"query","value":"SELECT Id FROM Account"}]"#),
];
const ID: &str = r#"[{"path":"job","fields":["id"]}]"#;
const POLL: [(&str, &str); 4] = [
    ("ms.source.uri", "/jobs/query/{{id}}"),
    ("ms.secondary.input", ID),
    (
        "ms.session.key.field",
        r#"{"name":"state","condition":{"regexp":"JobComplete"},"failCondition":{"regexp":"Failed|Aborted"}}"#,
    ),
    ("ms.call.interval.millis", "61000"),
];
const FETCH: [(&str, &str); 6] = [
    ("ms.source.uri", "/jobs/query/{{id}}/results?maxRecords=2"),
    ("ms.secondary.input", ID),
    ("rejoin.format", "csv"),
    ("ms.csv", r#"{"linesToSkip":1,"columnHeaderIndex":0}"#),
    ("ms.session.key.field", r#"{"name":"Sforce-Locator","condition":{"regexp":"null"}}"#),
    ("ms.parameters", r#"[{"name":"locator","type":"session"}]"#),
];

/// Creates the job, and keeps what came in the session.
fn create() -> String {
    let ingest = element(&CREATE, "<sessionState attribute=\"created\"/>").replace("<decisions name=\"log\"/>", "");
    format!(
        "{ingest}<deliverToSession name=\"keep\"><fromLocal from=\"rows\"/><toSession attribute=\"job\"/></deliverToSession>"
    )
}

/// Asks with the columns of the job as variables; `part` tells the streams of steps of one document apart.
fn ask(part: &str, properties: &[(&str, &str)], outputs: &str) -> String {
    let take = "<deliverFromSession name=\"take\"><fromSession attribute=\"job\"/><toLocal name=\"job\"/></deliverFromSession>";
    let ingest = element(properties, "<secondary from=\"job\"/>");
    let ingest = ingest.replace("<records name=\"rows\"/><decisions name=\"log\"/>", outputs);
    let step = format!("{take}{ingest}");
    ["take", "pull", "job", "rows", "states"].iter().fold(step, |step, name| {
        step.replace(&format!("name=\"{name}\""), &format!("name=\"{name}{part}\""))
            .replace(&format!("from=\"{name}\""), &format!("from=\"{name}{part}\""))
    })
}

fn fetch(part: &str) -> String {
    let format = format!(
        "<sqlResultsToCSV name=\"a{part}\"><resultSet from=\"rows{part}\"/><csvOutput name=\"table\"/></sqlResultsToCSV>"
    );
    format!("{}{format}", ask(part, &FETCH, "<records name=\"rows\"/>"))
}

/// A job that ends in that state after two polls.
fn script(end: &str) -> Script {
    let state = |state: &str| json(format!("{{\"id\":\"750\",\"state\":\"{state}\"}}"));
    let page = |rows: &str, locator: &str| csv(format!("\"Id\"\n{rows}")).header("Sforce-Locator", locator);
    Script::default()
        .at("POST /jobs/query", [state("UploadComplete")])
        .at("GET /jobs/query/750", [state("InProgress"), state(end)])
        .at("GET /jobs/query/750/results", [page("1\n2\n", "MjAw"), page("3\n", "null")])
}

const CREATED: &str = r#"POST /jobs/query {"query":"SELECT Id FROM Account"}"#;
const POLLED: &str = "GET /jobs/query/750";
const FETCHED: [&str; 2] =
    ["GET /jobs/query/750/results?maxRecords=2", "GET /jobs/query/750/results?maxRecords=2&locator=MjAw"];

#[tokio::test]
async fn sf_a_job_is_created_polled_and_fetched_by_three_documents_of_one_session() {
    let bench = Bench::over(script("JobComplete")).await;
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    bench.context.perform(&format!("{joined}{}", create())).await.is_completed();
    let poll = format!("{joined}{}", ask("", &POLL, "<json name=\"states\"/>"));
    let (polled, ()) = tokio::join!(bench.context.perform(&poll), pass(&bench.clock, Duration::from_secs(61)));
    polled.is_completed();
    assert_eq!(lines(&polled, "states").len(), 2, "{}", polled.text);
    let fetched = bench.context.perform(&format!("{joined}{}", fetch(""))).await;
    assert_eq!(lines(&fetched, "table"), ["1", "2", "3"], "{}", fetched.text);
    bench.server.saw([CREATED, POLLED, POLLED, FETCHED[0], FETCHED[1]]);
}

/// All three steps in one document.
fn whole() -> String {
    format!(
        "<session/><sequence><flow>{}</flow><flow>{}</flow><flow>{}</flow></sequence>",
        create(),
        ask("1", &POLL, ""),
        fetch("2")
    )
}

#[tokio::test]
async fn sf_a_job_is_created_polled_and_fetched_by_the_steps_of_one_document() {
    let bench = Bench::over(script("JobComplete")).await;
    let document = whole();
    let (reply, ()) = tokio::join!(bench.context.perform(&document), pass(&bench.clock, Duration::from_secs(61)));
    assert_eq!(lines(&reply, "table"), ["1", "2", "3"], "{}", reply.text);
    bench.server.saw([CREATED, POLLED, POLLED, FETCHED[0], FETCHED[1]]);
}

#[tokio::test]
async fn sf_4_never_starts_when_the_job_was_aborted() {
    let bench = Bench::over(script("Aborted")).await;
    let document = whole();
    let (reply, ()) = tokio::join!(bench.context.perform(&document), pass(&bench.clock, Duration::from_secs(61)));
    reply.says("HttpIngestFailed").says("the failCondition holds of `Aborted`");
    bench.server.saw([CREATED, POLLED, POLLED]);
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_its_answer_and_asks_for_nothing() {
    let bench = Bench::over(Script::of([json(r#"[{"n":1}]"#), json(r#"[{"n":2}]"#)])).await;
    let id = bench.context.create().await;
    let ingest = element(&[("ms.source.uri", "/records")], "<sessionState attribute=\"pull\"/>");
    let document = format!(
        "<session id=\"{id}\"/>{}<sqlResultsToCSV name=\"a\"><resultSet from=\"rows\"/><csvOutput name=\"table\"/></sqlResultsToCSV>",
        ingest.replace("<decisions name=\"log\"/>", "")
    );
    for (key, row) in [("first", "1"), ("first", "1"), ("second", "2"), ("first", "1")] {
        let answer = bench.context.post(&document).header("idempotency-key", key).send().await.unwrap();
        let reply = crate::context::Reply::of(answer).await;
        assert_eq!(lines(&reply, "table"), [row], "{}", reply.text);
    }
    bench.server.saw(["GET /records"; 2]);
}
