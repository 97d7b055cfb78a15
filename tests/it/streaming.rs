//! Answers that outgrow what is held back: in flat memory, broken where the request failed, cancelled where the client left.

use std::io::Read;

use futures_util::StreamExt;
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
        "POST /services/data?return=csv HTTP/1.1\r\nhost: x\r\nte: trailers\r\nconnection: close\r\n\
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
