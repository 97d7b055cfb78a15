//! Clients that lose their connections before, in and after the answer.

use std::time::Duration;

use rejoin::document::SessionConfiguration;
use rejoin::service::{ConfiguredResource, ServerBuilder};
use rejoin::session::ManualClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{KEY, VISIT, keyed, visit, visits};
use crate::context::{Context, Reply, perform};

/// A connection on which a request with a key was sent.
async fn sent(context: &Context, content: &str, key: &str) -> TcpStream {
    let body = perform(content);
    let head = format!(
        "POST /services/data HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/xml\r\nidempotency-key: {key}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(context.server.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

/// Asks for the answer until it is there.
async fn answer(context: &Context, content: &str, key: &str) -> Reply {
    loop {
        let reply = keyed(context, content, key).await;
        if reply.status != 409 {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until_held(context: &Context, id: &str) {
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
}

#[tokio::test]
async fn a_request_whose_client_left_before_the_answer_goes_on_and_is_told() {
    // Behaviour 57.
    let context = Context::new().await;
    let id = context.create().await;
    let slow = format!("{}<sleep name=\"nap\" duration=\"PT0.3S\"/>", visit(&id));
    let connection = sent(&context, &slow, "k").await;
    until_held(&context, &id).await;
    drop(connection);
    let told = answer(&context, &slow, "k").await;
    told.is_completed();
    assert!(told.is_replayed());
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn a_request_whose_client_left_while_it_waited_for_its_session_runs_all_the_same() {
    let context = Context::new().await;
    let id = context.create().await;
    let nap = format!("<session id=\"{id}\"/><sleep name=\"nap\" duration=\"PT0.3S\"/>");
    let holder = tokio::spawn(context.post(&nap).send());
    until_held(&context, &id).await;
    let connection = sent(&context, &visit(&id), "k").await;
    while keyed(&context, &visit(&id), "k").await.status != 409 {}
    drop(connection);
    assert!(answer(&context, &visit(&id), "k").await.is_completed().is_replayed());
    Reply::of(holder.await.unwrap().unwrap()).await.is_completed();
    assert_eq!(visits(&context, &id).await, 1);
}

/// A request with more to say than fits into the buffers of a connection.
fn large(content: &str) -> String {
    format!(
        "{content}<sqlQueryStatement name=\"find\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
         SELECT printf('%050d', i) FROM n LIMIT 300000</expression><resultStream name=\"rows\"/></sqlQueryStatement>
         <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
    )
}

/// Reads the beginning of an answer.
async fn begun(connection: &mut TcpStream) {
    let mut beginning = [0; 4096];
    connection.read_exact(&mut beginning).await.unwrap();
    assert!(beginning.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_whose_client_stops_reading_its_answer_does_not_hold_the_session() {
    // Behaviour 57.
    let clock = ManualClock::new();
    let mut session = SessionConfiguration::default();
    session.join.execution = None;
    let configure = |builder: ServerBuilder, resource: ConfiguredResource| builder.resource(resource.session(session));
    let context = Context::with(|builder, resource| configure(builder.clock(clock.clone()), resource)).await;
    let id = context.create().await;
    let large = large(&visit(&id));
    let mut connection = sent(&context, &large, "k").await;
    begun(&mut connection).await;
    // The connection stays open, and nobody reads what comes on it.
    let told = tokio::time::timeout(Duration::from_mins(1), async {
        loop {
            let reply = keyed(&context, &large, "k").await;
            if reply.status != 409 {
                return reply;
            }
            clock.advance(Duration::from_secs(1));
        }
    });
    told.await.expect("it comes to its end").says("<request status=\"COMPLETED\" resultsKept=\"false\"/>");
    assert_eq!(visits(&context, &id).await, 1);
    // What came until then is not taken for the whole.
    let mut rest = Vec::new();
    let ended = connection.read_to_end(&mut rest).await;
    assert!(ended.is_err() || !rest.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn a_request_whose_client_left_in_the_answer_goes_on_to_its_end() {
    // Behaviour 57.
    let context = Context::new().await;
    let id = context.create().await;
    let large = large(&visit(&id));
    let mut connection = sent(&context, &large, "k").await;
    begun(&mut connection).await;
    drop(connection);
    let told = answer(&context, &large, "k").await;
    told.says("<request status=\"COMPLETED\" resultsKept=\"false\"/>");
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn a_client_that_lost_the_answer_gets_it_on_another_connection() {
    // Behaviour 57.
    let context = Context::new().await;
    let mut connection = sent(&context, &format!("<session/>{VISIT}"), KEY).await;
    let mut first = [0; 1];
    connection.read_exact(&mut first).await.unwrap();
    drop(connection);
    let told = keyed(&context, &format!("<session/>{VISIT}"), KEY).await;
    assert!(told.is_completed().is_replayed());
    assert_eq!(visits(&context, &told.session_id()).await, 1);
}

#[tokio::test]
async fn without_a_key_a_request_is_cancelled_with_its_client() {
    let context = Context::new().await;
    let id = context.create().await;
    let endless = format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", visit(&id));
    let request = tokio::spawn(context.post(&endless).send());
    until_held(&context, &id).await;
    request.abort();
    assert_eq!(visits(&context, &id).await, 0);
}

#[tokio::test]
async fn a_raw_answer_over_http_1_0_is_refused_before_its_request_runs() {
    let context = Context::new().await;
    let id = context.create().await;
    let body = perform(&visit(&id));
    let head = format!(
        "POST /services/data?return=n HTTP/1.0\r\ncontent-type: application/xml\r\nidempotency-key: k\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(context.server.address()).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 505"), "{answer}");
    assert_eq!(visits(&context, &id).await, 0);
    assert!(!keyed(&context, &visit(&id), "k").await.is_completed().is_replayed());
}

#[tokio::test]
async fn the_execution_limit_and_the_end_of_the_session_stop_it_still() {
    let mut session = SessionConfiguration::default();
    session.join.execution = Some(Duration::from_millis(100));
    let context = Context::with(|builder, resource| builder.resource(resource.session(session))).await;
    let id = context.create().await;
    let endless = format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", visit(&id));
    drop(sent(&context, &endless, "k").await);
    let told = answer(&context, &endless, "k").await;
    told.is_fault(504, "RequestTimedOut");
    keyed(&context, &endless, "k").await.is_fault(504, "RequestTimedOut");
    assert_eq!(visits(&context, &id).await, 0);
}

#[tokio::test]
async fn the_end_of_the_session_is_told_to_who_asks_again() {
    let context = Context::new().await;
    let id = context.create().await;
    let endless = format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", visit(&id));
    let connection = sent(&context, &endless, "k").await;
    until_held(&context, &id).await;
    let end = context.client.delete(format!("{}/session", context.url())).header("rejoin-session", &id);
    assert!(end.send().await.unwrap().status().is_success());
    answer(&context, &endless, "k").await.is_fault(410, "SessionEnded");
    drop(connection);
}

#[tokio::test]
async fn a_service_that_stops_does_not_wait_for_a_request_without_a_client() {
    let context =
        Context::with(|builder, resource| builder.resource(resource).drain_timeout(Duration::from_millis(50))).await;
    let id = context.create().await;
    let endless = format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", visit(&id));
    drop(sent(&context, &endless, "k").await);
    until_held(&context, &id).await;
    let Context { server, .. } = context;
    tokio::time::timeout(Duration::from_mins(1), server.shutdown()).await.unwrap();
}
