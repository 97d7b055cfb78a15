//! What is between a program and its service, or stands in its place, says what it likes: nothing of it is taken for an answer, and
//! nothing secret goes elsewhere.

use std::time::Duration;

use rejoin::client::{Credentials, DataService, Error, Request};
use rejoin::document::Fault;
use rejoin::document::activities::Echo;

use crate::context::perform;
use crate::scripted::{Answer, Script, ScriptedServer, status};

/// The head of every answer of a data service.
fn of_a_service(answer: Answer) -> Answer {
    answer.header("rejoin-request-id", "0193")
}

fn fault(code: &str, status_code: u16, retry_after: Option<u32>) -> Answer {
    let fault = Fault { retryable: retry_after.is_some(), retry_after, ..Fault::new(code, status_code, "0193", "no") };
    of_a_service(status(status_code)).header("content-type", "application/xml").body(fault.to_xml())
}

/// What an update is answered with.
fn changed(rows: u64) -> Answer {
    of_a_service(status(200)).header("content-type", "text/xml").body(format!("<updateCount>{rows}</updateCount>"))
}

fn service(server: &ScriptedServer) -> DataService {
    let builder = DataService::builder(&server.url(), "data").patience(Duration::from_secs(20));
    builder.credentials(Credentials::bearer("a-token")).build().unwrap()
}

#[tokio::test]
async fn nobody_is_followed_elsewhere() {
    let elsewhere = ScriptedServer::start(Script::of([])).await;
    for code in [301, 302, 303, 307, 308] {
        let redirect = status(code).header("location", &elsewhere.url());
        let server = ScriptedServer::start(Script::by(move |_| redirect.clone())).await;
        let error = service(&server).query("SELECT 1").batches().await.unwrap_err();
        assert!(matches!(error, Error::Unexpected(_)), "{error}");
        let error = service(&server).update("DELETE FROM customer").run().await.unwrap_err();
        assert!(matches!(error, Error::Unexpected(_)), "{error}");
        assert_eq!(server.count(), 2);
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn a_request_is_sent_again_byte_by_byte_and_with_its_key() {
    let refusals = [fault("ServerBusy", 503, Some(0)), status(504), status(200).reset(), status(502).reset_after(0)];
    let server = ScriptedServer::start(Script::of(refusals.into_iter().chain([changed(3)]))).await;
    assert_eq!(service(&server).update("DELETE FROM customer").run().await.unwrap(), 3);
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    for request in &requests {
        assert!(request.header("idempotency-key").is_some_and(|key| key.len() == 38), "{request:?}");
        assert_eq!((&request.headers, &request.body), (&requests[0].headers, &requests[0].body));
    }
    let others = ScriptedServer::start(Script::of([changed(1), changed(1)])).await;
    for _ in 0..2 {
        service(&others).update("DELETE FROM customer").run().await.unwrap();
    }
    let keys: Vec<_> = others.requests().iter().map(|request| request.header("idempotency-key")).collect();
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn what_is_not_retryable_is_asked_once() {
    for (code, status_code) in
        [("ActivityFailed", 422), ("Internal", 500), ("DataResourceUnavailable", 502), ("X", 503)]
    {
        let server = ScriptedServer::start(Script::of([fault(code, status_code, None)])).await;
        let error = service(&server).update("DELETE FROM customer").run().await.unwrap_err();
        assert_eq!(error.code().map(ToString::to_string).as_deref(), Some(code));
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_pause_longer_than_patience_is_not_waited_for() {
    let server = ScriptedServer::start(Script::of([fault("ServerBusy", 503, Some(3600))])).await;
    let error = service(&server).query("SELECT 1").batches().await.unwrap_err();
    assert_eq!(error.failure().unwrap().retry_after, Some(Duration::from_hours(1)));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn an_error_of_somebody_between_leaves_open_whether_a_change_was_made() {
    let server = ScriptedServer::start(Script::by(|_| status(500).body("<html>oh</html>"))).await;
    let error = service(&server).update("DELETE FROM customer").run().await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    let error = service(&server).query("SELECT 1").batches().await.unwrap_err();
    assert!(matches!(error, Error::Unexpected(_)), "{error}");
}

#[tokio::test]
async fn what_is_no_answer_is_not_taken_for_one() {
    let answers = [
        status(200).body("<html/>"),
        of_a_service(status(200)).body("<html/>"),
        of_a_service(status(200)).body("<updateCount>many</updateCount>"),
        of_a_service(status(200)).body(b"<response>\xff\xfe".to_vec()),
        of_a_service(status(200)).header("content-encoding", "gzip").body("?"),
        of_a_service(status(200)).body("x").times(100),
    ];
    for answer in answers {
        let server = ScriptedServer::start(Script::by(move |_| answer.clone())).await;
        let service = DataService::builder(&server.url(), "data").answer_bytes(64).build().unwrap();
        let mut request = Request::new();
        request.add(Echo::new("hello"));
        let error = service.perform(&request).await.unwrap_err();
        assert!(matches!(error, Error::Unexpected(_)), "{error}");
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_counts_as_lost_when_its_time_is_over() {
    let server = ScriptedServer::start(Script::of([status(200).never(), changed(3)])).await;
    let builder = DataService::builder(&server.url(), "data").answer_within(Duration::from_secs(1));
    assert_eq!(builder.build().unwrap().update("DELETE FROM customer").run().await.unwrap(), 3);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn rows_that_break_off_are_an_error_and_then_nothing() {
    let half = of_a_service(status(200)).header("content-type", "text/csv").body("id\n1\n2\n").reset_after(5);
    let server = ScriptedServer::start(Script::of([half])).await;
    let request = Request::document(perform("<echo name=\"say\"><text>x</text><output name=\"csv\"/></echo>")).unwrap();
    let mut csv = service(&server).stream(&request, "csv").await.unwrap();
    let mut read = Vec::new();
    let error = loop {
        match csv.next_piece().await {
            Ok(piece) => read.extend_from_slice(&piece.expect("it does not look whole")),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::BrokenOff { .. }) && read.len() <= 5, "{error}");
    assert!(csv.next_piece().await.unwrap().is_none());
}

#[tokio::test]
async fn patience_may_last_for_ever() {
    let server = ScriptedServer::start(Script::of([status(200).reset(), changed(3)])).await;
    let service = DataService::builder(&server.url(), "data").patience(Duration::MAX).build().unwrap();
    assert_eq!(service.update("DELETE FROM customer").run().await.unwrap(), 3);
}

#[tokio::test]
async fn a_key_that_no_service_takes_is_not_sent() {
    let server = ScriptedServer::start(Script::of([])).await;
    for key in ["", "schlüssel", "a\nb", &"x".repeat(256)] {
        let error = service(&server).perform(&Request::new().key(key)).await.unwrap_err();
        assert!(matches!(error, Error::Setting(_)), "{error}");
    }
    assert_eq!(server.count(), 0);
}
