//! Who may be told an answer, and that nobody else is.

use std::fs;
use std::time::Duration;

use rejoin::document::{CookieSettings, Element, Limits, SameSite, SessionConfiguration};
use rejoin::service::{ConfiguredResource, Server};
use rejoin::session::ManualClock;

use super::{KEY, VISIT, send, visit, visits};
use crate::caught_log::CaughtLog;
use crate::context::{Context, Reply};

/// A server that Ada and Carl have passwords for.
async fn with_accounts() -> Context {
    let folder = tempfile::tempdir().unwrap();
    let hash = bcrypt::hash("secret", 4).unwrap();
    fs::write(folder.path().join("accounts"), format!("ada:{hash}\ncarl:{hash}\n")).unwrap();
    let element = "<authentication impl='basic'><users location='accounts'/></authentication>";
    let builder = Server::builder()
        .listen("127.0.0.1:0")
        .authentication(Element::parse(element.as_bytes(), &Limits::default()).unwrap(), folder.path())
        .resource(ConfiguredResource::new("data", folder.path()));
    Context::around(builder.build().unwrap().start().await.unwrap(), folder)
}

async fn keyed_by(context: &Context, name: &str, content: &str, key: &str) -> Reply {
    send(context.post(content).basic_auth(name, Some("secret")).header("idempotency-key", key)).await
}

#[tokio::test]
async fn the_same_key_of_another_principal_is_another_key() {
    // Behaviour 57: the scope of a key is its principal.
    let context = with_accounts().await;
    let create = format!("<session/>{VISIT}");
    // Who says who he is may have short keys.
    let ada = keyed_by(&context, "ada", &create, "k").await;
    let carl = keyed_by(&context, "carl", &create, "k").await;
    assert!(!carl.is_replayed());
    assert_ne!(ada.session_id(), carl.session_id());
    keyed_by(&context, "ada", &create, "k").await.replays(&ada);
    keyed_by(&context, "carl", &create, "k").await.replays(&carl);
    // And what is kept with a session is told to its owner alone.
    let visit = visit(&ada.session_id());
    let first = keyed_by(&context, "ada", &visit, "in").await;
    first.is_completed();
    keyed_by(&context, "carl", &visit, "in").await.is_fault(404, "SessionNotFound");
    keyed_by(&context, "ada", &visit, "in").await.replays(&first);
}

#[tokio::test]
async fn an_id_that_a_cookie_brings_is_told_again_by_the_cookie_alone() {
    let mut session = SessionConfiguration::default();
    session.carrier.cookie = Some(CookieSettings { same_site: SameSite::Strict, insecure: false });
    let context = Context::with(|builder, resource| builder.resource(resource.session(session))).await;
    let create = || {
        let request = context.post("<session/>").header("sec-fetch-site", "same-origin");
        send(request.header("idempotency-key", KEY))
    };
    let first = create().await;
    assert!(first.text.contains("<session created"), "{}", first.text);
    let again = create().await;
    again.replays(&first);
    assert_eq!(again.header("rejoin-session"), "");
    let cookie = |reply: &Reply| reply.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(cookie(&again), cookie(&first));
    let id = cookie(&first).split_once('=').unwrap().1.to_owned();
    assert_eq!(visits(&context, &id).await, 0);
}

#[tokio::test]
async fn a_cookie_that_is_told_again_does_not_go_before_its_session() {
    let clock = ManualClock::new();
    let mut session = SessionConfiguration::default();
    session.carrier.cookie = Some(CookieSettings { same_site: SameSite::Strict, insecure: false });
    let driven = clock.clone();
    let context = Context::with(|builder, resource| builder.resource(resource.session(session)).clock(driven)).await;
    let create = || send(context.post("<session timeout=\"PT10M\"/>").header("idempotency-key", KEY));
    let first = create().await;
    assert!(first.header("set-cookie").contains("Max-Age=600"), "{first:?}");
    let id = first.session_id();
    for _ in 0..2 {
        clock.advance(Duration::from_mins(9));
        context.perform(&visit(&id)).await.is_completed();
    }
    // The session is there for ten minutes more, though the time is over that the first answer told.
    let again = create().await;
    again.replays(&first);
    assert_eq!(again.header("rejoin-session-expires"), first.header("rejoin-session-expires"));
    let cookie = again.header("set-cookie");
    let age = cookie.split("; ").find_map(|part| part.strip_prefix("Max-Age=")).map(|age| age.parse::<u64>().unwrap());
    assert!(age.is_none_or(|age| age >= 600), "{cookie}");
}

/// Behaviour 49. Server and client run on the thread of this test, whose log is caught at the finest level.
#[tokio::test]
async fn no_log_and_no_fault_shows_an_id_or_a_key() {
    let log = CaughtLog::new();
    let context = Context::new().await;
    let key = |content: &str| context.post(content).header("idempotency-key", KEY);
    let created = send(key("<session/>")).await;
    let id = created.session_id();
    let rotated = send(key(&format!("<session id=\"{id}\" rotate=\"true\"/>"))).await;
    let ids = [id.clone(), rotated.session_id()];
    let mut faults = String::new();
    for content in ["<session rotate=\"true\"/>".to_owned(), "<session timeout=\"5\"/>".into(), visit(&id)] {
        faults += &send(key(&content)).await.text;
    }
    let logged = log.text();
    assert!(logged.contains("answered"), "the log was caught");
    for secret in ids.iter().map(String::as_str).chain([KEY]) {
        assert!(!logged.contains(secret), "a secret is in the log");
        assert!(!faults.replace(&format!("<session id=\"{secret}\""), "").contains(secret), "{faults}");
    }
}
