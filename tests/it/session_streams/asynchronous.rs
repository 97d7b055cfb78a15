//! Requests that are answered before they are complete.

use futures_util::future::BoxFuture;
use rejoin::activity::{Activity, ActivityContext, ActivityError, Setup};
use rejoin::document::{DocumentError, ErrorKind, Fields, Status};

use super::{GET, OUTPUT, SET, THROUGH, begin, begin_in, ended, join, look, progress, put, reply};
use crate::context::Context;

const SEQUENCE: &str = "<sequence><sleep name=\"nap\" duration=\"PT10M\"/><echo name=\"say\"><text>x</text><output name=\"said\"/></echo></sequence>";

#[tokio::test]
async fn a_client_that_prefers_not_to_wait_is_answered_at_once() {
    let context = Context::new().await;
    let request = context.post(&format!("<session/>{SEQUENCE}")).header("prefer", "wait=5, respond-async");
    let answer = reply(request).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("location"), "/services/data/session");
    assert_eq!(answer.header("preference-applied"), "respond-async");
    assert_eq!(answer.header("rejoin-session"), answer.session_id());
    answer
        .says("<result name=\"nap\" status=\"PROCESSING\"/>")
        .says("<result name=\"say\" status=\"UNSTARTED\"/>")
        .says("<request status=\"PROCESSING\"/>");
    // It holds its session.
    let id = answer.session_id();
    context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.is_fault(423, "SessionInUse");
    let session = look(&context, &id).await;
    let [request] = &session.requests[..] else { panic!("{session:?}") };
    assert!(request.since.is_some());
    assert!(answer.text.contains(&format!("requestId=\"{}\"", request.id)));
    let progress = request.progress.as_ref().unwrap();
    let results = [("nap".to_owned(), Status::Processing), ("say".to_owned(), Status::Unstarted)];
    assert_eq!((progress.status, progress.ended, &progress.results[..]), (Status::Processing, None, &results[..]));
}

#[tokio::test]
async fn a_stream_that_somebody_has_to_reach_makes_a_request_asynchronous() {
    let context = Context::new().await;
    let answer = context.perform(THROUGH).await;
    assert_eq!((answer.status, answer.header("preference-applied")), (202, ""));
    assert_eq!(answer.header("rejoin-session"), answer.session_id(), "an implicit session too has to be reached");
}

#[tokio::test]
async fn what_an_asynchronous_request_changed_counts_when_it_is_complete() {
    let context = Context::new().await;
    let id = begin(&context, &format!("{SET}{THROUGH}")).await;
    let read = format!("<session id=\"{id}\" access=\"read\"/>{GET}");
    context.perform(&read).await.is_fault(422, "ActivityFailed").says("AttributeNotFound");
    assert_eq!(reply(put(&context, &id, "feed", "x")).await.status, 204);
    let completed = ended(&context, &id).await;
    assert_eq!((completed.status, completed.error), (Status::Completed, None));
    assert!(completed.ended.unwrap() >= completed.started);
    assert!(completed.results.iter().all(|(_, status)| *status == Status::Completed));
    context.perform(&read).await.is_completed();
    // It is told beside a request that holds the session after it.
    let holding = tokio::spawn(context.post(&format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", join(&id))).send());
    while look(&context, &id).await.requests.len() < 2 {}
    let session = look(&context, &id).await;
    assert!(session.requests[0].since.is_some() && session.requests[0].progress.is_none());
    assert_eq!(session.requests[1].progress.as_ref().unwrap().status, Status::Completed);
    holding.abort();
}

#[tokio::test]
async fn a_failure_is_told_by_the_session_and_changes_nothing_in_it() {
    let context = Context::new().await;
    let failing = "<sqlQueryStatement name=\"find\"><expression>SELECT * FROM nothing</expression><resultStream name=\"rows\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";
    let id = begin(&context, &format!("{SET}{failing}")).await;
    let failed = ended(&context, &id).await;
    let error = failed.error.unwrap();
    assert_eq!((failed.status, error.kind, error.code.as_str()), (Status::Error, ErrorKind::Client, "SqlError"));
    assert_eq!(error.location.unwrap().line, 2);
    assert_eq!(failed.results[1..], [("find".into(), Status::Error), ("format".into(), Status::Terminated)]);
    context.perform(&format!("{}{GET}", join(&id))).await.is_fault(422, "ActivityFailed");
}

#[tokio::test]
async fn a_later_request_takes_the_place_of_an_earlier_one() {
    let context = Context::new().await;
    let id = begin(&context, "<sleep name=\"first\" duration=\"PT0S\"/>").await;
    assert_eq!(ended(&context, &id).await.results[0].0, "first");
    begin_in(&context, &format!("{}<sleep name=\"second\" duration=\"PT0S\"/>", join(&id))).await;
    assert_eq!(ended(&context, &id).await.results[0].0, "second");
}

#[tokio::test]
async fn there_is_nothing_to_return_at_once() {
    let context = Context::new().await;
    context.raw(OUTPUT, "tap").await.is_fault(400, "RequestInvalid").says("?return");
    let echo = "<echo name=\"say\"><text>x</text><output name=\"said\"/></echo>";
    let prefers = context.post(echo).query(&[("return", "said")]).header("prefer", "respond-async");
    reply(prefers).await.is_fault(400, "RequestInvalid");
    let empty = reply(context.post("").header("prefer", "respond-async")).await;
    assert_eq!((empty.is_completed().status, empty.header("preference-applied")), (200, ""), "it is complete already");
}

#[tokio::test]
async fn what_is_refused_before_it_begins_is_no_asynchronous_request() {
    let context = Context::new().await;
    let id = context.create().await;
    let holding = begin_in(&context, &format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", join(&id))).await;
    let refused =
        context.post(&format!("<session id=\"{id}\" wait=\"0\"/>{THROUGH}")).header("prefer", "respond-async");
    reply(refused).await.is_fault(423, "SessionInUse");
    assert_eq!(progress(&context, &holding).await.results[0].0, "nap");
}

/// Panics where it is told to.
struct Panics;

#[async_trait::async_trait]
impl Activity for Panics {
    const ELEMENT: &'static str = "panics";

    fn parse(_: &mut Fields<'_>, _: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self)
    }

    async fn run(self, _: ActivityContext) -> Result<(), ActivityError> {
        panic!("on purpose, with a secret")
    }
}

/// Behaviour 18.
#[tokio::test]
async fn a_panic_is_told_without_its_detail_and_frees_the_session() {
    let context = Context::with(|builder, resource| builder.resource(resource).activity::<Panics>()).await;
    let id = begin(&context, "<panics name=\"p\"/>").await;
    let error = ended(&context, &id).await.error.unwrap();
    assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Server, "Panicked"));
    assert!(!error.message.contains("secret"));
    context.perform(&join(&id)).await.is_completed();
}

/// Panics before there is a future.
struct PanicsAtOnce;

impl Activity for PanicsAtOnce {
    const ELEMENT: &'static str = "panicsAtOnce";

    fn parse(_: &mut Fields<'_>, _: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self)
    }

    fn run<'run>(self, _: ActivityContext) -> BoxFuture<'run, Result<(), ActivityError>> {
        panic!("on purpose, with a secret")
    }
}

#[tokio::test]
async fn a_panic_before_there_is_a_future_is_one_of_the_activity_too() {
    let context = Context::with(|builder, resource| builder.resource(resource).activity::<PanicsAtOnce>()).await;
    let id = begin(&context, "<panicsAtOnce name=\"p\"/>").await;
    assert_eq!(ended(&context, &id).await.error.unwrap().code, "Panicked");
    // Together with the session that it would have begun.
    context.perform("<session/><panicsAtOnce name=\"p\"/>").await.is_fault(500, "Internal");
    let metrics = reply(context.client.get(format!("{}/metrics", context.server.url()))).await;
    metrics.says("rejoin_sessions{resource=\"data\",kind=\"explicit\"} 1\n");
}
