//! Outputs, whole and by the block.

use futures_util::StreamExt as _;
use rejoin::document::{Status, StreamDirection, StreamState};
use reqwest::Method;

use super::{
    ENDLESS, OUTPUT, THROUGH, begin, ended, join, look, post, put, read, read_blocks, reply, stream, until_busy,
};
use crate::context::Context;

/// Behaviour 43.
#[tokio::test]
async fn what_one_request_made_another_reads() {
    let context = Context::new().await;
    let id = begin(&context, OUTPUT).await;
    // The request that made it is complete: another holds the session now.
    context.perform(&join(&id)).await.is_completed();
    assert_eq!(look(&context, &id).await.streams[0].direction, StreamDirection::Output);
    let whole = read(&context, &id, "tap").await;
    assert_eq!((whole.status, &*whole.text), (200, "one,two,three"));
    assert_eq!(whole.header("content-type"), "text/plain; charset=utf-8");
    read(&context, &id, "tap").await.is_fault(404, "StreamNotFound");
}

/// Behaviour 43.
#[tokio::test]
async fn the_rest_of_a_query_is_read_after_its_request() {
    let context = Context::new().await;
    let query = "<sqlQueryStatement name=\"find\"><expression>SELECT id, name FROM customer ORDER BY id</expression>
        <resultStream name=\"rows\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";
    let id = begin(&context, query).await;
    assert_eq!(ended(&context, &id).await.status, Status::Completed);
    let csv = read(&context, &id, "csv").await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(csv.text, "1,Ada\n2,Carl & Co\n3,<Grace>\n");
}

#[tokio::test]
async fn an_output_is_read_by_blocks() {
    let context = Context::new().await;
    let id = begin(&context, OUTPUT).await;
    for (blocks, text, progress) in [(2, "one,two,", "open"), (2, "three", "ended")] {
        let part = read_blocks(&context, &id, "tap", blocks).await;
        assert_eq!((part.status, &*part.text, part.header("rejoin-stream")), (200, text, progress));
    }
    read_blocks(&context, &id, "tap", 1).await.is_fault(404, "StreamNotFound");
    let id = begin(&context, OUTPUT).await;
    assert_eq!(read_blocks(&context, &id, "tap", 3).await.header("rejoin-stream"), "open");
    let end = read_blocks(&context, &id, "tap", 1).await;
    assert_eq!((end.status, &*end.text, end.header("rejoin-stream")), (204, "", "ended"));
    read(&context, &id, "tap").await.is_fault(404, "StreamNotFound");
}

#[tokio::test]
async fn blocks_and_the_rest_are_the_whole() {
    let context = Context::new().await;
    let id = begin(&context, OUTPUT).await;
    assert_eq!(read_blocks(&context, &id, "tap", 1).await.text, "one,");
    assert_eq!(read(&context, &id, "tap").await.text, "two,three");
}

/// Behaviour 43: a single consumer.
#[tokio::test]
async fn a_stream_has_one_reader_and_one_writer_at_a_time() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    let reading = tokio::spawn(stream(&context, Method::GET, &id, "tap").send());
    until_busy(&context, &id, "tap").await;
    let second = read(&context, &id, "tap").await;
    assert_eq!(second.is_fault(423, "StreamInUse").header("retry-after"), "1");
    reply(stream(&context, Method::DELETE, &id, "tap")).await.is_fault(423, "StreamInUse");
    let (sender, body) = tokio::sync::mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = futures_util::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    let writing = tokio::spawn(put(&context, &id, "feed", reqwest::Body::wrap_stream(body)).send());
    until_busy(&context, &id, "feed").await;
    reply(post(&context, &id, "feed", "x")).await.is_fault(423, "StreamInUse");
    sender.send(Ok("through")).await.unwrap();
    drop(sender);
    assert_eq!(writing.await.unwrap().unwrap().status(), 204);
    assert_eq!(reading.await.unwrap().unwrap().text().await.unwrap(), "through");
}

#[tokio::test]
async fn a_reader_that_leaves_while_it_waits_loses_nothing() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    for blocks in [None, Some(3)] {
        let mut request = stream(&context, Method::GET, &id, "tap");
        if let Some(blocks) = blocks {
            request = request.query(&[("blocks", blocks)]);
        }
        let waiting = tokio::spawn(request.send());
        until_busy(&context, &id, "tap").await;
        waiting.abort();
        while read_blocks(&context, &id, "feed", 1).await.status != 405 {}
    }
    assert_eq!(reply(put(&context, &id, "feed", "all of it")).await.status, 204);
    loop {
        let whole = read(&context, &id, "tap").await;
        // It takes a moment until the service sees that the client has gone.
        if whole.status == 200 {
            assert_eq!(whole.text, "all of it");
            break;
        }
        whole.is_fault(423, "StreamInUse");
    }
}

#[tokio::test]
async fn a_reader_that_leaves_midway_fails_the_request() {
    let context = Context::new().await;
    let id = begin(&context, ENDLESS).await;
    let mut body = stream(&context, Method::GET, &id, "tap").send().await.unwrap().bytes_stream();
    assert!(!body.next().await.unwrap().unwrap().is_empty());
    drop(body);
    let ended = ended(&context, &id).await;
    assert_eq!((ended.status, ended.error.unwrap().code.as_str()), (Status::Error, "StreamBroken"));
    context.perform(&join(&id)).await.is_completed();
    read(&context, &id, "tap").await.is_fault(404, "StreamNotFound");
}

#[tokio::test]
async fn what_a_failed_request_wrote_breaks_off() {
    let context = Context::new().await;
    let failing =
        ENDLESS.replace("printf('%050d', i)", "abs(CASE WHEN i = 3000 THEN -9223372036854775807 - 1 ELSE i END)");
    for blocks in [None, Some(100)] {
        let id = begin(&context, &failing).await;
        let failed = ended(&context, &id).await;
        assert_eq!((failed.status, failed.error.unwrap().code.as_str()), (Status::Error, "SqlError"));
        if let Some(blocks) = blocks {
            let first = read_blocks(&context, &id, "tap", blocks).await;
            if first.status == 200 {
                assert_eq!(first.header("rejoin-stream"), "open");
                read_blocks(&context, &id, "tap", blocks).await.is_fault(409, "StreamBroken");
            } else {
                first.is_fault(409, "StreamBroken");
            }
            read(&context, &id, "tap").await.is_fault(404, "StreamNotFound");
        } else {
            let whole = stream(&context, Method::GET, &id, "tap").send().await.unwrap();
            // Nothing may have come through before it failed.
            assert!(whole.status() == 409 || whole.bytes().await.is_err(), "half of the data must not look like all");
        }
    }
}

#[tokio::test]
async fn a_failure_is_not_put_down_to_the_reader_that_it_cuts_off() {
    let context = Context::new().await;
    let failing =
        ENDLESS.replace("printf('%050d', i)", "abs(CASE WHEN i = 200000 THEN -9223372036854775807 - 1 ELSE i END)");
    let id = begin(&context, &failing).await;
    let whole = stream(&context, Method::GET, &id, "tap").send().await.unwrap();
    assert!(whole.bytes().await.is_err());
    assert_eq!(ended(&context, &id).await.error.unwrap().code, "SqlError");
}

#[tokio::test]
async fn a_complete_output_of_a_failed_request_breaks_off_as_well() {
    let context = Context::new().await;
    let failing = format!(
        "<sequence><flow>{OUTPUT}</flow>
         <sqlUpdateStatement name=\"bad\"><expression>DELETE FROM nothing</expression></sqlUpdateStatement></sequence>"
    );
    let id = begin(&context, &failing).await;
    assert_eq!(ended(&context, &id).await.status, Status::Error);
    assert_eq!(look(&context, &id).await.streams[0].state, StreamState::Broken);
    let part = read_blocks(&context, &id, "tap", 5).await;
    assert_eq!((part.status, &*part.text, part.header("rejoin-stream")), (200, "one,two,three", "open"));
    read_blocks(&context, &id, "tap", 5).await.is_fault(409, "StreamBroken");
    let id = begin(&context, &failing).await;
    assert_eq!(ended(&context, &id).await.status, Status::Error);
    let whole = stream(&context, Method::GET, &id, "tap").send().await.unwrap();
    assert!(whole.bytes().await.is_err(), "it must not look like an end");
}

#[tokio::test]
async fn an_output_that_nobody_wants_is_deleted() {
    let context = Context::new().await;
    let id = begin(&context, OUTPUT).await;
    assert_eq!(reply(stream(&context, Method::DELETE, &id, "tap")).await.status, 204);
    assert_eq!(ended(&context, &id).await.status, Status::Completed);
    reply(stream(&context, Method::DELETE, &id, "tap")).await.is_fault(404, "StreamNotFound");
    // Its writer would have waited for ever.
    let id = begin(&context, ENDLESS).await;
    assert_eq!(reply(stream(&context, Method::DELETE, &id, "tap")).await.status, 204);
    assert_eq!(ended(&context, &id).await.status, Status::Completed);
}

#[tokio::test]
async fn rows_do_not_leave_the_service() {
    let context = Context::new().await;
    let query =
        "<sqlQueryStatement name=\"q\"><expression>SELECT 1</expression><resultStream name=\"r\"/></sqlQueryStatement>";
    let direct = format!("{query}<outputStream name=\"tap\"><fromLocal from=\"r\"/></outputStream>");
    context.perform(&direct).await.is_fault(400, "StreamInvalid").says("sqlResultsToCSV");
    let id = context.create().await;
    let keep = format!(
        "{}{query}<deliverToSession name=\"k\"><fromLocal from=\"r\"/><toSession attribute=\"a\"/></deliverToSession>",
        join(&id)
    );
    context.perform(&keep).await.is_completed();
    let take = "<deliverFromSession name=\"t\"><fromSession attribute=\"a\"/><toLocal name=\"r\"/></deliverFromSession>
        <outputStream name=\"tap\"><fromLocal from=\"r\"/></outputStream>";
    super::begin_in(&context, &format!("{}{take}", join(&id))).await;
    read(&context, &id, "tap").await.is_fault(422, "ActivityFailed").says("sqlResultsToCSV");
}
