//! Who reaches the streams of a session, and how.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use rejoin::document::{Element, Limits};
use rejoin::service::{AuthenticationError, Authenticator, AuthenticatorError, Caller, Role};
use rejoin::session::Principal;
use reqwest::Method;

use super::{OUTPUT, THROUGH, begin, post, put, read, reply, stream};
use crate::context::{Context, Reply};

/// Who says so is that one.
#[derive(Debug)]
struct Names;

#[async_trait]
impl Authenticator for Names {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError> {
        let name = headers.get("name").map_or("", |name| name.to_str().unwrap());
        Ok(Caller { principal: Principal::new(name), role: Role::User })
    }
}

async fn with_names() -> Context {
    let element = Element::parse(b"<authentication impl='test.Names'/>", &Limits::default()).unwrap();
    Context::with(|builder, resource| {
        let names =
            |_: &Element, _: &Path| -> Result<Arc<dyn Authenticator>, AuthenticatorError> { Ok(Arc::new(Names)) };
        builder.authenticator("test.Names", names).authentication(element, ".").resource(resource)
    })
    .await
}

/// Behaviours 35 and 53.
#[tokio::test]
async fn the_streams_of_others_are_those_of_a_session_that_never_was() {
    let context = with_names().await;
    let id = begin(&context, OUTPUT).await;
    let unknown = "A".repeat(43);
    let without_id = |reply: Reply| reply.text.split("requestId").next().unwrap().to_owned();
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        let strange = reply(stream(&context, method.clone(), &id, "tap").header("name", "stranger")).await;
        strange.is_fault(404, "SessionNotFound");
        let never = reply(stream(&context, method, &unknown, "tap")).await;
        assert_eq!((without_id(strange)), without_id(never));
    }
    let stop = context.client.delete(format!("{}/session/request", context.url())).header("rejoin-session", &id);
    reply(stop.header("name", "stranger")).await.is_fault(404, "SessionNotFound");
    assert_eq!(read(&context, &id, "tap").await.text, "one,two,three");
}

#[tokio::test]
async fn what_is_no_request_to_a_stream_is_refused() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    let url = format!("{}/session/streams/tap", context.url());
    reply(context.client.get(&url)).await.is_fault(400, "SessionRequirementInvalid").says("rejoin-session");
    for query in ["blocks=0", "blocks=x", "block=1", "blocks=1&blocks=2", "blocks"] {
        let request = context.client.get(format!("{url}?{query}")).header("rejoin-session", &id);
        reply(request).await.is_fault(400, "RequestInvalid");
    }
    reply(stream(&context, Method::PUT, &id, "feed").query(&[("blocks", 1)])).await.is_fault(400, "RequestInvalid");
    let wrong = reply(stream(&context, Method::GET, &id, "feed")).await;
    assert_eq!(wrong.is_fault(405, "MethodNotAllowed").says("PUT").header("allow"), "PUT,POST,DELETE");
    let wrong = reply(put(&context, &id, "tap", "x")).await;
    assert_eq!(wrong.is_fault(405, "MethodNotAllowed").says("GET").header("allow"), "GET,DELETE");
    assert_eq!(reply(stream(&context, Method::HEAD, &id, "tap")).await.header("allow"), "GET,PUT,POST,DELETE");
    assert_eq!(stream(&context, Method::HEAD, &id, "tap").send().await.unwrap().status(), 405);
    read(&context, &id, "tab").await.is_fault(404, "StreamNotFound").says("did you mean `tap`?");
    let page = post(&context, &id, "feed", "x").header("origin", "https://evil.example");
    reply(page).await.is_fault(403, "Forbidden");
    let json = stream(&context, Method::GET, &id, "no").header("accept", "application/problem+json");
    let json = reply(json).await;
    assert_eq!((json.status, json.header("content-type")), (404, "application/problem+json"));
    json.says("\"code\":\"StreamNotFound\"");
}

#[tokio::test]
async fn neither_a_block_nor_an_answer_of_many_is_larger_than_a_document() {
    let context = Context::new().await;
    let limit = usize::try_from(Limits::default().document_bytes).unwrap();
    let id = begin(&context, THROUGH).await;
    reply(post(&context, &id, "feed", "x".repeat(limit + 1))).await.is_fault(413, "DocumentTooLarge");
    let writing = tokio::spawn(put(&context, &id, "feed", "x".repeat(limit + 100)).send());
    let first = super::read_blocks(&context, &id, "tap", 1_000_000).await;
    assert_eq!((first.text.len(), first.header("rejoin-stream")), (limit, "open"));
    assert_eq!(read(&context, &id, "tap").await.text.len(), 100);
    assert_eq!(writing.await.unwrap().unwrap().status(), 204);
}

#[tokio::test]
async fn over_http_1_0_a_stream_is_read_by_blocks_alone() {
    let context = Context::new().await;
    let id = begin(&context, OUTPUT).await;
    let old = |blocks: Option<u32>| {
        let request = stream(&context, Method::GET, &id, "tap").version(reqwest::Version::HTTP_10);
        blocks.map_or(request.try_clone().unwrap(), |blocks| request.query(&[("blocks", blocks)]))
    };
    reply(old(None)).await.is_fault(505, "HttpVersionNotSupported").says("?blocks=n");
    assert_eq!(reply(old(Some(5))).await.text, "one,two,three");
}

/// Behaviours 45 and 47.
#[tokio::test]
async fn a_page_uses_streams_by_cookie_and_has_to_prove_itself() {
    let session = crate::carriers::configuration("<carrier cookie=\"true\"/>");
    let context = Context::with(|builder, resource| builder.resource(resource.session(session))).await;
    let id = begin(&context, OUTPUT).await;
    let url = format!("{}/session/streams/tap", context.url());
    let by_cookie = || context.client.get(&url).header("cookie", format!("__Host-Rejoin-Session-data={id}"));
    // Reading takes from the stream, so a page of somebody else must not make a browser do it.
    reply(by_cookie()).await.is_fault(403, "Forbidden");
    assert_eq!(reply(by_cookie().header("x-requested-with", "test")).await.text, "one,two,three");
    // No cookie brings the id of an implicit session: its page is told.
    let of_page = context.post(OUTPUT).header("sec-fetch-site", "same-origin");
    let begun = reply(of_page).await;
    assert_eq!((begun.status, begun.header("set-cookie")), (202, ""));
    let id = begun.session_id();
    assert_eq!(begun.header("rejoin-session"), id);
    assert_eq!(read(&context, &id, "tap").await.text, "one,two,three");
}
