//! What ends asynchronous requests and their streams before their time.

use std::time::Duration;

use futures_util::StreamExt as _;
use rejoin::document::Status;
use rejoin::service::Ending;
use reqwest::Method;

use super::{ENDLESS, GET, OUTPUT, SET, THROUGH, begin, ended, join, look, put, read, read_blocks, stream, until_busy};
use crate::context::Context;

async fn stop(context: &Context, id: &str) -> u16 {
    let url = format!("{}/session/request", context.url());
    context.client.delete(url).header("rejoin-session", id).send().await.unwrap().status().as_u16()
}

/// Behaviours 34 and 43: freed at the end.
#[tokio::test]
async fn the_end_of_the_session_breaks_what_is_on_its_way() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    let (sender, body) = tokio::sync::mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = futures_util::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    let writing = tokio::spawn(put(&context, &id, "feed", reqwest::Body::wrap_stream(body)).send());
    sender.send(Ok("x")).await.unwrap();
    until_busy(&context, &id, "feed").await;
    let waiting = tokio::spawn(stream(&context, Method::GET, &id, "tap").send());
    until_busy(&context, &id, "tap").await;
    let end = context.client.delete(format!("{}/session", context.url())).header("rejoin-session", &id);
    assert!(end.send().await.unwrap().status().is_success());
    assert_eq!(waiting.await.unwrap().unwrap().status(), 410);
    assert_eq!(writing.await.unwrap().unwrap().status(), 410);
    read(&context, &id, "tap").await.is_fault(410, "SessionEnded").says("reason=\"terminated\"");
}

#[tokio::test]
async fn a_transfer_breaks_with_its_session() {
    let context = Context::new().await;
    let id = begin(&context, ENDLESS).await;
    let mut body = stream(&context, Method::GET, &id, "tap").send().await.unwrap().bytes_stream();
    assert!(body.next().await.unwrap().is_ok());
    let end = context.client.delete(format!("{}/session", context.url())).header("rejoin-session", &id);
    assert!(end.send().await.unwrap().status().is_success());
    loop {
        // It never ends cleanly.
        if body.next().await.unwrap().is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn what_nobody_reads_holds_its_session_no_longer_than_a_request_may() {
    let context = Context::with(|builder, mut resource| {
        resource.session.join.execution = Some(Duration::from_millis(200));
        builder.resource(resource)
    })
    .await;
    let id = begin(&context, ENDLESS).await;
    let ended = ended(&context, &id).await;
    assert_eq!((ended.status, ended.error.unwrap().code.as_str()), (Status::Error, "RequestTimedOut"));
    context.perform(&join(&id)).await.is_completed();
    // An implicit session whose output nobody reads is over by then too.
    let id = super::begin_in(&context, OUTPUT).await;
    let join = format!("<session id=\"{id}\" wait=\"60000\"/>");
    context.perform(&join).await.is_fault(410, "SessionEnded");
}

#[tokio::test]
async fn an_owner_stops_the_request_and_keeps_the_session() {
    let context = Context::new().await;
    let id = begin(&context, &format!("{SET}{ENDLESS}")).await;
    assert_eq!(read_blocks(&context, &id, "tap", 1).await.status, 200);
    assert_eq!(stop(&context, &id).await, 202);
    let ended = ended(&context, &id).await;
    assert_eq!((ended.status, ended.error.unwrap().code.as_str()), (Status::Terminated, "RequestTerminated"));
    assert_eq!(stop(&context, &id).await, 204, "nothing runs");
    context.perform(&format!("{}{GET}", join(&id))).await.is_fault(422, "ActivityFailed").says("AttributeNotFound");
    let rest = stream(&context, Method::GET, &id, "tap").send().await.unwrap();
    assert!(rest.status() == 409 || rest.bytes().await.is_err());
}

#[tokio::test]
async fn a_synchronous_request_is_stopped_as_well() {
    let context = Context::new().await;
    let id = context.create().await;
    let nap = format!("{}{SET}<sleep name=\"nap\" duration=\"PT10M\"/>", join(&id));
    let running = tokio::spawn(context.post(&nap).send());
    while look(&context, &id).await.requests.is_empty() {}
    let id_of_request = look(&context, &id).await.requests[0].id.clone();
    assert_eq!(stop(&context, &id).await, 202);
    let stopped = crate::context::Reply::of(running.await.unwrap().unwrap()).await;
    stopped.is_fault(409, "RequestTerminated").says(&id_of_request);
    context.perform(&format!("{}{GET}", join(&id))).await.is_fault(422, "ActivityFailed").says("AttributeNotFound");
    let unknown = "A".repeat(43);
    assert_eq!(stop(&context, &unknown).await, 404);
}

#[tokio::test]
async fn a_server_that_drains_waits_for_what_goes_on_without_a_client() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    let (sender, body) = tokio::sync::mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = futures_util::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    let writing = tokio::spawn(put(&context, &id, "feed", reqwest::Body::wrap_stream(body)).send());
    let reading = stream(&context, Method::GET, &id, "tap");
    sender.send(Ok("to the ")).await.unwrap();
    until_busy(&context, &id, "feed").await;
    let reading = tokio::spawn(reading.send());
    until_busy(&context, &id, "tap").await;
    let url = format!("{}/health/ready", context.server.url());
    let shutdown = tokio::spawn(context.server.shutdown());
    // Nobody new is let in any more.
    while context.client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {}
    sender.send(Ok("end")).await.unwrap();
    drop(sender);
    assert_eq!(writing.await.unwrap().unwrap().status(), 204);
    assert_eq!(reading.await.unwrap().unwrap().text().await.unwrap(), "to the end");
    assert_eq!(shutdown.await.unwrap(), Ending::Drained);
}

#[tokio::test]
async fn a_server_that_has_drained_for_long_enough_cuts_off_what_goes_on() {
    let context =
        Context::with(|builder, resource| builder.resource(resource).drain_timeout(Duration::from_millis(100))).await;
    begin(&context, ENDLESS).await;
    assert_eq!(context.server.shutdown().await, Ending::CutOff);
}
