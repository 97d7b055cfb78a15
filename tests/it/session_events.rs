//! What the log says of sessions.

use std::sync::Arc;

use async_trait::async_trait;
use rejoin::activity::{Activity, ActivityContext, ActivityError, Setup};
use rejoin::document::{DURABLE_FACTORY, DocumentError, Fields, SessionConfiguration, StoreSettings};
use rejoin::service::{ConfiguredResource, Server};
use rejoin::session::{
    AttributeValue, CloseError, LiveAttribute, SessionListener, SessionLog, StoreError, StoreEvent, StoreOperation,
};
use serde_json::Value;

use crate::caught_log::CaughtLog;
use crate::context::Context;

/// The events of sessions.
fn events(log: &CaughtLog) -> Vec<Value> {
    lines(log).into_iter().filter(|event| event["target"] == "rejoin::session").collect()
}

fn lines(log: &CaughtLog) -> Vec<Value> {
    log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn field<'a>(event: &'a Value, name: &str) -> &'a str {
    event["fields"][name].as_str().unwrap_or_default()
}

fn is_handle(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok_and(|uuid| uuid.get_version_num() == 7)
}

#[tokio::test]
async fn events_come_in_order_with_handle_and_request() {
    // Behaviours 49 and 67.
    let log = CaughtLog::as_json();
    let context = Context::new().await;
    let first = context.perform("<session/><echo name=\"e\"><text>x</text></echo>").await;
    let id = first.is_completed().session_id();
    let last = context.perform(&format!("<session id=\"{id}\" mode=\"terminate\"/>")).await;
    context.perform(&format!("<session id=\"{id}\"/>")).await.is_fault(410, "SessionEnded");
    let events = events(&log);
    let names: Vec<&str> = events.iter().map(|event| field(event, "event")).collect();
    assert_eq!(
        names,
        [
            "session.start",
            "session.joined",
            "session.released",
            "session.joined",
            "session.released",
            "session.end",
            "session.denied"
        ]
    );
    let handle = field(&events[0], "session");
    assert!(is_handle(handle), "{handle}");
    assert!(
        events[..6].iter().all(|event| field(event, "session") == handle && field(event, "owner") == "(anonymous)")
    );
    let levels: Vec<&str> = events.iter().map(|event| event["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["INFO", "DEBUG", "DEBUG", "DEBUG", "DEBUG", "INFO", "DEBUG"]);
    let requests = [first.header("rejoin-request-id"), last.header("rejoin-request-id")];
    assert_eq!(
        events[1..5].iter().map(|event| field(event, "request")).collect::<Vec<_>>(),
        [requests[0], requests[0], requests[1], requests[1]]
    );
    assert_eq!((field(&events[5], "reason"), field(&events[6], "reason")), ("terminated", "SessionEnded"));
    assert!(events[1]["fields"]["waited_ms"].is_u64() && events[2]["fields"]["held_ms"].is_u64());
    assert_eq!(field(&events[6], "session"), "");
    assert!(!log.text().contains(&id));
}

#[tokio::test]
async fn every_line_of_a_request_names_the_request_and_once_joined_the_session() {
    // Behaviour 67.
    let log = CaughtLog::as_json();
    let context = Context::new().await;
    let reply = context.perform("<session/><echo name=\"e\"><text>x</text></echo>").await;
    let handle = field(&events(&log)[0], "session").to_owned();
    let lines: Vec<Value> = lines(&log);
    let released = lines.iter().position(|line| field(line, "event") == "session.released").unwrap();
    let spans = &lines[released]["spans"];
    assert_eq!(spans[0]["name"], "perform");
    assert_eq!(spans[0]["request_id"], reply.header("rejoin-request-id"));
    assert_eq!(spans[0]["session"], handle.as_str());
    let answered = lines.iter().find(|line| field(line, "message") == "answered").unwrap();
    assert_eq!(answered["spans"][0]["session"], handle.as_str());
}

#[tokio::test]
async fn an_id_that_is_used_again_is_a_warning() {
    let log = CaughtLog::as_json();
    let context = Context::new().await;
    let id = context.create().await;
    let rotated = context.perform(&format!("<session id=\"{id}\" rotate=\"true\"/>")).await.session_id();
    context.perform(&format!("<session id=\"{rotated}\"/>")).await.is_completed();
    context.perform(&format!("<session id=\"{id}\"/>")).await;
    let events = events(&log);
    let reused = events.iter().find(|event| field(event, "event") == "session.id_reused");
    if let Some(event) = reused {
        assert_eq!(event["level"], "WARN");
        assert!(is_handle(field(event, "session")));
    } else {
        panic!("{events:#?}");
    }
    assert!(!log.text().contains(&id) && !log.text().contains(&rotated));
}

/// What can't be closed.
#[derive(Debug)]
struct Stuck;

impl LiveAttribute for Stuck {
    fn type_name(&self) -> &'static str {
        "stuck"
    }

    fn close(&self) -> Result<(), CloseError> {
        Err("the door is stuck".into())
    }
}

/// `<keepStuck name="k"/>` leaves such a thing in the session.
struct KeepStuck;

#[async_trait]
impl Activity for KeepStuck {
    const ELEMENT: &'static str = "keepStuck";

    fn parse(_: &mut Fields<'_>, _: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self)
    }

    async fn run(self, context: ActivityContext) -> Result<(), ActivityError> {
        context.session().set("door", AttributeValue::Live(Arc::new(Stuck)))?;
        Ok(())
    }
}

#[tokio::test]
async fn what_cannot_be_closed_is_told_with_the_handle_of_its_session() {
    // Behaviour 42: errors are logged, and not lost.
    let log = CaughtLog::as_json();
    let context = Context::with(|builder, resource| builder.resource(resource).activity::<KeepStuck>()).await;
    let id = context.perform("<session/><keepStuck name=\"k\"/>").await.is_completed().session_id();
    context.perform(&format!("<session id=\"{id}\" mode=\"terminate\"/>")).await.is_completed();
    let lines: Vec<Value> = lines(&log);
    let told = lines.iter().find(|line| field(line, "message") == "closing a session attribute failed");
    let Some(told) = told else { panic!("{lines:#?}") };
    assert_eq!((told["level"].as_str(), field(told, "error")), (Some("WARN"), "the door is stuck"));
    assert_eq!((field(told, "attribute"), is_handle(field(told, "session"))), ("stuck", true));
}

#[test]
fn what_a_store_does_is_told_with_its_resource() {
    let log = CaughtLog::as_json();
    let folder = tempfile::tempdir().unwrap();
    let mut builder = Server::builder();
    for name in ["orders", "ledger"] {
        let store = Some(StoreSettings { path: name.into(), full: false });
        let session = SessionConfiguration { factory: DURABLE_FACTORY.into(), store, ..Default::default() };
        builder = builder.resource(ConfiguredResource::new(name, folder.path()).session(session));
    }
    let _server = builder.build().unwrap();
    let failed = StoreEvent::Failed { operation: StoreOperation::Commit, error: &StoreError::Full };
    SessionLog::of("orders").store(failed);
    SessionLog::default().store(failed);
    let events: Vec<Value> =
        lines(&log).into_iter().filter(|line| field(line, "event").starts_with("store.")).collect();
    let told: Vec<_> = events.iter().map(|event| [field(event, "event"), field(event, "resource")].join(" ")).collect();
    assert_eq!(told, ["store.recovered orders", "store.recovered ledger", "store.failed orders", "store.failed "]);
}
