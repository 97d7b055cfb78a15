//! Requests: documents, steps, streams, and such as go on.

use rejoin::client::{Credentials, DataService, EndPointName, Error, Request, SessionRequirement};
use rejoin::document::Status;
use rejoin::document::activities::{Echo, SqlQueryStatement, SqlResultsToArrow, SqlResultsToCsv};

use super::{code, service};
use crate::context::{Context, perform};

#[tokio::test]
async fn a_document_is_performed_as_it_was_written() {
    let context = Context::new().await;
    let service = service(&context).await;
    let document = perform("<echo name=\"say\"><text>a\r\n&lt;b&gt;</text><output name=\"said\"/></echo>");
    let request = Request::document(&document).unwrap();
    let response = service.perform(&request).await.unwrap();
    assert_eq!(response.text("said").unwrap(), "a\n<b>");
    assert_eq!((&*response.results()[0].name, response.results()[0].status), ("say", Status::Completed));
    let mut said = service.stream(&request, "said").await.unwrap();
    assert!(said.content_type().starts_with("text/plain"));
    assert_eq!(said.next_piece().await.unwrap().unwrap(), "a\n<b>");
    assert!(said.next_piece().await.unwrap().is_none());
    let error = response.text("nothing").unwrap_err().to_string();
    assert!(error.contains("`nothing`") && error.contains("`said`"), "{error}");
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_told_with_its_place() {
    let context = Context::new().await;
    let error = Request::document(perform("<echo/>")).unwrap_err();
    assert_eq!(error.position().unwrap().to_string(), "2:1");
    assert!(matches!(error, Error::Document(_)));

    let request =
        Request::document(perform("<echo name=\"say\">\n  <txt>hello</txt><output name=\"said\"/></echo>")).unwrap();
    let error = service(&context).await.perform(&request).await.unwrap_err();
    assert_eq!(error.position().unwrap().to_string(), "3:3");
    assert_eq!(error.failure().unwrap().activity.as_deref(), Some("say"));
    assert_eq!(error.code().unwrap().as_str(), "DocumentInvalid");
}

#[tokio::test]
async fn steps_run_side_by_side_or_one_after_the_other() {
    let context = Context::new().await;
    let service = service(&context).await;
    let mut request = Request::new();
    let (first, second) = request.sequence(|steps| {
        let first = steps.add(Echo::new("1"));
        (first, steps.flow(|steps| steps.add(Echo::new("2"))))
    });
    let third = request.add(Echo::new("3"));
    let response = service.perform(&request).await.unwrap();
    let texts = [&first, &second, &third].map(|name| response.text(name).unwrap());
    assert_eq!(texts, ["1", "2", "3"]);
}

#[tokio::test]
async fn steps_are_made_of_the_outputs_of_others() {
    let context = Context::new().await;
    let service = service(&context).await;
    let mut request = Request::new();
    let names = || SqlQueryStatement::new("SELECT name FROM customer WHERE id = ?");
    let rows = request.add(names().parameter(1));
    let csv = request.add(SqlResultsToCsv::of(rows).header(true));
    let rows = request.add(names().parameter(None::<i64>));
    let arrow = request.add(SqlResultsToArrow::of(rows));
    let response = service.perform(&request).await.unwrap();
    assert_eq!(response.text(&csv).unwrap(), "name\nAda\n");
    assert_eq!(response.structs::<String>(&arrow).unwrap(), Vec::<String>::new());
    let raw = service.stream(&request, &csv).await.unwrap().whole().await.unwrap();
    assert_eq!(raw, "name\nAda\n");
}

#[tokio::test]
async fn a_request_that_goes_on_is_followed_by_its_streams_and_its_progress() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    let mut saying = Request::new();
    let said = saying.add_named("say", Echo::new("hello"));
    let running = session.start(&saying).await.unwrap();
    assert_eq!(running.stream(said.end_point_name()).read().await.unwrap().whole().await.unwrap(), "hello");
    let progress = running.finished().await.unwrap();
    assert_eq!(progress.results[0], ("say".to_owned(), Status::Completed));

    let nap = Request::document(perform("<sleep name=\"nap\" duration=\"PT1H\"/>")).unwrap();
    let running = session.start(&nap).await.unwrap();
    assert_eq!(running.progress().await.unwrap().unwrap().status, Status::Processing);
    assert!(running.stop().await.unwrap());
    assert_eq!(code(running.finished().await), "RequestTerminated");
    session.end().await.unwrap();
}

#[tokio::test]
async fn data_flow_into_a_request_and_out_of_it() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    let request = Request::document(perform(
        "<inputStream name=\"feed\"><toLocal name=\"id\"/></inputStream>
         <sqlQueryStatement name=\"find\"><sqlParameter position=\"1\" from=\"id\"/>
           <expression>SELECT name FROM customer WHERE id = ?</expression><resultStream name=\"rows\"/></sqlQueryStatement>
         <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>",
    ))
    .unwrap();
    let running = session.start(&request).await.unwrap();
    let (feed, csv) = (running.stream("feed"), running.stream("csv"));
    feed.write_block("text/plain", "1").await.unwrap();
    feed.write_block("text/plain", "2").await.unwrap();
    let writing = async { feed.close().await.unwrap() };
    let reading = async { csv.read().await.unwrap().whole().await.unwrap() };
    let ((), names) = tokio::join!(writing, reading);
    assert_eq!(names, "Ada\nCarl & Co\n");
    running.finished().await.unwrap();

    let running = session.start(&request).await.unwrap();
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("3")]);
    running.stream("feed").write_stream("text/plain", pieces).await.unwrap();
    let mut said = Vec::new();
    loop {
        let blocks = running.stream("csv").read_blocks(1).await.unwrap();
        said.extend_from_slice(&blocks.data);
        if blocks.has_ended {
            break;
        }
    }
    assert_eq!(said, b"<Grace>\n");
    session.end().await.unwrap();
}

#[tokio::test]
async fn a_request_that_goes_on_may_have_a_session_of_its_own() {
    let context = Context::new().await;
    let mut saying = Request::new();
    let said = saying.add_named("say", Echo::new("hello"));
    let running = service(&context).await.start(&saying).await.unwrap();
    assert_eq!(running.stream(said.end_point_name()).read().await.unwrap().whole().await.unwrap(), "hello");
    assert_eq!(running.finished().await.unwrap().status, Status::Completed);
    running.session().clone().end().await.unwrap();

    let refused = service(&context).await.start(&Request::document(perform("<nothing name=\"n\"/>")).unwrap()).await;
    assert_eq!(code(refused), "UnknownActivity");
}

#[tokio::test]
async fn what_is_no_name_of_a_stream_is_not_sent() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    for name in ["", ".", ".."] {
        let error = session.stream(name).discard().await.unwrap_err();
        assert!(matches!(error, Error::Setting(_)), "{error}");
    }
    assert_eq!(code(session.stream("a/b?c").discard().await), "StreamNotFound");
}

#[test]
fn secrets_are_not_shown() {
    let document =
        perform("<session id=\"q0ZkSecret\"/><echo name=\"say\"><text>x</text><output name=\"said\"/></echo>");
    let request = Request::document(document).unwrap().key("8e03978e-40d5-43e8-bc93-6894a57f9324");
    let join = Request::new().session(SessionRequirement::join("q0ZkSecret"));
    let shown = format!("{request:?}{join:?}");
    assert!(!shown.contains("Secret") && !shown.contains("8e03978e") && shown.contains("echo"), "{shown}");
    let builder = DataService::builder("http://127.0.0.1:1", "data").credentials(Credentials::bearer("a-secret-token"));
    let service = builder.clone().build().unwrap();
    let session = service.join("q0ZkSecret");
    let shown = format!("{builder:?}{service:?}{session:?}{:?}{:?}", session.stream("tap"), session.query("SELECT 1"));
    assert!(!shown.contains("ecret"), "{shown}");
}
