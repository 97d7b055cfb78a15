//! Jobs that come to their end.

use super::*;

#[tokio::test]
async fn a_job_is_created_polled_fetched_and_cleaned_up() {
    let bench = Bench::over(service()).await;
    let reply = bench.perform_while(&told(&job("", "")), &[5000]).await;
    reply.is_completed();
    assert_eq!(lines(&reply, "table"), ["1", "2"]);
    bench.server.saw([CREATED, POLLED, POLLED, FETCHED, "GET /jobs/7/results?locator=MTAw", CLEANED]);
    let expected = [
        "create oneAnswer complete",
        "poll poll again",
        "poll condition complete",
        "fetch poll again",
        "fetch condition complete",
        "cleanUp warning complete",
    ];
    assert_eq!(decisions(&reply), expected, "{}", reply.text);
}

#[tokio::test]
async fn a_job_leaves_nothing_in_its_session_and_the_next_one_begins_anew() {
    let script = service().at("POST /jobs", [created()]).at("GET /jobs/7", [state("JobComplete")]);
    let script = script.at("GET /jobs/7/results", [page("3", "null")]).at("DELETE /jobs/7", [status(204)]);
    let bench = Bench::over(script).await;
    let id = bench.context.create().await;
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", STATE)));
    bench.perform_while(&document, &[5000]).await.is_completed();
    let list = "<sessionAttributeManagement name=\"list\"><listAttributes/><output name=\"all\"/></sessionAttributeManagement>";
    let listed = bench.context.perform(&format!("<session id=\"{id}\"/>{list}")).await;
    assert!(!listed.text.contains("name=\"job\""), "{}", listed.text);
    let reply = bench.context.perform(&document).await;
    assert_eq!(lines(&reply, "table"), ["3"], "{}", reply.text);
}

#[tokio::test]
async fn a_job_needs_no_more_than_a_creation_and_a_poll() {
    let script = Script::default()
        .at("POST /syncs", [status(201).header("Location", "/syncs/6")])
        .at("GET /syncs/6", [json(r#"{"status":"success"}"#)]);
    let bench = Bench::over(script).await;
    let create = r#"<create><property key="ms.source.uri">/syncs</property>
        <property key="ms.http.request.method">POST</property>
        <variable name="sync" header="location" match="/syncs/([0-9]+)$"/></create>"#;
    let poll = r#"<poll><property key="ms.source.uri">/syncs/{{sync}}</property>
        <property key="rejoin.stop.when">["body.status == 'success'"]</property></poll>"#;
    let document = format!("<httpJob name=\"sync\">{create}{poll}</httpJob>");
    bench.context.perform(&document).await.is_completed();
    bench.server.saw(["POST /syncs {}", "GET /syncs/6"]);
}

#[tokio::test]
async fn what_the_poll_has_brought_says_where_the_results_are() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [json(r#"{"state":"JobComplete","files":["/files/9?part=1"]}"#)])
        .at("GET /files/9", [json(r#"[{"n":1}]"#)]);
    let bench = Bench::over(script).await;
    let poll = POLL.replace("</poll>", "<variable name=\"file\" path=\"files.0\"/></poll>");
    let fetch = r#"<fetch><property key="ms.source.uri">{{file}}</property></fetch>"#;
    let reply = bench.context.perform(&told(&job_of("", &[CREATE, &poll, fetch], ""))).await;
    assert_eq!(lines(&reply, "table"), ["1"], "{}", reply.text);
    bench.server.saw([CREATED, POLLED, "GET /files/9?part=1"]);
}

#[tokio::test]
async fn a_clean_up_that_fails_is_told_and_nothing_else() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [state("JobComplete")])
        .at("GET /jobs/7/results", [page("1", "null")])
        .at("DELETE /jobs/7", [status(500)]);
    let bench = Bench::over(script).await;
    let reply = bench.context.perform(&told(&job("", ""))).await;
    reply.is_completed();
    assert_eq!(lines(&reply, "table"), ["1"]);
    assert_eq!(decisions(&reply).last().unwrap(), "cleanUp errorStatus fail", "{}", reply.text);
    reply.says("the answer is 500");
    bench.server.saw([CREATED, POLLED, FETCHED, CLEANED]);
}

#[tokio::test]
async fn a_clean_up_that_is_never_answered_is_waited_for_no_longer_than_ten_seconds() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [state("JobComplete")])
        .at("GET /jobs/7/results", [page("1", "null")])
        .at("DELETE /jobs/7", [status(204).never()]);
    let bench = Bench::over(script).await;
    let reply = bench.perform_while(&told(&job("", "")), &[10_000]).await;
    reply.is_completed();
    assert_eq!(lines(&reply, "table"), ["1"]);
}
