//! How session ids travel: in the element, the header and the cookie, and from which pages. The numbers are those of the list of
//! behaviours in `docs/sessions.md`.

mod automatic;
mod browser;
mod cookie;
mod origins;
mod secrecy;

use rejoin::document::{Limits, SessionConfiguration};
use rejoin::service::{ConfiguredResource, ServerBuilder};
use rejoin::session::ManualClock;

use crate::context::Context;
use browser::Browser;

const COUNT: &str = "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"n\"/><output name=\"now\"/></sessionAttributeManagement>";

/// The name of the cookie of the resource `data`.
const COOKIE: &str = "__Host-Rejoin-Session-data";

/// A session configuration document with that in its factory.
pub(crate) fn configuration(content: &str) -> SessionConfiguration {
    let document = format!(
        "<sessionConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\
         <sessionManagerFactory impl=\"rejoin.TransientSessionManagerFactory\">{content}</sessionManagerFactory>\
         </sessionConfiguration>"
    );
    SessionConfiguration::parse(document.as_bytes(), &Limits::default()).unwrap()
}

/// A server whose resource is configured by that document.
async fn serve(content: &str) -> Context {
    serve_with(content, |builder| builder).await
}

async fn serve_with(content: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Context {
    let session = configuration(content);
    Context::with(|builder, resource| configure(builder.resource(resource.session(session)))).await
}

/// The same on a clock that stands still.
async fn serve_on(clock: &ManualClock, content: &str) -> Context {
    serve_with(content, |builder| builder.clock(clock.clone())).await
}

/// What one request counts, read from an answer.
fn says_count(count: u32) -> String {
    format!("<attribute name=\"n\" type=\"integer\">{count}</attribute>")
}

/// Behaviours 8 and 44: whatever created a session, each of the three joins it, and all at once.
#[tokio::test]
async fn element_header_and_cookie_name_the_same_session() {
    let context = serve("<carrier header=\"X-Conversation\" cookie=\"true\"/>").await;
    let id = context.create().await;
    let cookie = format!("__Host-X-Conversation-data={id}");
    let element = format!("<session id=\"{id}\"/>{COUNT}");
    let by_element = context.post(&element);
    let by_header = context.post(COUNT).header("x-conversation", &id);
    let by_header_in_capitals = context.post(COUNT).header("X-CONVERSATION", &id);
    let by_cookie = context.post(COUNT).header("cookie", &cookie).header("x-requested-with", "test");
    let by_all = context.post(&element).header("x-conversation", &id).header("cookie", &cookie);
    let by_cookie_and_element = context.post(&element).header("cookie", &cookie).header("x-requested-with", "test");
    let requests = [by_element, by_header, by_header_in_capitals, by_cookie, by_all, by_cookie_and_element];
    for (count, request) in (1..).zip(requests) {
        crate::context::Reply::of(request.send().await.unwrap()).await.is_completed().says(&says_count(count));
    }
}

/// Behaviour 8: the refusal names the two that differ.
#[tokio::test]
async fn carriers_that_name_different_sessions_are_refused() {
    let context = serve("<carrier cookie=\"true\"/>").await;
    let (one, other) = (context.create().await, context.create().await);
    let cookie = format!("{COOKIE}={other}");
    let element = format!("<session id=\"{one}\"/>");
    let refused = async |request: reqwest::RequestBuilder| {
        let reply = crate::context::Reply::of(request.send().await.unwrap()).await;
        reply.is_fault(400, "SessionRequirementInvalid").says("different sessions");
        assert!(!reply.text.contains(&one) && !reply.text.contains(&other), "{}", reply.text);
        reply
    };
    let proof = ("x-requested-with", "test");
    let reply = refused(context.post(&element).header("rejoin-session", &other)).await;
    reply.says("the session element and the header `rejoin-session`").at(2, 1);
    let reply = refused(context.post(&element).header("cookie", &cookie).header(proof.0, proof.1)).await;
    reply.says("the session element and the cookie `__Host-Rejoin-Session-data`").at(2, 1);
    let reply = refused(context.post("").header("cookie", &cookie).header("rejoin-session", &one)).await;
    reply.says("the header `rejoin-session` and the cookie `__Host-Rejoin-Session-data`");
}

/// Each resource has a cookie of its own, so that the sessions of two don't meet in the jar of one browser.
#[tokio::test]
async fn two_resources_share_a_jar() {
    let context = serve_with("<carrier cookie=\"true\"/>", |builder| {
        builder.resource(ConfiguredResource::new("other", ".").session(configuration("<carrier cookie=\"true\"/>")))
    })
    .await;
    let mut browser = Browser::at(&context);
    for (resource, count) in [("data", 1), ("other", 1), ("data", 2), ("other", 2), ("data", 3)] {
        let document = format!("<session mode=\"joinOrCreate\"/>{COUNT}");
        browser.post(resource, &document).await.is_completed().says(&says_count(count));
    }
    assert_eq!(browser.cookies().collect::<Vec<_>>(), [COOKIE, "__Host-Rejoin-Session-other"]);
}
