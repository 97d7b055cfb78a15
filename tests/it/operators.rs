//! How operators, and users who say who they are, look at sessions and end them by their handles. The numbers are those of the
//! list of behaviours in `docs/sessions.md`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use rejoin::document::{
    CONFIGURATION_NAMESPACE, EndedSessions, Limits, SessionConfiguration, SessionList, SessionState,
    SessionStatusDocument,
};
use rejoin::service::{AuthenticationError, Authenticator, AuthenticatorError, Caller, Role};
use rejoin::session::{Clock, Moment, Principal, SystemClock};
use reqwest::Method;

use crate::context::{Context, Reply};

/// Believes the header `X-User`. `admin` is an operator; without the header it is nobody in particular.
#[derive(Debug)]
struct Believing;

#[async_trait]
impl Authenticator for Believing {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError> {
        Ok(match headers.get("x-user").and_then(|user| user.to_str().ok()) {
            None => Caller { principal: Principal::anonymous(), role: Role::User },
            Some("admin") => Caller { principal: Principal::new("admin"), role: Role::Operator },
            Some(user) => Caller { principal: Principal::new(user), role: Role::User },
        })
    }
}

/// A wall clock that never shows one millisecond twice, so that handles are in the order in which sessions were created.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Moment {
        SystemClock.now()
    }

    fn wall(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        SystemClock.sleep_until(moment)
    }
}

async fn service() -> Context {
    service_with(|_| {}).await
}

async fn service_with(change: impl FnOnce(&mut SessionConfiguration)) -> Context {
    Context::with(|builder, mut resource| {
        change(&mut resource.session);
        let make = |_: &rejoin::document::Element, _: &Path| -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
            Ok(Arc::new(Believing))
        };
        let element = rejoin::document::Element::new("authentication", Some(CONFIGURATION_NAMESPACE));
        let element = element.with_attribute("impl", "example.Believing");
        builder
            .resource(resource)
            .clock(Ticking::default())
            .authenticator("example.Believing", make)
            .authentication(element, ".")
    })
    .await
}

async fn ask(context: &Context, user: &str, method: Method, path: &str) -> Reply {
    let request = context.client.request(method, format!("{}/sessions{path}", context.url())).header("x-user", user);
    Reply::of(request.send().await.unwrap()).await
}

async fn get(context: &Context, user: &str, path: &str) -> Reply {
    ask(context, user, Method::GET, path).await
}

async fn delete(context: &Context, user: &str, path: &str) -> Reply {
    ask(context, user, Method::DELETE, path).await
}

async fn list(context: &Context, user: &str, query: &str) -> SessionList {
    let reply = get(context, user, query).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    SessionList::parse(reply.text.as_bytes(), &Limits::default()).expect(&reply.text)
}

fn handles(list: &SessionList) -> Vec<&str> {
    list.sessions.iter().map(|session| &*session.handle).collect()
}

async fn perform(context: &Context, user: &str, content: &str) -> Reply {
    Reply::of(context.post(content).header("x-user", user).send().await.unwrap()).await
}

/// A new session of a user, with a label. Answers with its id.
async fn create(context: &Context, user: &str, label: &str) -> String {
    let set = format!(
        "<session/><sessionAttributeManagement name=\"set\"><setAttribute name=\"label\">{label}</setAttribute></sessionAttributeManagement>"
    );
    perform(context, user, &set).await.is_completed().session_id()
}

/// A request of a user that holds a new session until it is stopped. Answers with the handle.
async fn hold(context: &Context, user: &str) -> (String, tokio::task::JoinHandle<Reply>) {
    let request = context.post("<session/><sleep name=\"nap\" duration=\"PT10M\"/>").header("x-user", user);
    let holding = tokio::spawn(async { Reply::of(request.send().await.unwrap()).await });
    let query = format!("?state=BUSY&owner={user}");
    loop {
        if let Some(session) = list(context, "admin", &query).await.sessions.first() {
            return (session.handle.clone(), holding);
        }
    }
}

#[tokio::test]
async fn an_operator_lists_sessions_by_what_they_are_and_in_pages() {
    // Behaviour 64.
    let context = service().await;
    let ids = [
        create(&context, "ann", "nightly").await,
        create(&context, "bob", "nightly").await,
        create(&context, "ann", "a &amp; b").await,
    ];
    let all = get(&context, "admin", "").await;
    assert_eq!((all.header("content-type"), all.header("cache-control")), ("application/xml", "no-store"));
    assert!(ids.iter().all(|id| !all.text.contains(id.as_str())), "ids are secrets: {}", all.text);
    let all = list(&context, "admin", "").await;
    let owners: Vec<_> = all.sessions.iter().map(|session| session.owner.as_deref().unwrap()).collect();
    assert_eq!((owners, all.next.as_deref()), (vec!["ann", "bob", "ann"], None));
    assert!(all.sessions.iter().all(|session| session.attributes.count == 1 && session.attributes.list.is_empty()));
    let all = handles(&all);
    for (query, found) in [
        ("?owner=ann", vec![all[0], all[2]]),
        ("?label=nightly", vec![all[0], all[1]]),
        ("?label=nightly&owner=bob", vec![all[1]]),
        ("?label=a%20%26%20b", vec![all[2]]),
        ("?state=AVAILABLE", all.clone()),
        ("?state=CLOSING", vec![]),
        ("?implicit=true", vec![]),
        ("?anonymous=true", vec![]),
        ("?owner=nobody", vec![]),
    ] {
        assert_eq!(handles(&list(&context, "admin", query).await), found, "{query}");
    }
    let first = list(&context, "admin", "?limit=2").await;
    assert_eq!(handles(&first), all[..2]);
    let rest = list(&context, "admin", &format!("?limit=2&after={}", first.next.unwrap())).await;
    assert_eq!((handles(&rest), rest.next.as_deref()), (vec![all[2]], None));
    let exactly = list(&context, "admin", "?limit=3").await;
    assert_eq!((exactly.sessions.len(), exactly.next), (3, None), "there is nothing more");
}

#[tokio::test]
async fn what_can_not_be_asked_is_refused_with_the_nearest_name() {
    let context = service().await;
    for (query, why) in [
        ("?onwer=ann", "did you mean `owner`?"),
        ("?limit=0", "`limit` has to be a whole number from 1 to 1000"),
        ("?limit=1001", "a whole number from 1 to 1000"),
        ("?state=busy", "AVAILABLE, BUSY or CLOSING"),
        ("?implicit=1", "true or false"),
        ("?after=x", "the handle that `next` gave"),
        ("?owner=a&anonymous=true", "exclude each other"),
        ("?owner=a&owner=b", "stands there twice"),
    ] {
        get(&context, "admin", query).await.is_fault(400, "RequestInvalid").says(why);
    }
    for query in ["", "?all=false", "?owner=a&label=b", "?all=true&owner=a", "?state=BUSY"] {
        delete(&context, "admin", query).await.is_fault(400, "RequestInvalid");
    }
    get(&context, "admin", "/0193?x=1").await.is_fault(400, "RequestInvalid");
    let elsewhere = context.client.get(format!("{}/services/none/sessions", context.server.url()));
    Reply::of(elsewhere.header("x-user", "admin").send().await.unwrap()).await.is_fault(404, "ResourceNotFound");
}

#[tokio::test]
async fn an_operator_inspects_and_ends_a_session_that_is_free() {
    // Behaviours 34, 64 and 65.
    let context = service().await;
    let id = create(&context, "ann", "x").await;
    let handle = list(&context, "admin", "").await.sessions[0].handle.clone();
    let reply = get(&context, "admin", &format!("/{handle}")).await;
    let status = SessionStatusDocument::parse(reply.text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!((status.handle.as_str(), &*status.attributes.list[0].name), (handle.as_str(), "label"));
    assert_eq!(delete(&context, "admin", &format!("/{handle}")).await.status, 204);
    let told = perform(&context, "ann", &format!("<session id=\"{id}\"/>")).await;
    told.is_fault(410, "SessionEnded").says("reason=\"killed\"").says("time=\"");
    for gone in [get(&context, "admin", &format!("/{handle}")).await, delete(&context, "admin", "/x").await] {
        gone.is_fault(404, "SessionNotFound");
    }
}

#[tokio::test]
async fn an_operator_ends_a_session_that_a_request_holds() {
    // Behaviour 65.
    let context = service().await;
    let (handle, holding) = hold(&context, "ann").await;
    let reply = delete(&context, "admin", &format!("/{handle}")).await;
    if reply.status == 202 {
        let status = SessionStatusDocument::parse(reply.text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!((status.state, status.handle), (SessionState::Closing, handle.clone()));
    } else {
        assert_eq!(reply.status, 204, "the request had stopped by then: {}", reply.text);
    }
    holding.await.unwrap().is_fault(410, "SessionEnded").says("reason=\"killed\"");
    while get(&context, "admin", &format!("/{handle}")).await.status == 200 {}
    assert_eq!(list(&context, "admin", "").await, SessionList::default());
}

#[tokio::test]
async fn an_operator_ends_the_sessions_of_an_owner_of_a_label_or_all() {
    // Behaviour 65.
    let context = service().await;
    for _ in 0..2 {
        create(&context, "ann", "nightly").await;
        create(&context, "bob", "nightly").await;
        create(&context, "bob", "daily").await;
    }
    let (_, holding) = hold(&context, "eve").await;
    let ended = async |query: &str| -> EndedSessions {
        let reply = delete(&context, "admin", query).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        EndedSessions::parse(reply.text.as_bytes(), &Limits::default()).unwrap()
    };
    let closed = |closed| EndedSessions { closed, closing: 0 };
    assert_eq!(ended("?label=nightly").await, closed(4));
    assert_eq!(ended("?owner=ann").await, closed(0));
    assert_eq!(ended("?owner=bob").await, closed(2));
    let all = ended("?all=true").await;
    assert_eq!((all.closed, all.closing), (0, 1));
    holding.await.unwrap().is_fault(410, "SessionEnded");
}

#[tokio::test]
async fn more_sessions_than_are_looked_up_at_once_are_ended() {
    // Behaviour 65.
    let context = service().await;
    for _ in 0..300 {
        perform(&context, "ann", "<session/>").await.is_completed();
    }
    delete(&context, "admin", "?all=true").await.says("closed=\"300\" closing=\"0\"");
    assert_eq!(list(&context, "admin", "").await, SessionList::default());
}

#[tokio::test]
async fn a_user_sees_and_ends_his_own_and_no_others() {
    // Behaviours 35, 53 and 64.
    let context = service().await;
    let (own, foreign) = (create(&context, "ann", "x").await, create(&context, "bob", "x").await);
    let all = list(&context, "admin", "").await;
    let (own_handle, foreign_handle) = (&all.sessions[0].handle, &all.sessions[1].handle);
    for (query, found) in [("", 1), ("?owner=ann", 1), ("?owner=bob", 0), ("?anonymous=true", 0), ("?label=x", 1)] {
        let seen = list(&context, "ann", query).await;
        assert!(seen.sessions.len() == found && seen.sessions.iter().all(|it| it.handle == *own_handle), "{query}");
    }
    assert_eq!(get(&context, "ann", &format!("/{own_handle}")).await.status, 200);
    let unknown = get(&context, "ann", "/01920000-0000-7000-8000-000000000000").await;
    let without_id = |reply: &Reply| reply.text.replace(reply.header("rejoin-request-id"), "");
    for hidden in [
        get(&context, "ann", &format!("/{foreign_handle}")).await,
        delete(&context, "ann", &format!("/{foreign_handle}")).await,
    ] {
        hidden.is_fault(404, "SessionNotFound");
        assert_eq!(without_id(&hidden), without_id(&unknown), "the same bytes");
    }
    delete(&context, "ann", "?owner=bob").await.says("closed=\"0\" closing=\"0\"");
    delete(&context, "ann", "?all=true").await.says("closed=\"1\" closing=\"0\"");
    perform(&context, "bob", &format!("<session id=\"{foreign}\"/>")).await.is_completed();
    let told = perform(&context, "ann", &format!("<session id=\"{own}\"/>")).await;
    told.is_fault(410, "SessionEnded").says("reason=\"terminated\"");
}

#[tokio::test]
async fn to_others_a_session_is_as_unknown_as_one_that_never_was() {
    // Behaviours 35 and 53, for one that lives and one that has ended.
    let context = service().await;
    let url = format!("{}/session", context.url());
    let own = async |user: &str, method: Method, id: &str| {
        let request = context.client.request(method, &url).header("x-user", user).header("rejoin-session", id);
        let reply = Reply::of(request.send().await.unwrap()).await;
        (reply.status, reply.text.replace(reply.header("rejoin-request-id"), ""))
    };
    let (alive, ended) = (create(&context, "ann", "x").await, create(&context, "ann", "x").await);
    assert_eq!(own("ann", Method::DELETE, &ended).await.0, 204);
    let unknown = own("bob", Method::GET, &"A".repeat(43)).await;
    assert!(unknown.0 == 404 && unknown.1.contains("SessionNotFound"));
    for id in [&alive, &ended] {
        for method in [Method::GET, Method::DELETE] {
            assert_eq!(own("bob", method, id).await, unknown);
        }
        let joined = perform(&context, "bob", &format!("<session id=\"{id}\"/>")).await;
        assert_eq!(joined.text.replace(joined.header("rejoin-request-id"), ""), unknown.1, "the same bytes");
    }
    assert_eq!(own("ann", Method::GET, &alive).await.0, 200);
    assert_eq!(own("ann", Method::GET, &ended).await.0, 410);
}

#[tokio::test]
async fn there_is_an_end_to_the_sessions_that_may_be_and_what_failed_left_none() {
    // Behaviour 63.
    let context = service_with(|session| {
        session.limits.per_principal = Some(2);
        session.limits.sessions = Some(3);
    })
    .await;
    for content in [
        "<session/><sqlQueryStatement name=\"q\"><expression>SELECT</expression><resultStream name=\"r\"/></sqlQueryStatement>
            <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>",
        "<session/><nothing/>",
        "<session timeout=\"0\"/>",
    ] {
        let failed = perform(&context, "ann", content).await;
        assert!((400..500).contains(&failed.status), "{}", failed.text);
    }
    assert_eq!(list(&context, "admin", "").await, SessionList::default());
    create(&context, "ann", "x").await;
    create(&context, "ann", "x").await;
    let full = perform(&context, "ann", "<session/>").await;
    full.is_fault(429, "SessionQuotaExceeded").says("you have 2 sessions").says("retryable=\"true\"");
    assert!(!full.header("retry-after").is_empty());
    create(&context, "bob", "x").await;
    let full = perform(&context, "eve", "<session/>").await;
    assert!(!full.is_fault(503, "ServerBusy").header("retry-after").is_empty());
    perform(&context, "eve", "").await.is_completed();
    delete(&context, "admin", "?owner=bob").await;
    create(&context, "eve", "x").await;
}

#[tokio::test]
async fn who_does_not_say_who_he_is_sees_no_list() {
    // Behaviour 64: all who don't are one principal.
    let context = Context::new().await;
    context.create().await;
    let url = format!("{}/sessions", context.url());
    for path in ["", "?all=true", "/01920000-0000-7000-8000-000000000000"] {
        for method in [Method::GET, Method::DELETE] {
            let reply = context.client.request(method, format!("{url}{path}")).send().await.unwrap();
            Reply::of(reply).await.is_fault(403, "Forbidden").says("impl=\"none\" role=\"operator\"");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_site_ends_nothing() {
    // Behaviour 47.
    let context = service().await;
    create(&context, "ann", "x").await;
    let request = context.client.delete(format!("{}/sessions?all=true", context.url())).header("x-user", "admin");
    let reply = request.header("origin", "http://evil.example").send().await.unwrap();
    Reply::of(reply).await.is_fault(403, "Forbidden");
    assert_eq!(list(&context, "admin", "").await.sessions.len(), 1);
}
