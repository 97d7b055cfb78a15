//! `create="automatic"`: a request that says nothing of a session gets one that stays.

use std::time::Duration;

use rejoin::session::ManualClock;

use super::{Browser, COOKIE, COUNT, says_count, serve, serve_on};
use crate::context::Reply;

const AUTOMATIC: &str = "<carrier cookie=\"true\" create=\"automatic\"/>";

/// Behaviours 6 and 44: the id comes back in element, header and cookie.
#[tokio::test]
async fn a_request_that_says_nothing_gets_a_session_that_stays() {
    let context = serve(AUTOMATIC).await;
    let reply = context.perform(COUNT).await;
    let id = reply.is_completed().says("created=\"true\"").says("timeout=\"600000\"").session_id();
    assert_eq!(reply.header("rejoin-session"), id);
    assert!(reply.header("set-cookie").starts_with(&format!("{COOKIE}={id}; ")), "{reply:?}");
    let by_header = context.post(COUNT).header("rejoin-session", &id).send().await.unwrap();
    Reply::of(by_header).await.is_completed().says(&says_count(2)).says("created=\"false\"");
    let mut browser = Browser::at(&context);
    for count in 1..4 {
        browser.post("data", COUNT).await.is_completed().says(&says_count(count));
    }
}

/// Behaviours 5, 6 and 52: state that is lost is never lost in silence.
#[tokio::test]
async fn a_session_that_is_gone_is_not_replaced_in_silence() {
    let clock = ManualClock::new();
    let context = serve_on(&clock, AUTOMATIC).await;
    let invented = context.post(COUNT).header("rejoin-session", "A".repeat(43)).send().await.unwrap();
    Reply::of(invented).await.is_fault(404, "SessionNotFound");
    let mut browser = Browser::at(&context);
    browser.post("data", COUNT).await.is_completed().says(&says_count(1));
    clock.advance(Duration::from_mins(11));
    browser.post("data", COUNT).await.is_fault(410, "SessionEnded").says("reason=\"idle\"");
    // It has been told, so the browser has forgotten the cookie, and begins anew.
    browser.post("data", COUNT).await.is_completed().says(&says_count(1)).says("created=\"true\"");
}

/// A request that fails leaves no session behind, and nobody hears an id.
#[tokio::test]
async fn a_request_that_fails_gets_no_session() {
    let context = serve(AUTOMATIC).await;
    let failing = "<sqlUpdateStatement name=\"u\"><expression>DELETE FROM nowhere</expression></sqlUpdateStatement>";
    let reply = context.perform(failing).await;
    reply.is_fault(422, "ActivityFailed");
    assert!(reply.header("set-cookie").is_empty() && reply.header("rejoin-session").is_empty(), "{reply:?}");
}
