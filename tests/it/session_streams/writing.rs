//! Inputs, whole and by the block.

use rejoin::document::Status;
use reqwest::Method;

use super::{THROUGH, begin, ended, join, post, put, read, read_blocks, reply, stream, until_busy};
use crate::context::Context;

#[tokio::test]
async fn an_input_is_written_by_blocks_and_whole() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    for block in ["one", "two"] {
        assert_eq!(reply(post(&context, &id, "feed", block)).await.status, 204);
    }
    assert_eq!(read_blocks(&context, &id, "tap", 1).await.text, "one");
    assert_eq!(reply(put(&context, &id, "feed", "three")).await.status, 204);
    assert_eq!(read(&context, &id, "tap").await.text, "twothree");
    context.perform(&join(&id)).await.is_completed();
    reply(put(&context, &id, "feed", "four")).await.is_fault(404, "StreamNotFound");
}

#[tokio::test]
async fn an_empty_put_ends_an_input() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    assert_eq!(reply(put(&context, &id, "feed", "")).await.status, 204);
    let whole = read(&context, &id, "tap").await;
    assert_eq!((whole.status, &*whole.text), (200, ""));
}

#[tokio::test]
async fn each_block_of_an_input_is_a_value() {
    let context = Context::new().await;
    let find = "<inputStream name=\"ids\"><toLocal name=\"id\"/></inputStream>
        <sqlQueryStatement name=\"find\"><sqlParameter position=\"1\" from=\"id\"/>
          <expression>SELECT name FROM customer WHERE id = ?</expression><resultStream name=\"rows\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";
    let id = begin(&context, find).await;
    for number in ["3", "1"] {
        assert_eq!(reply(post(&context, &id, "ids", number)).await.status, 204);
    }
    assert_eq!(reply(put(&context, &id, "ids", "")).await.status, 204);
    assert_eq!(read(&context, &id, "csv").await.text, "<Grace>\nAda\n");
}

#[tokio::test]
async fn text_may_be_cut_anywhere_and_has_to_be_text() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    // Every block of 64 KiB ends within a character.
    let text = format!("x{}", "é".repeat(200_000));
    let writing = tokio::spawn(put(&context, &id, "feed", text.clone()).send());
    assert_eq!(read(&context, &id, "tap").await.text, text);
    assert_eq!(writing.await.unwrap().unwrap().status(), 204);

    let id = begin(&context, THROUGH).await;
    reply(post(&context, &id, "feed", &b"\xff"[..])).await.is_fault(400, "RequestInvalid").says("UTF-8");
    for half in [&b"\xc3"[..], b"\xa9"] {
        assert_eq!(reply(post(&context, &id, "feed", half)).await.status, 204);
    }
    let latin = stream(&context, Method::POST, &id, "feed").header("content-type", "text/csv; charset=ISO-8859-1");
    reply(latin.body("x")).await.is_fault(415, "UnsupportedMediaType");
    // What was refused has broken nothing; a PUT that stops being text has.
    assert_eq!(read_blocks(&context, &id, "tap", 1).await.text, "é");
    reply(put(&context, &id, "feed", &b"abc\xffdef"[..])).await.is_fault(400, "RequestInvalid");
    let failed = ended(&context, &id).await;
    assert_eq!((failed.status, failed.error.unwrap().code.as_str()), (Status::Error, "StreamBroken"));
}

#[tokio::test]
async fn bytes_come_out_as_they_went_in() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    let bytes: Vec<u8> = (0..=255).collect();
    let written = stream(&context, Method::PUT, &id, "feed").body(bytes.clone());
    assert_eq!(reply(written).await.status, 204);
    let answer = stream(&context, Method::GET, &id, "tap").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    assert_eq!(answer.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn a_writer_that_leaves_midway_fails_the_request() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    let (sender, body) = tokio::sync::mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = futures_util::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    let writing = tokio::spawn(put(&context, &id, "feed", reqwest::Body::wrap_stream(body)).send());
    sender.send(Ok("half of ")).await.unwrap();
    until_busy(&context, &id, "feed").await;
    // The second piece is asked for when the first is on its way.
    sender.send(Ok("it")).await.unwrap();
    sender.send(Err(std::io::Error::other("the client breaks off"))).await.unwrap();
    assert!(writing.await.unwrap().is_err());
    let failed = ended(&context, &id).await;
    assert_eq!((failed.status, failed.error.unwrap().code.as_str()), (Status::Error, "StreamBroken"));
    assert_eq!(failed.results[0], ("feed".to_owned(), Status::Error));
}

#[tokio::test]
async fn a_deleted_input_fails_the_request() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    assert_eq!(reply(stream(&context, Method::DELETE, &id, "feed")).await.status, 204);
    assert_eq!(ended(&context, &id).await.error.unwrap().code, "StreamBroken");
}

#[tokio::test]
async fn an_input_that_nobody_reads_any_more_says_so() {
    let context = Context::new().await;
    let failing = format!(
        "{THROUGH}<sqlUpdateStatement name=\"bad\"><expression>DELETE FROM nothing</expression></sqlUpdateStatement>"
    );
    let id = begin(&context, &failing).await;
    assert_eq!(ended(&context, &id).await.status, Status::Error);
    reply(put(&context, &id, "feed", "x")).await.is_fault(404, "StreamNotFound");
}
