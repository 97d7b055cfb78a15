//! The session cookie: what it looks like, when it is set and cleared, and what a page sees of the id.

use std::time::Duration;

use rejoin::session::ManualClock;

use super::{Browser, COOKIE, COUNT, says_count, serve, serve_on};
use crate::context::{Context, Reply};

const CREATE: &str = "<session/>";

/// The one `Set-Cookie` of an answer.
#[track_caller]
fn set_cookie(reply: &Reply) -> &str {
    let mut lines = reply.headers.get_all("set-cookie").iter();
    let line = lines.next().map_or("", |line| line.to_str().unwrap());
    assert!(lines.next().is_none(), "{:?}", reply.headers);
    line
}

fn cleared() -> String {
    format!("{COOKIE}=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0")
}

/// A request with that in the cookie, and the proof that no other page sent it.
async fn with_cookie(context: &Context, value: &str, content: &str) -> Reply {
    let request =
        context.post(content).header("cookie", format!("{COOKIE}={value}")).header("x-requested-with", "test");
    Reply::of(request.send().await.unwrap()).await
}

/// Behaviour 45.
#[tokio::test]
async fn the_cookie_lives_as_long_as_the_session_has_left() {
    let clock = ManualClock::new();
    let context =
        serve_on(&clock, "<timeout default=\"PT10M\"/><lifetime max=\"PT15M\"/><carrier cookie=\"true\"/>").await;
    let reply = context.perform(CREATE).await;
    let id = reply.is_completed().session_id();
    let expected = |age: u32| format!("{COOKIE}={id}; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age={age}");
    assert_eq!(set_cookie(&reply), expected(600));
    clock.advance(Duration::from_mins(4));
    assert_eq!(set_cookie(&with_cookie(&context, &id, "").await), expected(600), "refreshed");
    clock.advance(Duration::from_mins(4));
    assert_eq!(set_cookie(&with_cookie(&context, &id, "").await), expected(420), "its lifetime ends before");
    let read = with_cookie(&context, &id, "<session access=\"read\"/>").await;
    assert_eq!(set_cookie(read.is_completed()), expected(420));
}

/// Behaviour 45.
#[tokio::test]
async fn a_session_without_an_end_has_a_cookie_without_an_age() {
    let content = "<timeout default=\"unbounded\" max=\"unbounded\"/><lifetime max=\"unbounded\"/>\
                   <carrier cookie=\"true\" sameSite=\"Lax\"/>";
    let context = serve(content).await;
    let reply = context.perform(CREATE).await;
    let expected = format!("{COOKIE}={}; HttpOnly; SameSite=Lax; Secure; Path=/", reply.session_id());
    assert_eq!(set_cookie(&reply), expected);
}

/// Behaviour 46.
#[tokio::test]
async fn over_plain_http_the_cookie_has_to_be_asked_for_and_looks_different() {
    let context = serve("<carrier cookie=\"true\" insecureCookie=\"true\"/>").await;
    let reply = context.perform(CREATE).await;
    let id = reply.session_id();
    let expected = format!("Rejoin-Session-data={id}; HttpOnly; SameSite=Strict; Path=/; Max-Age=600");
    assert_eq!(set_cookie(&reply), expected);
    let joined =
        context.post(COUNT).header("cookie", format!("Rejoin-Session-data={id}")).header("sec-fetch-site", "none");
    Reply::of(joined.send().await.unwrap()).await.is_completed().says("created=\"false\"");
}

/// Behaviour 45.
#[tokio::test]
async fn the_cookie_is_cleared_when_it_names_no_session_any_more() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let id = context.create().await;
    let reply = with_cookie(&context, &id, "<session mode=\"terminate\"/>").await;
    assert_eq!(set_cookie(reply.is_completed()), cleared(), "ended by this request");
    let reply = with_cookie(&context, &id, COUNT).await;
    assert_eq!(set_cookie(reply.is_fault(410, "SessionEnded")), cleared());
    let reply = with_cookie(&context, &id, "<session mode=\"terminate\"/>").await;
    assert_eq!(set_cookie(reply.is_completed()), cleared(), "ended again");
    let reply = with_cookie(&context, &"A".repeat(43), COUNT).await;
    assert_eq!(set_cookie(reply.is_fault(404, "SessionNotFound")), cleared());
    let reply = with_cookie(&context, "nonsense", COUNT).await;
    assert_eq!(set_cookie(reply.is_fault(400, "SessionRequirementInvalid")), cleared());
}

#[tokio::test]
async fn a_cookie_that_stands_there_twice_is_refused_and_left_alone() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let (one, other) = (context.create().await, context.create().await);
    let reply = with_cookie(&context, &format!("{one}; {COOKIE}={other}"), COUNT).await;
    assert_eq!(set_cookie(reply.is_fault(400, "SessionRequirementInvalid").says("twice")), "");
    with_cookie(&context, &format!("{one}; {COOKIE}={one}"), COUNT).await.is_completed();
}

/// Behaviour 45.
#[tokio::test]
async fn a_session_whose_lifetime_is_over_at_its_release_takes_the_cookie_with_it() {
    let clock = ManualClock::new();
    let context = serve_on(
        &clock,
        "<timeout default=\"PT1M\"/><lifetime max=\"PT1M\"/><join execution=\"unbounded\"/><carrier cookie=\"true\"/>",
    )
    .await;
    let id = context.create().await;
    let nap = "<sleep name=\"nap\" duration=\"PT2M\"/>";
    let (reply, ()) = tokio::join!(with_cookie(&context, &id, nap), async {
        while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
        clock.advance(Duration::from_mins(2));
    });
    assert_eq!(set_cookie(reply.is_completed()), cleared());
}

#[tokio::test]
async fn whoever_uses_element_or_header_gets_no_cookie() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let id = context.create().await;
    assert_eq!(set_cookie(&context.perform(&format!("<session id=\"{id}\"/>")).await), "");
    let by_header = context.post("<session rotate=\"true\"/>").header("rejoin-session", &id);
    let rotated = Reply::of(by_header.send().await.unwrap()).await;
    assert_eq!(set_cookie(rotated.is_completed()), "");
    let ended = context.perform(&format!("<session id=\"{}\" mode=\"terminate\"/>", rotated.session_id())).await;
    assert_eq!(set_cookie(ended.is_completed()), "");
    assert_eq!(set_cookie(&context.perform(COUNT).await), "", "an implicit session has none");
    assert_eq!(set_cookie(&context.perform(&format!("<session id=\"{id}\"/>")).await), "", "a fault neither");
}

#[tokio::test]
async fn without_the_setting_cookies_are_ignored() {
    let context = Context::new().await;
    let reply = context.perform(CREATE).await;
    assert_eq!(set_cookie(&reply), "");
    let ignored = with_cookie(&context, &reply.session_id(), COUNT).await;
    assert_ne!(ignored.is_completed().session_id(), reply.session_id());
    with_cookie(&context, "nonsense", COUNT).await.is_completed();
}

/// Behaviour 54, by cookie.
#[tokio::test]
async fn a_rotated_id_comes_in_the_cookie() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let mut browser = Browser::at(&context);
    browser.post("data", &format!("{CREATE}{COUNT}")).await.is_completed();
    let before = browser.cookie(COOKIE).to_owned();
    let rotated = browser.post("data", &format!("<session rotate=\"true\"/>{COUNT}")).await;
    rotated.is_completed().says(&says_count(2));
    let after = browser.cookie(COOKIE).to_owned();
    assert_ne!(before, after);
    assert!(!rotated.text.contains(&after) && rotated.header("rejoin-session").is_empty(), "{rotated:?}");
    browser.post("data", COUNT).await.is_completed().says(&says_count(3));
    browser.set_cookie(COOKIE, &before);
    browser.post("data", COUNT).await.is_fault(410, "SessionEnded").says("killed");
    assert_eq!(browser.cookies().count(), 0);
}

/// A script that runs in the page may be anybody's.
#[tokio::test]
async fn a_page_does_not_see_the_id() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let mut browser = Browser::at(&context);
    let echo = "<echo name=\"e\"><text>hello</text><output name=\"o\"/></echo>";
    let stream = "<sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                  LIMIT 50000) SELECT i FROM n</expression><resultStream name=\"r\"/></sqlQueryStatement>\
                  <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"o\"/></sqlResultsToCSV>";
    for content in ["<session mode=\"joinOrCreate\"/>", "", echo, stream, "<session/>", &format!("<session/>{stream}")]
    {
        for raw in [false, true] {
            if raw && !content.contains("output") && !content.contains("csvOutput") {
                continue;
            }
            let request = browser.request("data", content);
            let request = if raw { request.query(&[("return", "o")]) } else { request };
            let reply = browser.send(request).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let id = browser.cookie(COOKIE);
            assert_eq!(id.len(), 43, "{content}");
            assert!(!reply.text.contains(id) && reply.header("rejoin-session").is_empty(), "{content}: {reply:?}");
            assert!(!reply.header("rejoin-session-expires").is_empty(), "{content}");
            assert!(raw || reply.text.contains("<session created="), "{content}: {}", reply.text);
        }
    }
    let id = browser.cookie(COOKIE).to_owned();
    let told = context.perform(&format!("<session id=\"{id}\"/>")).await;
    assert_eq!(told.is_completed().session_id(), id, "who knows the id may hear it");
}

/// The head of an answer that streams goes out before the session is released.
#[tokio::test]
async fn an_answer_that_streams_has_its_cookie_too() {
    let clock = ManualClock::new();
    let context = serve_on(&clock, "<carrier cookie=\"true\"/>").await;
    let id = context.create().await;
    let stream = "<sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                  LIMIT 50000) SELECT i FROM n</expression><resultStream name=\"r\"/></sqlQueryStatement>\
                  <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"o\"/></sqlResultsToCSV>";
    let reply = with_cookie(&context, &id, stream).await;
    let expected = format!("{COOKIE}={id}; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=600");
    assert_eq!(set_cookie(reply.says("status=\"PROCESSING\"")), expected);
    let reply = with_cookie(&context, &id, &format!("<session mode=\"terminate\"/>{stream}")).await;
    assert_eq!(set_cookie(reply.says("status=\"PROCESSING\"")), cleared());
}

/// Behaviours 45 and 47: by cookie a session is looked at freely, and ended with a proof.
#[tokio::test]
async fn a_session_is_looked_at_and_ended_by_cookie() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let id = context.create().await;
    let url = format!("{}/session", context.url());
    let cookie = format!("{COOKIE}={id}");
    let send = async |request: reqwest::RequestBuilder| {
        Reply::of(request.header("cookie", &cookie).send().await.unwrap()).await
    };
    let shown = send(context.client.get(&url)).await;
    assert_eq!((shown.status, set_cookie(&shown)), (200, ""), "{}", shown.text);
    assert!(!shown.text.contains(&id), "{}", shown.text);
    send(context.client.delete(&url)).await.is_fault(403, "Forbidden");
    let ended = send(context.client.delete(&url).header("x-requested-with", "test")).await;
    assert_eq!((ended.status, set_cookie(&ended)), (204, &*cleared()), "{}", ended.text);
    let shown = send(context.client.get(&url)).await;
    assert_eq!(set_cookie(shown.is_fault(410, "SessionEnded")), cleared());
    let unnamed = Reply::of(context.client.get(&url).send().await.unwrap()).await;
    unnamed.is_fault(400, "SessionRequirementInvalid").says("the header `rejoin-session` or the cookie");
}

/// A session that ends with a request that goes on is reached by its cookie until then.
#[tokio::test]
async fn a_request_that_goes_on_keeps_its_cookie() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let id = context.create().await;
    let cookie = format!("{COOKIE}={id}");
    let request = context.post("<session mode=\"terminate\"/><sleep name=\"nap\" duration=\"PT10M\"/>");
    let request =
        request.header("prefer", "respond-async").header("x-requested-with", "test").header("cookie", &cookie);
    let accepted = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    assert!(set_cookie(&accepted).starts_with(&format!("{cookie}; ")), "{accepted:?}");
    assert!(!accepted.text.contains(&id), "{}", accepted.text);
    let shown = context.client.get(format!("{}/session", context.url())).header("cookie", &cookie);
    Reply::of(shown.send().await.unwrap()).await.says("state=\"BUSY\"");
}
