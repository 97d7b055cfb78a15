//! How owners look at their sessions and end them, through HTTP. The numbers are those of the list of behaviours in
//! `docs/sessions.md`.

use std::time::Duration;

use rejoin::document::{Element, GrantedTimeout, Limits, SessionState, SessionStatusDocument};
use rejoin::session::ManualClock;
use reqwest::Method;

use crate::context::{Context, Reply};

/// A request to `…/session`.
async fn own(context: &Context, method: Method, id: &str) -> Reply {
    let url = format!("{}/session", context.url());
    Reply::of(context.client.request(method, url).header("rejoin-session", id).send().await.unwrap()).await
}

async fn look(context: &Context, id: &str) -> Reply {
    own(context, Method::GET, id).await
}

async fn end(context: &Context, id: &str) -> Reply {
    own(context, Method::DELETE, id).await
}

#[track_caller]
fn status_of(reply: &Reply) -> SessionStatusDocument {
    SessionStatusDocument::parse(reply.text.as_bytes(), &Limits::default()).expect(&reply.text)
}

fn set(name: &str, value: &str) -> String {
    format!(
        "<sessionAttributeManagement name=\"set-{name}\"><setAttribute name=\"{name}\">{value}</setAttribute></sessionAttributeManagement>"
    )
}

fn join(id: &str) -> String {
    format!("<session id=\"{id}\"/>")
}

const NAP: &str = "<sleep name=\"nap\" duration=\"PT10M\"/>";

/// A request that holds the session until it is stopped.
async fn hold(context: &Context, id: &str) -> tokio::task::JoinHandle<Reply> {
    let request = context.post(&format!("{}{NAP}", join(id)));
    let holding = tokio::spawn(async { Reply::of(request.send().await.unwrap()).await });
    while status_of(&look(context, id).await).requests.is_empty() {}
    holding
}

/// A context on a clock that is driven, and with a static attribute.
async fn driven() -> (Context, ManualClock) {
    let clock = ManualClock::new();
    let greeting = "<sessionConfiguration xmlns='http://ogsadai.org.uk/namespaces/2005/10/config'>
        <sessionManagerFactory impl='rejoin.TransientSessionManagerFactory'>
          <sessionAttribute name='greeting' impl='rejoin.Text'><text>hello</text></sessionAttribute>
        </sessionManagerFactory></sessionConfiguration>";
    let session = rejoin::document::SessionConfiguration::parse(greeting.as_bytes(), &Limits::default()).unwrap();
    let context =
        Context::with(|builder, resource| builder.resource(resource.session(session)).clock(clock.clone())).await;
    (context, clock)
}

#[tokio::test]
async fn an_owner_sees_how_a_session_stands_and_looking_does_not_touch_it() {
    // Behaviours 24, 34 and 64.
    let (context, clock) = driven().await;
    let id = context.create().await;
    let keep = format!("{}{}{}", join(&id), set("label", "nightly run"), set("town", "Oban"));
    context.perform(&keep).await.is_completed();
    clock.advance(Duration::from_secs(5));
    let reply = look(&context, &id).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/xml"));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(!reply.text.contains(&id), "the id is a secret: {}", reply.text);
    let status = status_of(&reply);
    assert_eq!((status.state, status.implicit, status.fence), (SessionState::Available, false, 2));
    assert_eq!(status.label.as_deref(), Some("nightly run"));
    assert_eq!((status.owner, status.timeout), (None, Some(GrantedTimeout::After(Duration::from_mins(10)))));
    assert_eq!(status.idle_expires.unwrap() - status.released.unwrap(), chrono::TimeDelta::minutes(10));
    assert_eq!((status.attributes.count, status.attributes.bytes), (3, 24));
    let attributes: Vec<_> =
        status.attributes.list.iter().map(|it| (&*it.name, &*it.type_name, it.is_static)).collect();
    assert_eq!(attributes, [("greeting", "text", true), ("label", "text", false), ("town", "text", false)]);
    // The idle time ran on: 5 s before, 595 s from here.
    clock.advance(Duration::from_secs(594));
    assert_eq!(look(&context, &id).await.status, 200);
    clock.advance(Duration::from_secs(1));
    let ended = look(&context, &id).await;
    ended.is_fault(410, "SessionEnded").says("reason=\"idle\"").says("time=\"2026-01-01T00:10:00.000Z\"");
}

#[tokio::test]
async fn a_session_is_ended_and_ended_again() {
    // Behaviours 7, 34 and 37.
    let context = Context::new().await;
    let id = context.create().await;
    for _ in 0..2 {
        let reply = end(&context, &id).await;
        assert_eq!((reply.status, &*reply.text), (204, ""));
    }
    look(&context, &id).await.is_fault(410, "SessionEnded").says("reason=\"terminated\"").says("time=\"");
    context.perform(&join(&id)).await.is_fault(410, "SessionEnded");
}

#[tokio::test]
async fn a_session_that_was_never_there_is_told_as_such() {
    // Behaviours 34 and 35.
    let context = Context::new().await;
    for reply in [look(&context, &"A".repeat(43)).await, end(&context, &"A".repeat(43)).await] {
        reply.is_fault(404, "SessionNotFound").says("recreateSession=\"true\"");
    }
    look(&context, "nonsense").await.is_fault(400, "SessionRequirementInvalid");
    let nameless = context.client.get(format!("{}/session", context.url())).send().await.unwrap();
    Reply::of(nameless).await.is_fault(400, "SessionRequirementInvalid").says("`rejoin-session`");
    let id = context.create().await;
    let asked = context.client.get(format!("{}/session?wait=1", context.url())).header("rejoin-session", &id);
    Reply::of(asked.send().await.unwrap()).await.is_fault(400, "RequestInvalid").says("`wait`");
}

#[tokio::test]
async fn a_session_is_ended_while_a_request_holds_it_and_others_wait() {
    // Behaviours 37 and 65: terminate while joined; those who wait get 410 and do not wait for the holder.
    let context = Context::new().await;
    let id = context.create().await;
    let holding = hold(&context, &id).await;
    let wait = context.post(&format!("<session id=\"{id}\" wait=\"PT1M\"/>{}", set("x", "1")));
    let waiting = tokio::spawn(async { Reply::of(wait.send().await.unwrap()).await });
    while status_of(&look(&context, &id).await).waiters == 0 {}
    let reply = end(&context, &id).await;
    let status = match reply.status {
        // The holder had stopped by the time that the answer was written.
        204 => None,
        _ => Some(status_of(&reply)),
    };
    assert!(status.is_none_or(|status| status.state == SessionState::Closing && reply.status == 202));
    waiting.await.unwrap().is_fault(410, "SessionEnded").says("reason=\"terminated\"");
    holding.await.unwrap().is_fault(410, "SessionEnded").says("reason=\"terminated\"");
    look(&context, &id).await.is_fault(410, "SessionEnded");
    assert_eq!(end(&context, &id).await.status, 204);
}

#[tokio::test]
async fn those_who_wait_behind_a_terminating_request_are_told() {
    // Behaviour 7, while others wait.
    let context = Context::new().await;
    let id = context.create().await;
    let short = "<sleep name=\"nap\" duration=\"PT0.2S\"/>";
    let terminate = context.post(&format!("<session id=\"{id}\" mode=\"terminate\"/>{short}"));
    let holding = tokio::spawn(async { Reply::of(terminate.send().await.unwrap()).await });
    while look(&context, &id).await.text.contains("AVAILABLE") {}
    let waiting = context.perform(&format!("<session id=\"{id}\" wait=\"PT1M\"/>")).await;
    waiting.is_fault(410, "SessionEnded").says("reason=\"terminated\"");
    holding.await.unwrap().is_completed();
}

#[tokio::test]
async fn who_is_refused_is_told_since_when_the_session_is_held_and_by_how_many_it_is_waited_for() {
    // Behaviour 15.
    let context = Context::new().await;
    let id = context.create().await;
    let holding = hold(&context, &id).await;
    let since = status_of(&look(&context, &id).await).requests[0].since.unwrap();
    let since = since.format("%FT%T%.3fZ");
    let refused = context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await;
    refused
        .is_fault(423, "SessionInUse")
        .says(&format!("has held the session since {since}, and 0 more wait for it; try again, or wait longer"))
        .says("retryable=\"true\" retryAfter=\"1\"");
    assert_eq!(refused.header("retry-after"), "1");
    end(&context, &id).await;
    holding.await.unwrap();
}

#[tokio::test]
async fn without_retention_an_ended_session_is_unknown_at_once() {
    // Behaviour 36.
    let context = Context::with(|builder, mut resource| {
        resource.session.retention = Duration::ZERO;
        builder.resource(resource)
    })
    .await;
    let id = context.create().await;
    assert_eq!(end(&context, &id).await.status, 204);
    look(&context, &id).await.is_fault(404, "SessionNotFound");
    end(&context, &id).await.is_fault(404, "SessionNotFound");
}

#[tokio::test]
async fn an_end_is_forgotten_after_the_retention_time() {
    // Behaviour 36.
    let (context, clock) = driven().await;
    let id = context.create().await;
    end(&context, &id).await;
    clock.advance(Duration::from_secs(3599));
    look(&context, &id).await.is_fault(410, "SessionEnded");
    clock.advance(Duration::from_secs(1));
    let forgotten = look(&context, &id).await;
    let unknown = look(&context, &"A".repeat(43)).await;
    forgotten.is_fault(404, "SessionNotFound");
    let without_request = |reply: &Reply| {
        let fault = Element::parse(reply.text.as_bytes(), &Limits::default()).unwrap();
        reply.text.replace(fault.attribute("requestId").unwrap(), "")
    };
    assert_eq!(without_request(&forgotten), without_request(&unknown), "the same bytes");
}

#[tokio::test]
async fn a_page_of_another_site_ends_no_session() {
    // Behaviour 47.
    let context = Context::new().await;
    let id = context.create().await;
    let url = format!("{}/session", context.url());
    let request = context.client.delete(url).header("rejoin-session", &id).header("origin", "http://evil.example");
    Reply::of(request.send().await.unwrap()).await.is_fault(403, "Forbidden");
    assert_eq!(look(&context, &id).await.status, 200);
}

#[tokio::test]
async fn who_ends_a_session_by_cookie_is_rid_of_the_cookie() {
    // Behaviours 44, 45 and 47.
    let context = Context::with(|builder, mut resource| {
        resource.session.carrier.cookie = Some(rejoin::document::CookieSettings::default());
        let operator = Element::new("authentication", Some(rejoin::document::CONFIGURATION_NAMESPACE))
            .with_attribute("impl", "none")
            .with_attribute("role", "operator");
        builder.resource(resource).authentication(operator, ".")
    })
    .await;
    let id = context.create().await;
    let url = format!("{}/session", context.url());
    let ask = async |method: Method, proof: &'static str| {
        let request = context.client.request(method, &url).header("cookie", format!("__Host-Rejoin-Session-data={id}"));
        let request = if proof.is_empty() { request } else { request.header("x-requested-with", proof) };
        Reply::of(request.send().await.unwrap()).await
    };
    assert_eq!(ask(Method::GET, "").await.status, 200);
    ask(Method::DELETE, "").await.is_fault(403, "Forbidden");
    for _ in 0..2 {
        let reply = ask(Method::DELETE, "test").await;
        assert_eq!(reply.status, 204);
        assert!(reply.header("set-cookie").ends_with("Max-Age=0"), "{:?}", reply.headers);
    }
    let ended = ask(Method::GET, "").await;
    assert!(ended.is_fault(410, "SessionEnded").header("set-cookie").ends_with("Max-Age=0"), "{:?}", ended.headers);
    // Of an unknown handle nothing is said about the session that the cookie names.
    let by_handle = context.client.get(format!("{}/sessions/x", context.url()));
    let by_handle = by_handle.header("cookie", format!("__Host-Rejoin-Session-data={id}")).send().await.unwrap();
    assert_eq!(Reply::of(by_handle).await.is_fault(404, "SessionNotFound").header("set-cookie"), "");
}
