//! Answers that outgrow what is held back: in flat memory, broken where the request failed, cancelled where the client left.

use std::io::Read;
use std::time::Duration;

use futures_util::StreamExt;
use rejoin::activity::{Activity, ActivityContext, ActivityError, OutputPort, Setup};
use rejoin::block::{Block, StreamType};
use rejoin::document::{DocumentError, Fields};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::context::{Context, Reply, perform};

/// Numbers from 1 on, each a line of 51 bytes, until the query fails at `fails_at`.
fn numbers(fails_at: u32) -> String {
    format!(
        "<sqlQueryStatement name=\"find\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
         SELECT printf('%050d', CASE WHEN i = {fails_at} THEN abs(-9223372036854775807 - 1) ELSE i END) FROM n</expression>
         <resultStream name=\"rows\"/></sqlQueryStatement>
         <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
    )
}

#[tokio::test]
async fn a_failure_before_the_first_byte_has_a_status_of_its_own() {
    let context = Context::new().await;
    for end_point in [None, Some("csv")] {
        let reply = match end_point {
            None => context.perform(&numbers(100)).await,
            Some(name) => context.raw(&numbers(100), name).await,
        };
        reply.is_fault(422, "ActivityFailed").says("integer overflow").at(2, 1);
    }
}

#[tokio::test]
async fn a_failure_midway_is_told_in_the_response_document() {
    let context = Context::new().await;
    let id = context.create().await;
    let set = "<sessionAttributeManagement name=\"set\"><setAttribute name=\"x\">1</setAttribute></sessionAttributeManagement>";
    let reply = context.perform(&format!("<session id=\"{id}\"/>{set}{}", numbers(100_000))).await;
    assert_eq!(reply.status, 200);
    reply
        .says("<result name=\"csv\" status=\"PROCESSING\"")
        .says("]]><error code=\"SqlError\" kind=\"client\"")
        .says("<result name=\"find\" status=\"ERROR\"><error code=\"SqlError\" kind=\"client\"")
        .says("<result name=\"format\" status=\"TERMINATED\"/>")
        .says("<request status=\"ERROR\">");
    // None of what the request changed stays.
    let get = "<sessionAttributeManagement name=\"g\"><getAttribute name=\"x\"/><output name=\"o\"/></sessionAttributeManagement>";
    context.perform(&format!("<session id=\"{id}\"/>{get}")).await.says("AttributeNotFound");
}

#[tokio::test]
async fn a_failure_midway_breaks_a_raw_answer() {
    let context = Context::new().await;
    let request = context.post(&numbers(100_000)).query(&[("return", "csv")]);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "half of the data must not look like all of them");
}

#[tokio::test]
async fn a_raw_answer_ends_with_the_status_of_the_request() {
    let context = Context::new().await;
    let limited = numbers(0).replace("FROM n</expression>", "FROM n LIMIT 50000</expression>");
    let mut stream = TcpStream::connect(context.server.address()).await.unwrap();
    let body = perform(&limited);
    let head = format!(
        "POST /services/data?return=csv HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\nconnection: close\r\n\
         content-type: application/xml\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("trailer: Rejoin-Request-Status\r\n"), "{}", &answer[..500]);
    assert!(answer.contains("rejoin-session: "), "{}", &answer[..500]);
    let end = &answer[answer.len() - 100..];
    assert!(end.ends_with("0\r\nrejoin-request-status: COMPLETED\r\n\r\n"), "{end}");
    // A small one, to a client that takes no trailers, says it in the head.
    let reply = context.raw(&numbers(0).replace("FROM n</expression>", "FROM n LIMIT 1</expression>"), "csv").await;
    assert_eq!(reply.header("rejoin-request-status"), "COMPLETED");
}

/// Behaviour 18.
#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_an_endless_answer_frees_its_session() {
    let context = Context::new().await;
    let id = context.create().await;
    for only in [None, Some("csv")] {
        let mut request = context.post(&format!("<session id=\"{id}\"/>{}", numbers(0)));
        if let Some(name) = only {
            request = request.query(&[("return", name)]);
        }
        let mut body = request.send().await.unwrap().bytes_stream();
        assert!(!body.next().await.unwrap().unwrap().is_empty());
        drop(body);
        context.perform(&format!("<session id=\"{id}\" wait=\"60000\"/>")).await.is_completed();
    }
}

/// Behaviour 18.
#[tokio::test]
async fn a_client_that_leaves_before_the_answer_frees_its_session() {
    let context = Context::new().await;
    let id = context.create().await;
    let endless =
        "<sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT count(*) FROM n</expression><resultStream name=\"r\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>";
    let running = tokio::spawn(context.post(&format!("<session id=\"{id}\"/>{endless}")).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    running.abort();
    context.perform(&format!("<session id=\"{id}\" wait=\"60000\"/>")).await.is_completed();
    // As often as there are connections: each was given back.
    for _ in 0..20 {
        let query = "<sqlQueryStatement name=\"q\"><expression>SELECT 1</expression><resultStream name=\"r\"/></sqlQueryStatement>
            <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>";
        assert_eq!(context.raw(query, "c").await.text, "1\n");
    }
}

#[tokio::test]
async fn text_that_xml_cannot_hold_is_refused_in_a_document_and_comes_raw() {
    let context = Context::new().await;
    let query = "<sqlQueryStatement name=\"q\"><expression>SELECT char(8)</expression><resultStream name=\"r\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>";
    context.perform(query).await.is_fault(422, "ActivityFailed").says("?return=");
    assert_eq!(context.raw(query, "c").await.text, "\u{8}\n");
}

#[tokio::test]
async fn rows_out_of_a_session_that_nobody_formats_are_refused() {
    let context = Context::new().await;
    let id = context.create().await;
    let keep = "<sqlQueryStatement name=\"q\"><expression>SELECT * FROM customer</expression><resultStream name=\"r\"/></sqlQueryStatement>
        <deliverToSession name=\"d\"><fromLocal from=\"r\"/><toSession attribute=\"rows\"/></deliverToSession>";
    context.perform(&format!("<session id=\"{id}\"/>{keep}")).await.is_completed();
    let take =
        "<deliverFromSession name=\"t\"><fromSession attribute=\"rows\"/><toLocal name=\"r\"/></deliverFromSession>";
    context
        .perform(&format!("<session id=\"{id}\"/>{take}"))
        .await
        .is_fault(422, "ActivityFailed")
        .says("sqlResultsToXML");
}

#[tokio::test]
async fn answers_are_compressed_as_the_client_asks() {
    let context = Context::new().await;
    let limited = numbers(0).replace("FROM n</expression>", "FROM n LIMIT 50000</expression>");
    let plain = context.raw(&limited, "csv").await;
    for coding in ["gzip", "zstd"] {
        let request = context.post(&limited).query(&[("return", "csv")]).header("accept-encoding", coding);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], coding);
        assert_eq!(response.headers()["vary"], "accept-encoding");
        let compressed = response.bytes().await.unwrap();
        assert!(compressed.len() < plain.text.len() / 4);
        let mut text = String::new();
        if coding == "gzip" {
            flate2::read::GzDecoder::new(&compressed[..]).read_to_string(&mut text).unwrap();
        } else {
            zstd::stream::read::Decoder::new(&compressed[..]).unwrap().read_to_string(&mut text).unwrap();
        }
        assert_eq!(text, plain.text);
    }
    let request = context.post(&numbers(100_000)).query(&[("return", "csv")]).header("accept-encoding", "gzip");
    assert!(request.send().await.unwrap().bytes().await.is_err(), "a failure midway breaks a compressed answer too");
}

#[tokio::test]
async fn http_2_without_tls_is_spoken() {
    let context = Context::new().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let limited = numbers(0).replace("FROM n</expression>", "FROM n LIMIT 50000</expression>");
    let request = client.post(context.url()).header("content-type", "application/xml").body(perform(&limited));
    let response = request.send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    Reply::of(response).await.is_completed().says("00050000\n");
    let failing = client.post(context.url()).query(&[("return", "csv")]).header("content-type", "application/xml");
    let response = failing.body(perform(&numbers(100_000))).send().await.unwrap();
    assert!(response.bytes().await.is_err(), "the stream is reset");
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_place_no_longer_than_its_session() {
    let context = Context::with(|builder, mut resource| {
        resource.session.join.execution = Some(Duration::from_millis(50));
        builder.resource(resource).admission(1, 1)
    })
    .await;
    let mut stalled = TcpStream::connect(context.server.address()).await.unwrap();
    let body = perform(&numbers(0));
    let head = format!(
        "POST /services/data HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/xml\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stalled.write_all(head.as_bytes()).await.unwrap();
    stalled.write_all(body.as_bytes()).await.unwrap();
    // It has its place when the first bytes of its answer are there; it reads no more.
    stalled.read_exact(&mut [0; 100]).await.unwrap();
    loop {
        let reply = context.perform("<echo name=\"e\"><text>x</text></echo>").await;
        if reply.status == 200 {
            break;
        }
        // While the place is taken, waiting for it takes longer than a request may hold its session.
        reply.is_fault(504, "RequestTimedOut");
    }
}

#[tokio::test]
async fn a_client_that_leaves_after_the_data_and_before_the_end_frees_its_session() {
    let context = Context::new().await;
    let id = context.create().await;
    let limited = numbers(0).replace("FROM n</expression>", "FROM n LIMIT 20000</expression>");
    let sleeper = "<sleep name=\"nap\" duration=\"PT10M\"/>";
    let response = context.post(&format!("<session id=\"{id}\"/>{limited}{sleeper}")).send().await.unwrap();
    let mut body = response.bytes_stream();
    let mut seen = String::new();
    while !seen.contains("00020000\n") {
        seen.push_str(&String::from_utf8_lossy(&body.next().await.unwrap().unwrap()));
        seen.drain(..seen.len().saturating_sub(200));
    }
    drop(body);
    context.perform(&format!("<session id=\"{id}\" wait=\"60000\"/>")).await.is_completed();
}

/// Two outputs of one activity, block by block in turn: the one can't be read to its end before the other.
struct Twice {
    first: OutputPort,
    second: OutputPort,
}

#[async_trait::async_trait]
impl Activity for Twice {
    const ELEMENT: &'static str = "twice";

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let first = setup.output(fields, "first", StreamType::Text)?;
        Ok(Self { first, second: setup.output(fields, "second", StreamType::Text)? })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let (first, second) = (context.output(self.first), context.output(self.second));
        for number in 0..20_000 {
            first.send(Block::Text(format!("{number:050}\n").into())).await?;
            second.send(Block::Text(format!("{number:060}\n").into())).await?;
        }
        first.finish().await;
        second.finish().await;
        Ok(())
    }
}

#[tokio::test]
async fn two_end_points_of_one_activity_both_come_back_however_large() {
    let context = Context::with(|builder, resource| builder.resource(resource).activity::<Twice>()).await;
    let twice = "<twice name=\"t\"><first name=\"a\"/><second name=\"b\"/></twice>";
    let reply = context.perform(twice).await;
    reply.is_completed();
    assert_eq!(reply.text.matches(&format!("{:050}\n", 19_999)).count(), 2, "in both, because one is longer");
    assert_eq!(context.raw(twice, "b").await.text.len(), 20_000 * 61);
}

/// Panics where it is told to.
struct Panics {
    output: OutputPort,
}

#[async_trait::async_trait]
impl Activity for Panics {
    const ELEMENT: &'static str = "panics";

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self { output: setup.output(fields, "output", StreamType::Text)? })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let _output = context.output(self.output);
        panic!("on purpose, with a secret")
    }
}

/// Behaviour 18.
#[tokio::test]
async fn a_panic_is_the_services_fault_and_leaves_the_session_joinable() {
    let context = Context::with(|builder, resource| builder.resource(resource).activity::<Panics>()).await;
    let id = context.create().await;
    let panics = "<panics name=\"p\"><output name=\"o\"/></panics>";
    let reply = context.perform(&format!("<session id=\"{id}\"/>{panics}")).await;
    reply.is_fault(500, "Internal").says("request id");
    assert!(!reply.text.contains("secret"));
    context.perform(&format!("<session id=\"{id}\"/>")).await.is_completed();
}

/// Its stream breaks before it says why, as with any activity that works on another thread.
struct TellsLate {
    output: OutputPort,
}

#[async_trait::async_trait]
impl Activity for TellsLate {
    const ELEMENT: &'static str = "tellsLate";

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self { output: setup.output(fields, "output", StreamType::Text)? })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        for _ in 0..4 {
            output.send(Block::Text("x".repeat(40_000).into())).await?;
        }
        drop(output);
        // Long enough for whoever would stop it for the broken stream.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(ActivityError::client("Late", "the reason"))
    }
}

#[tokio::test]
async fn a_stream_that_breaks_before_its_writer_says_why_is_told_with_the_reason() {
    let context = Context::with(|builder, resource| builder.resource(resource).activity::<TellsLate>()).await;
    let reply = context.perform("<tellsLate name=\"t\"><output name=\"o\"/></tellsLate>").await;
    assert_eq!(reply.status, 200);
    reply
        .says("]]><error code=\"Late\" kind=\"client\"><message>the reason</message>")
        .says("<result name=\"t\" status=\"ERROR\"><error code=\"Late\"")
        .says("<request status=\"ERROR\"><error code=\"Late\"");
}
