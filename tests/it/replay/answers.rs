//! What is told again: answers of every form and size.

use rejoin::document::SessionConfiguration;

use super::{KEY, VISIT, keyed, send, visit, visits};
use crate::context::{Context, Reply};

/// So many numbers, each a line of 51 bytes; the query fails at `fails_at`.
fn numbers(lines: u32, fails_at: u32) -> String {
    format!(
        "<sqlQueryStatement name=\"find\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
         SELECT printf('%050d', CASE WHEN i = {fails_at} THEN abs(-9223372036854775807 - 1) ELSE i END) FROM n LIMIT {lines}
         </expression><resultStream name=\"rows\"/></sqlQueryStatement>
         <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
    )
}

/// The CSV of so many numbers is larger than what is held back, and small enough to be kept.
const STREAMED: u32 = 3_000;

/// And this is too large to be kept.
const LARGE: u32 = 20_000;

async fn with_answers_of(bytes: u64) -> Context {
    let mut session = SessionConfiguration::default();
    session.replay.answer_bytes = bytes;
    Context::with(|builder, resource| builder.resource(resource.session(session))).await
}

/// Sends a request for the raw CSV.
async fn raw(context: &Context, content: &str, key: &str) -> Reply {
    send(context.post(content).query(&[("return", "csv")]).header("idempotency-key", key)).await
}

#[tokio::test]
async fn an_answer_that_streamed_is_told_again_to_the_last_byte() {
    let context = Context::new().await;
    let id = context.create().await;
    let document = format!("{}{}", visit(&id), numbers(STREAMED, 0));
    let first = keyed(&context, &document, "k").await;
    first.is_completed().says("<result name=\"csv\" status=\"PROCESSING\"");
    assert!(first.text.len() > 100_000);
    keyed(&context, &document, "k").await.replays(&first);
    let bytes = raw(&context, &document, "raw").await;
    assert_eq!((bytes.status, bytes.text.lines().count()), (200, 3_000));
    let again = raw(&context, &document, "raw").await;
    again.replays(&bytes);
    assert_eq!(again.header("rejoin-session"), id);
    assert_eq!(again.header("rejoin-request-status"), "COMPLETED");
    assert_eq!(visits(&context, &id).await, 2);
}

#[tokio::test]
async fn an_answer_too_large_to_be_kept_is_remembered_as_done() {
    let context = Context::new().await;
    let id = context.create().await;
    let document = format!("{}{}", visit(&id), numbers(LARGE, 0));
    let first = keyed(&context, &document, "k").await;
    first.is_completed();
    for _ in 0..2 {
        let again = keyed(&context, &document, "k").await;
        assert_eq!((again.status, again.is_replayed()), (200, true), "{again:?}");
        assert_eq!(again.session_id(), id);
        again.says("<request status=\"COMPLETED\" resultsKept=\"false\"/>");
        assert_eq!(
            again.text.split_once("requestId=").unwrap().1[..38],
            first.text.split_once("requestId=").unwrap().1[..38]
        );
    }
    assert_eq!(visits(&context, &id).await, 1);
    // The bytes of an end-point have no place to say so.
    assert_eq!(raw(&context, &document, "raw").await.text.lines().count(), 20_000);
    let again = raw(&context, &document, "raw").await;
    again.is_fault(409, "ResultsNotKept").says("retryable=\"false\"");
    assert!(again.is_replayed());
    assert_eq!(visits(&context, &id).await, 3);
}

#[tokio::test]
async fn where_no_bytes_are_to_be_kept_it_is_remembered_that_it_was_done() {
    let context = with_answers_of(0).await;
    let id = context.create().await;
    keyed(&context, &visit(&id), "k").await.is_completed();
    keyed(&context, &visit(&id), "k").await.says("resultsKept=\"false\"");
    let created = keyed(&context, &format!("<session/>{VISIT}"), KEY).await;
    let again = keyed(&context, &format!("<session/>{VISIT}"), KEY).await;
    assert_eq!(again.session_id(), created.session_id());
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn a_failure_midway_is_told_again_as_it_was_told() {
    let context = Context::new().await;
    let id = context.create().await;
    let document = format!("{}{}", visit(&id), numbers(STREAMED, 2_900));
    let first = keyed(&context, &document, "k").await;
    assert_eq!(first.status, 200);
    first.says("<request status=\"ERROR\">");
    keyed(&context, &document, "k").await.replays(&first);
    // Of a transfer that broke off there is nothing to be told again but why.
    let request = context.post(&document).query(&[("return", "csv")]).header("idempotency-key", "raw");
    let broken = match request.send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
    let again = raw(&context, &document, "raw").await;
    again.is_fault(422, "ActivityFailed").says("integer overflow");
    assert!(again.is_replayed());
    // One that was too large says that it failed.
    let large = format!("{}{}", visit(&id), numbers(LARGE, 19_000));
    keyed(&context, &large, "large").await.says("<request status=\"ERROR\">");
    keyed(&context, &large, "large").await.says("<request status=\"ERROR\" resultsKept=\"false\"><error");
    assert_eq!(visits(&context, &id).await, 0);
}

#[tokio::test]
async fn a_fault_is_told_again_in_the_form_in_which_it_was_wanted() {
    let context = Context::new().await;
    let id = context.create().await;
    let failing = format!("{}<refuse name=\"no\"><message>no</message></refuse>", visit(&id));
    let json = || {
        let request = context.post(&failing).header("accept", "application/problem+json");
        send(request.header("idempotency-key", "k"))
    };
    let first = json().await;
    assert_eq!(first.header("content-type"), "application/problem+json");
    json().await.replays(&first);
}

#[tokio::test]
async fn a_request_without_activities_is_told_again() {
    let context = Context::new().await;
    let created = keyed(&context, "<session timeout=\"5000\"/>", KEY).await;
    created.is_completed().says("timeout=\"5000\"");
    keyed(&context, "<session timeout=\"5000\"/>", KEY).await.replays(&created);
    let id = created.session_id();
    let touched = keyed(&context, &format!("<session id=\"{id}\"/>"), "k").await;
    keyed(&context, &format!("<session id=\"{id}\"/>"), "k").await.replays(&touched);
}

#[tokio::test]
async fn a_request_that_reads_is_told_what_it_read() {
    let context = Context::new().await;
    let id = context.create().await;
    context.perform(&visit(&id)).await.is_completed();
    let get = "<sessionAttributeManagement name=\"g\"><getAttribute name=\"visits\"/><output name=\"o\"/></sessionAttributeManagement>";
    let read = format!("<session id=\"{id}\" access=\"read\"/>{get}");
    let first = keyed(&context, &read, "k").await;
    first.is_completed().says(">1</attribute>");
    context.perform(&visit(&id)).await.is_completed();
    keyed(&context, &read, "k").await.replays(&first);
}

#[tokio::test]
async fn an_asynchronous_request_is_accepted_once() {
    let context = Context::new().await;
    // Without an end-point, which would be a stream that somebody has to read.
    let quiet = VISIT.replace("<output name=\"n\"/>", "");
    let nap = format!("<session/>{quiet}<sleep name=\"nap\" duration=\"PT0.3S\"/>");
    let begin = || send(context.post(&nap).header("prefer", "respond-async").header("idempotency-key", KEY));
    let first = begin().await;
    assert_eq!(first.status, 202, "{}", first.text);
    let id = first.session_id();
    // While it runs, and when it is done: where to look is what its client wants to know.
    let again = begin().await;
    again.replays(&first);
    for name in ["location", "preference-applied", "rejoin-session"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(visits(&context, &id).await, 1);
    begin().await.replays(&first);
    // It is the same in a session, and by number.
    let numbered = format!("<session id=\"{id}\" sequence=\"1\"/>{quiet}<sleep name=\"nap\" duration=\"PT0.3S\"/>");
    let begin = || send(context.post(&numbered).header("prefer", "respond-async"));
    let first = begin().await;
    assert_eq!(first.status, 202, "{}", first.text);
    begin().await.replays(&first);
    context.perform(&format!("<session id=\"{id}\" sequence=\"2\"/>{VISIT}")).await.is_completed();
    assert_eq!(visits(&context, &id).await, 4);
}
