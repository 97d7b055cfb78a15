//! The session settings of Jarvis, a JSON service for APL, as session configuration documents: the table of `docs/sessions.md`,
//! row by row, on a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rejoin::session::{EndReason, ManualClock, SessionEvent, SessionListener};

use crate::carriers::configuration;
use crate::context::{Context, Reply};

const COUNT: &str = "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"n\"/><output name=\"now\"/></sessionAttributeManagement>";

const DAY: Duration = Duration::from_hours(24);

/// How many sessions have ended and been freed.
#[derive(Debug, Default)]
struct Ended(AtomicUsize);

impl SessionListener for Ended {
    fn ended(&self, _: SessionEvent<'_>, _: EndReason) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// A server with that in the factory of its session configuration document.
struct Stage {
    context: Context,
    clock: ManualClock,
    ended: Arc<Ended>,
}

impl Stage {
    async fn new(content: &str) -> Self {
        let (clock, ended) = (ManualClock::new(), Arc::new(Ended::default()));
        let session = configuration(content);
        let context = Context::with(|builder, resource| {
            builder
                .resource(resource.session(session))
                .clock(clock.clone())
                .session_listener(Arc::<Ended>::clone(&ended))
        })
        .await;
        Self { context, clock, ended }
    }

    /// A request that carries the id in a header of that name.
    async fn count(&self, header: &str, id: &str) -> Reply {
        Reply::of(self.context.post(COUNT).header(header, id).send().await.unwrap()).await
    }

    /// The id that the first request gets in a header of that name.
    async fn first(&self, header: &str) -> String {
        let reply = self.context.perform(COUNT).await;
        reply.is_completed().says("created=\"true\"");
        assert_eq!(reply.header(header).len(), 43, "{reply:?}");
        reply.header(header).to_owned()
    }
}

/// `SessionTimeout` 0: no sessions. Behaviour 30.
#[tokio::test]
async fn no_sessions() {
    let session = "<sessionConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\
                   <sessionManagerFactory impl=\"rejoin.TransientSessionManagerFactory\" explicit=\"disabled\"/>\
                   </sessionConfiguration>";
    let session =
        rejoin::document::SessionConfiguration::parse(session.as_bytes(), &rejoin::document::Limits::default());
    let context = Context::with(|builder, resource| builder.resource(resource.session(session.unwrap()))).await;
    let reply = context.perform(COUNT).await;
    assert_eq!(reply.is_completed().header("rejoin-session"), "");
    context.perform("<session/>").await.is_fault(400, "SessionsDisabled");
    let carried = context.post(COUNT).header("rejoin-session", "A".repeat(43));
    Reply::of(carried.send().await.unwrap()).await.is_fault(400, "SessionsDisabled");
}

/// `SessionTimeout` .25: a quarter of a minute without a request. Behaviour 30.
#[tokio::test]
async fn sessions_that_time_out() {
    let stage = Stage::new("<timeout default=\"PT15S\"/><carrier create=\"automatic\"/>").await;
    let id = stage.first("rejoin-session").await;
    for count in 2..5 {
        stage.clock.advance(Duration::from_secs(14));
        let reply = stage.count("rejoin-session", &id).await;
        reply.is_completed().says(&format!(">{count}</attribute>"));
        assert_eq!(reply.header("rejoin-session"), id);
    }
    stage.clock.advance(Duration::from_secs(15));
    stage.count("rejoin-session", &id).await.is_fault(410, "SessionEnded").says("reason=\"idle\"");
}

/// `SessionTimeout` -1: no time-out; the application ends sessions. Behaviour 30.
#[tokio::test]
async fn sessions_that_the_application_ends() {
    let unbounded = "<timeout default=\"unbounded\" max=\"unbounded\"/>";
    let stage = Stage::new(&format!("{unbounded}<lifetime max=\"unbounded\"/><carrier create=\"automatic\"/>")).await;
    let id = stage.first("rejoin-session").await;
    stage.clock.advance(1000 * DAY);
    let reply = stage.count("rejoin-session", &id).await;
    reply.is_completed().says(">2</attribute>").says("timeout=\"unbounded\"");
    assert!(!reply.text.contains("xpires"), "{}", reply.text);
    stage.context.perform(&format!("<session id=\"{id}\" mode=\"terminate\"/>")).await.is_completed();
    stage.count("rejoin-session", &id).await.is_fault(410, "SessionEnded").says("reason=\"terminated\"");

    // Without a word about the lifetime it still ends them.
    let stage = Stage::new(&format!("{unbounded}<carrier create=\"automatic\"/>")).await;
    let id = stage.first("rejoin-session").await;
    stage.clock.advance(DAY / 2);
    stage.count("rejoin-session", &id).await.is_fault(410, "SessionEnded").says("reason=\"lifetime\"");
}

/// `SessionIdHeader`: what the header is called. Behaviour 44.
#[tokio::test]
async fn the_header_has_the_name_that_it_is_given() {
    let stage = Stage::new("<carrier header=\"Jarvis-SessionID\" create=\"automatic\"/>").await;
    let id = stage.first("jarvis-sessionid").await;
    for header in ["Jarvis-SessionID", "jarvis-sessionid", "JARVIS-SESSIONID"] {
        stage.count(header, &id).await.is_completed().says("created=\"false\"");
    }
    stage.count("rejoin-session", &id).await.is_completed().says("created=\"true\"");
}

/// `SessionUseCookie` 0 and 1: whether a cookie carries the id. Behaviours 44 and 45.
#[tokio::test]
async fn the_cookie_is_used_where_it_is_asked_for() {
    let stage = Stage::new("<carrier header=\"Jarvis-SessionID\" create=\"automatic\"/>").await;
    let reply = stage.context.perform(COUNT).await;
    assert_eq!(reply.is_completed().header("set-cookie"), "");

    let stage = Stage::new("<carrier header=\"Jarvis-SessionID\" cookie=\"true\" create=\"automatic\"/>").await;
    let reply = stage.context.perform(COUNT).await;
    let cookie = reply.is_completed().header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(cookie, format!("__Host-Jarvis-SessionID-data={}", reply.session_id()));
    let carried = stage.context.post(COUNT).header("cookie", cookie).header("x-requested-with", "test");
    Reply::of(carried.send().await.unwrap()).await.is_completed().says(">2</attribute>");
    // Beside the cookie the header goes on working; in Jarvis it is one or the other.
    stage.count("jarvis-sessionid", &reply.session_id()).await.is_completed().says(">3</attribute>");
}

/// `SessionPollingTime`: how often expired sessions are looked for. Behaviour 31.
#[tokio::test]
async fn expired_sessions_are_looked_for_as_often_as_is_said() {
    let content = "<timeout default=\"PT1M\"/><expiry pollingTime=\"PT10M\"/><carrier create=\"automatic\"/>";
    let stage = Stage::new(content).await;
    // It looks once when it begins, and sleeps from then on.
    while stage.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    let ids = [stage.first("rejoin-session").await, stage.first("rejoin-session").await];
    stage.clock.advance(Duration::from_mins(9));
    stage.count("rejoin-session", &ids[0]).await.is_fault(410, "SessionEnded");
    assert_eq!(stage.ended.0.load(Ordering::Acquire), 1, "nobody has asked for the other, and it is not time");
    stage.clock.advance(Duration::from_mins(1));
    while stage.ended.0.load(Ordering::Acquire) < 2 {
        tokio::task::yield_now().await;
    }
}

/// `SessionCleanupTime`: how long the end of a session is remembered. Behaviour 36.
#[tokio::test]
async fn the_end_of_a_session_is_remembered_as_long_as_is_said() {
    let content = "<timeout default=\"PT1M\"/><expiry retention=\"PT1H\"/><carrier create=\"automatic\"/>";
    let stage = Stage::new(content).await;
    let id = stage.first("rejoin-session").await;
    stage.context.perform(&format!("<session id=\"{id}\" mode=\"terminate\"/>")).await.is_completed();
    stage.clock.advance(Duration::from_mins(59));
    stage.count("rejoin-session", &id).await.is_fault(410, "SessionEnded");
    stage.clock.advance(Duration::from_mins(1));
    stage.count("rejoin-session", &id).await.is_fault(404, "SessionNotFound");

    let stage = Stage::new("<expiry retention=\"0\"/><carrier create=\"automatic\"/>").await;
    let id = stage.first("rejoin-session").await;
    stage.context.perform(&format!("<session id=\"{id}\" mode=\"terminate\"/>")).await.is_completed();
    stage.count("rejoin-session", &id).await.is_fault(404, "SessionNotFound");
}
