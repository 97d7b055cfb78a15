//! Pages of other origins: what they may not do by the reader's cookie, and what those that are listed may.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use rejoin::document::{CONFIGURATION_NAMESPACE, Element};
use rejoin::service::{AuthenticationError, Authenticator, AuthenticatorError, Caller, ConfiguredResource};
use reqwest::{Method, RequestBuilder};

use super::{COOKIE, COUNT, configuration, says_count, serve, serve_with};
use crate::context::{Context, Reply, perform};

const LISTED: &str = "https://app.example.org";

const CONTENT: &str =
    "<carrier cookie=\"true\"><origin>https://app.example.org</origin><origin>http://localhost:3000</origin></carrier>";

async fn reply(request: RequestBuilder) -> Reply {
    Reply::of(request.send().await.unwrap()).await
}

/// Behaviour 47.
#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let context = serve(CONTENT).await;
    let id = context.create().await;
    let own = context.server.url();
    let post = || context.post(COUNT).header("cookie", format!("{COOKIE}={id}"));
    for (name, value) in [
        ("x-other", "nothing"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let refused = reply(post().header(name, value)).await;
        refused.is_fault(403, "Forbidden");
        assert!(refused.header("set-cookie").is_empty(), "{name}: {value}");
    }
    reply(post()).await.is_fault(403, "Forbidden").says("X-Requested-With");
    let mut count = 0;
    for (name, value) in [
        ("origin", own.as_str()),
        ("origin", LISTED),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("x-requested-with", "XMLHttpRequest"),
        ("rejoin-session", &id),
    ] {
        count += 1;
        reply(post().header(name, value)).await.is_completed().says(&says_count(count));
    }
    // Who names the session otherwise is no browser that was made to.
    context.perform(&format!("<session id=\"{id}\"/>{COUNT}")).await.is_completed().says(&says_count(count + 1));
}

fn preflight(context: &Context, path: &str, origin: &str) -> RequestBuilder {
    let url = format!("{}/services/{path}", context.server.url());
    let request = context.client.request(Method::OPTIONS, url).header("origin", origin);
    request.header("access-control-request-method", "POST").header("access-control-request-headers", "rejoin-session")
}

/// Behaviour 48.
#[tokio::test]
async fn a_browser_is_told_what_a_listed_page_may_send() {
    let context = serve(CONTENT).await;
    for path in ["data", "data/session", "data/session/streams/in"] {
        for origin in [LISTED, "http://localhost:3000"] {
            let allowed = reply(preflight(&context, path, origin)).await;
            assert_eq!((allowed.status, allowed.text.as_str()), (204, ""), "{path}");
            for (name, value) in [
                ("access-control-allow-origin", origin),
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
                (
                    "access-control-allow-headers",
                    "rejoin-session, accept, authorization, content-type, idempotency-key, prefer, x-requested-with",
                ),
                ("access-control-max-age", "600"),
                ("vary", "origin"),
            ] {
                assert_eq!(allowed.header(name), value, "{path}: {name}");
            }
            assert_eq!(allowed.header("rejoin-request-id").len(), 36);
        }
        for origin in ["https://evil.example", "null", "http://app.example.org", "https://app.example.org:8443"] {
            let refused = reply(preflight(&context, path, origin)).await;
            refused.is_fault(403, "Forbidden");
            assert!(!refused.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{refused:?}");
        }
    }
    let not_asking = context.client.request(Method::OPTIONS, context.url()).header("origin", LISTED);
    reply(not_asking).await.is_fault(405, "MethodNotAllowed");
}

/// Behaviour 48.
#[tokio::test]
async fn a_listed_page_reads_answers_and_faults() {
    let context = serve(CONTENT).await;
    let url = context.url();
    let answers = [
        context.post(COUNT),
        context.post("<nonsense name=\"n\"/>"),
        context.post(&format!("<session id=\"{}\"/>", "A".repeat(43))),
        context.post("").header("content-type", "text/plain"),
        context.client.get(&url),
        context.client.get(format!("{url}/nothing")),
        context.client.delete(&url),
    ];
    for request in answers {
        let read = reply(request.header("origin", LISTED)).await;
        assert_eq!(read.header("access-control-allow-origin"), LISTED, "{read:?}");
        assert_eq!(read.header("access-control-allow-credentials"), "true");
        assert_eq!(
            read.header("access-control-expose-headers"),
            "rejoin-session, location, preference-applied, rejoin-replayed, rejoin-request-id, rejoin-request-status, \
             rejoin-session-expires, rejoin-stream, retry-after"
        );
        assert!(read.headers.get_all("vary").iter().any(|value| value == "origin"), "{read:?}");
    }
    for (name, value) in [("x-other", ""), ("origin", "https://evil.example")] {
        let hidden = reply(context.client.get(&url).header(name, value)).await;
        assert!(!hidden.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{hidden:?}");
        assert_eq!(hidden.header("vary"), "origin", "a cache must not give it to a listed page");
    }
}

/// Lets nobody in.
#[derive(Debug)]
struct Closed;

#[async_trait]
impl Authenticator for Closed {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Caller, AuthenticationError> {
        Err(AuthenticationError::Unauthenticated { challenge: "Basic".into() })
    }
}

/// Behaviour 48: what is refused before anything is looked at can be read too, and a browser may ask before it logs in.
#[tokio::test]
async fn a_listed_page_reads_that_it_has_to_say_who_it_is() {
    let context = serve_with(CONTENT, |builder| {
        let make =
            |_: &Element, _: &Path| -> Result<Arc<dyn Authenticator>, AuthenticatorError> { Ok(Arc::new(Closed)) };
        let element =
            Element::new("authentication", Some(CONFIGURATION_NAMESPACE)).with_attribute("impl", "example.Closed");
        builder.authenticator("example.Closed", make).authentication(element, ".")
    })
    .await;
    let refused = reply(context.post("").header("origin", LISTED)).await;
    refused.is_fault(401, "Unauthenticated");
    assert_eq!(refused.header("access-control-allow-origin"), LISTED);
    assert_eq!(reply(context.post("").header("origin", "null")).await.header("access-control-allow-origin"), "");
    assert_eq!(reply(preflight(&context, "data", LISTED)).await.status, 204);
}

/// Behaviour 48: what a listed page of another site sends, and that it goes on with the header.
#[tokio::test]
async fn a_listed_page_of_another_site_posts_and_no_other_does() {
    let context = serve("<carrier header=\"X-S\"><origin>https://app.example.org</origin></carrier>").await;
    let post = |content: &str, origin: &str| {
        context.post(content).header("origin", origin.to_owned()).header("sec-fetch-site", "cross-site")
    };
    let created = reply(post("<session/>", LISTED)).await;
    let id = created.is_completed().session_id();
    assert_eq!(created.header("x-s"), id, "without a cookie a page has to see the id");
    assert!(created.header("access-control-expose-headers").starts_with("x-s, "));
    assert_eq!(created.header("access-control-allow-credentials"), "", "there is no cookie to let in");
    reply(post(COUNT, LISTED).header("x-s", &id)).await.is_completed().says(&says_count(1));
    let blind = reply(post(COUNT, "https://evil.example").header("x-s", &id)).await;
    blind.is_fault(403, "Forbidden");
    assert_eq!(blind.header("access-control-allow-origin"), "");
}

/// Behaviour 48: origins belong to one resource.
#[tokio::test]
async fn the_origins_of_one_resource_are_not_those_of_another() {
    let other = ConfiguredResource::new("caf\u{e9}", ".");
    let context = serve_with(CONTENT, |builder| {
        let third = configuration("<carrier><origin>https://caf.example</origin></carrier>");
        builder.resource(other.session(third)).resource(ConfiguredResource::new("plain", "."))
    })
    .await;
    let allowed = async |path: &str, origin: &str| reply(preflight(&context, path, origin)).await.status == 204;
    assert!(allowed("data", LISTED).await && !allowed("data", "https://caf.example").await);
    assert!(allowed("caf%C3%A9", "https://caf.example").await && !allowed("caf%C3%A9", LISTED).await);
    assert!(!allowed("plain", LISTED).await && !allowed("none", LISTED).await);
    let url = format!("{}/services/plain", context.server.url());
    let post = context.client.post(url).header("content-type", "text/xml").body(perform(""));
    let refused = reply(post.header("origin", LISTED)).await;
    refused.is_fault(403, "Forbidden");
    assert_eq!((refused.header("vary"), refused.header("access-control-allow-origin")), ("", ""));
}
