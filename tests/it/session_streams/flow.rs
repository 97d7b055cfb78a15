//! How data flow through a request: at the pace of the slowest, however many they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::StreamExt as _;
use rejoin::document::Status;
use reqwest::Method;

use super::{THROUGH, begin, begin_in, ended, join, look, post, read, read_blocks, reply, stream, until_busy};
use crate::context::Context;

/// Behaviour 43: back-pressure.
#[tokio::test]
async fn a_writer_waits_for_the_reader_of_what_comes_out() {
    let context = Context::new().await;
    let tokens = "<inputStream name=\"feed\"><toLocal name=\"fed\"/></inputStream>
        <stringTokenizer name=\"cut\"><stringBlocksInput from=\"fed\"/><stringTokensOutput name=\"words\"/></stringTokenizer>
        <outputStream name=\"tap\"><fromLocal from=\"words\"/></outputStream>";
    for (pipeline, most) in [(THROUGH, 14), (tokens, 19)] {
        let id = begin(&context, pipeline).await;
        // As many as the pipes hold, and one in the hand of each activity.
        for number in 0..most {
            assert_eq!(reply(post(&context, &id, "feed", format!("{number} "))).await.status, 204);
        }
        let waiting = tokio::spawn(post(&context, &id, "feed", "last ").send());
        until_busy(&context, &id, "feed").await;
        assert!(!waiting.is_finished());
        assert_eq!(read_blocks(&context, &id, "tap", 1).await.text.trim(), "0");
        assert_eq!(waiting.await.unwrap().unwrap().status(), 204);
        assert_eq!(reply(stream(&context, Method::DELETE, &id, "tap")).await.status, 204);
        // Nobody wants what is in the pipes: the activities come to their end.
        assert_eq!(ended(&context, &id).await.status, Status::Completed);
    }
}

#[tokio::test]
async fn a_hundred_megabytes_flow_in_and_out_at_a_time() {
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 1600;
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let pieces = futures_util::stream::iter((0..PIECES).map(move |number| {
        counter.fetch_add(1, Ordering::Relaxed);
        let number = u8::try_from(number % 251).unwrap();
        Ok::<_, std::io::Error>(Bytes::from(vec![number; PIECE]))
    }));
    let body = reqwest::Body::wrap_stream(pieces);
    let writing = tokio::spawn(stream(&context, Method::PUT, &id, "feed").body(body).send());
    // Nobody reads yet: what is on its way is in the pipes and in the buffers of two sockets.
    assert_eq!(read_blocks(&context, &id, "tap", 1).await.text.len(), PIECE);
    until_busy(&context, &id, "feed").await;
    assert!(sent.load(Ordering::Relaxed) < PIECES / 2);
    let mut length = PIECE;
    let mut body = stream(&context, Method::GET, &id, "tap").send().await.unwrap().bytes_stream();
    while let Some(piece) = body.next().await {
        for byte in piece.unwrap() {
            assert_eq!(usize::from(byte), length / PIECE % 251);
            length += 1;
        }
    }
    assert_eq!(length, PIECE * PIECES);
    assert_eq!(writing.await.unwrap().unwrap().status(), 204);
    assert_eq!(ended(&context, &id).await.status, Status::Completed);
}

#[tokio::test]
async fn a_name_that_is_taken_refuses_the_request_before_it_runs() {
    let context = Context::new().await;
    let id = begin(&context, super::OUTPUT).await;
    let again = format!("{}{}{}", join(&id), super::SET, super::OUTPUT);
    context.perform(&again).await.is_fault(409, "StreamNameTaken").says("`tap`");
    let last = format!("<session id=\"{id}\" mode=\"terminate\"/>{}", super::OUTPUT);
    context.perform(&last).await.is_fault(409, "StreamNameTaken");
    context.perform(&format!("{}{}", join(&id), super::GET)).await.is_fault(422, "ActivityFailed");
    assert_eq!(look(&context, &id).await.streams.len(), 1);
    assert_eq!(read(&context, &id, "tap").await.text, "one,two,three");
    begin_in(&context, &again).await;
    assert_eq!(read(&context, &id, "tap").await.text, "one,two,three");
}

#[tokio::test]
async fn one_document_has_no_two_streams_of_one_name() {
    let context = Context::new().await;
    let twice = "<inputStream name=\"x\"><toLocal name=\"y\"/></inputStream>
        <stringTokenizer name=\"cut\"><stringBlocksInput from=\"y\"/><stringTokensOutput name=\"x\"/></stringTokenizer>";
    context.perform(twice).await.is_fault(400, "StreamInvalid").says("as well: give it another name").at(2, 1);
    let read_inside = format!(
        "{THROUGH}<stringTokenizer name=\"cut\"><stringBlocksInput from=\"tap\"/><stringTokensOutput name=\"w\"/></stringTokenizer>"
    );
    context.perform(&read_inside).await.is_fault(400, "StreamInvalid").says("a client reads it");
}

/// Behaviours 1 and 43.
#[tokio::test]
async fn an_implicit_session_lasts_until_its_streams_have_been_read() {
    let context = Context::new().await;
    let id = begin_in(&context, super::OUTPUT).await;
    let session = look(&context, &id).await;
    assert!(session.implicit);
    while super::progress(&context, &id).await.results.iter().any(|(_, status)| *status != Status::Completed) {}
    assert_eq!(super::progress(&context, &id).await.status, Status::Processing, "nobody has read it");
    let joining = tokio::spawn(context.post(&format!("<session id=\"{id}\" wait=\"60000\"/>")).send());
    assert_eq!(read(&context, &id, "tap").await.text, "one,two,three");
    assert_eq!(joining.await.unwrap().unwrap().status(), 410);
    read(&context, &id, "tap").await.is_fault(410, "SessionEnded");
}

#[tokio::test]
async fn a_request_that_ends_its_session_waits_for_the_readers() {
    let context = Context::new().await;
    let id = context.create().await;
    begin_in(&context, &format!("<session id=\"{id}\" mode=\"terminate\"/>{}", super::OUTPUT)).await;
    assert_eq!(read_blocks(&context, &id, "tap", 5).await.text, "one,two,three");
    context.perform(&format!("<session id=\"{id}\" wait=\"60000\"/>")).await.is_fault(410, "SessionEnded");
}
