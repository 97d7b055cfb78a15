//! What is refused because of a session: every fault says what can be done, and nothing has run.

use std::time::Duration;

use rejoin::document::{EndReason, Fault, Limits};
use rejoin::session::ManualClock;
use reqwest::RequestBuilder;

use crate::context::{Context, Reply, perform};

const SET: &str =
    "<sessionAttributeManagement name=\"set\"><setAttribute name=\"x\">1</setAttribute></sessionAttributeManagement>";
const NAP: &str = "<sleep name=\"nap\" duration=\"PT10M\"/>";

/// What a request is refused with: the same in both forms, and the same in the head of the answer.
async fn refused(request: impl Fn() -> RequestBuilder) -> Fault {
    let reply = Reply::of(request().send().await.unwrap()).await;
    assert_eq!(reply.header("content-type"), "application/xml");
    let fault = Fault::parse(reply.text.as_bytes(), &Limits::default()).expect(&reply.text);
    assert_eq!(fault.status, reply.status);
    assert_eq!(reply.header("retry-after"), fault.retry_after.map_or(String::new(), |seconds| seconds.to_string()));
    assert_eq!(fault.retryable, fault.retry_after.is_some(), "{}", reply.text);
    let json = Reply::of(request().header("accept", "application/problem+json").send().await.unwrap()).await;
    assert_eq!(json.header("content-type"), "application/problem+json");
    let problem = Fault::parse_json(json.text.as_bytes()).expect(&json.text);
    assert_eq!(Fault { request_id: fault.request_id.clone(), ..problem }, fault);
    fault
}

/// Code, status, whether to try again, and whether a new session would help.
async fn advice(request: impl Fn() -> RequestBuilder) -> (String, u16, bool, bool) {
    let fault = refused(request).await;
    (fault.code, fault.status, fault.retryable, fault.recreate_session)
}

fn expected(code: &str, status: u16, retryable: bool, recreate: bool) -> (String, u16, bool, bool) {
    (code.into(), status, retryable, recreate)
}

/// A request that holds the session until it is aborted.
async fn hold(context: &Context, id: &str) -> tokio::task::JoinHandle<reqwest::Result<reqwest::Response>> {
    let holding = tokio::spawn(context.post(&format!("<session id=\"{id}\"/>{NAP}")).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    holding
}

/// Behaviour 56.
#[tokio::test]
async fn a_session_that_cannot_be_joined_is_refused_with_what_to_do_in_both_forms() {
    let context = Context::new().await;
    let unknown = format!("<session id=\"{}\"/>", "A".repeat(43));
    assert_eq!(advice(|| context.post(&unknown)).await, expected("SessionNotFound", 404, false, true));
    let contradictory = "<session wait=\"-1\"/>";
    assert_eq!(advice(|| context.post(contradictory)).await, expected("SessionRequirementInvalid", 400, false, false));
    let id = context.create().await;
    context.perform(&format!("<session id=\"{id}\" mode=\"terminate\"/>")).await.is_completed();
    let join = format!("<session id=\"{id}\"/>");
    let ended = refused(|| context.post(&join)).await;
    assert_eq!((&*ended.code, ended.status, ended.recreate_session), ("SessionEnded", 410, true));
    assert!(ended.reason.is_some() && ended.time.is_some(), "{ended:?}");
    let on_the_session = || context.client.get(format!("{}/session", context.url())).header("rejoin-session", &id);
    assert_eq!(advice(on_the_session).await, expected("SessionEnded", 410, false, true));
}

/// Behaviour 56.
#[tokio::test]
async fn a_session_that_is_held_is_refused_with_when_to_try_again_in_both_forms() {
    let context = Context::with(|builder, mut resource| {
        resource.session.join.max_waiters = 0;
        builder.resource(resource)
    })
    .await;
    let id = context.create().await;
    let holding = hold(&context, &id).await;
    let at_once = format!("<session id=\"{id}\" wait=\"0\"/>");
    assert_eq!(advice(|| context.post(&at_once)).await, expected("SessionInUse", 423, true, false));
    let waits = format!("<session id=\"{id}\"/>");
    assert_eq!(advice(|| context.post(&waits)).await, expected("SessionQueueFull", 503, true, false));
    let changes = format!("<session id=\"{id}\" access=\"read\"/>{SET}");
    assert_eq!(advice(|| context.post(&changes)).await, expected("AttributeReadOnly", 409, false, false));
    holding.abort();
}

/// Behaviours 56 and 63.
#[tokio::test]
async fn a_session_beyond_a_bound_is_refused_with_what_to_do_in_both_forms() {
    let bounded = async |sessions, of_one| {
        Context::with(|builder, mut resource| {
            let limits = &mut resource.session.limits;
            (limits.sessions, limits.per_principal) = (sessions, of_one);
            (limits.attribute_bytes, resource.session.join.execution) = (Some(4), Some(Duration::from_millis(50)));
            builder.resource(resource)
        })
        .await
    };
    for (context, code, status) in
        [(bounded(Some(1), None).await, "ServerBusy", 503), (bounded(None, Some(1)).await, "SessionQuotaExceeded", 429)]
    {
        let id = context.create().await;
        assert_eq!(advice(|| context.post("<session/>")).await, expected(code, status, true, false));
        let large = format!("<session id=\"{id}\"/>{}", SET.replace(">1<", ">12345<"));
        assert_eq!(advice(|| context.post(&large)).await, expected("AttributeTooLarge", 413, false, false));
        let long = format!("<session id=\"{id}\"/>{NAP}");
        assert_eq!(advice(|| context.post(&long)).await, expected("RequestTimedOut", 504, false, false));
    }
    let without = Context::with(|builder, mut resource| {
        resource.session.explicit = false;
        builder.resource(resource)
    })
    .await;
    assert_eq!(advice(|| without.post("<session/>")).await, expected("SessionsDisabled", 400, false, false));
}

/// Behaviour 11.
#[tokio::test]
async fn what_fails_to_join_writes_nothing() {
    let context = Context::new().await;
    let (held, ended) = (context.create().await, context.create().await);
    context.perform(&format!("<session id=\"{ended}\" mode=\"terminate\"/>")).await.is_completed();
    let holding = hold(&context, &held).await;
    let write = "<sqlUpdateStatement name=\"w\"><expression>DELETE FROM customer</expression></sqlUpdateStatement>";
    for (session, status) in [
        (format!("<session id=\"{}\"/>", "A".repeat(43)), 404),
        (format!("<session id=\"{ended}\"/>"), 410),
        (format!("<session id=\"{ended}\" mode=\"terminate\"/>"), 410),
        (format!("<session id=\"{held}\" wait=\"0\"/>"), 423),
        (format!("<session id=\"{held}\" timeout=\"1000\"/>"), 400),
        ("<session id=\"too short\"/>".into(), 400),
    ] {
        let reply = context.perform(&format!("{session}{write}")).await;
        assert_eq!(reply.status, status, "{session}: {}", reply.text);
    }
    let rows = "<sqlQueryStatement name=\"q\"><expression>SELECT count(*) FROM customer</expression>\
                <resultStream name=\"r\"/></sqlQueryStatement>\
                <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>";
    assert_eq!(context.raw(rows, "c").await.text, "3\n");
    holding.abort();
}

/// Behaviour 23: a request that joined a second session while it holds the first could wait for itself.
#[tokio::test]
async fn a_request_joins_one_session() {
    let context = Context::new().await;
    let (one, other) = (context.create().await, context.create().await);
    let (one, other) = (format!("<session id=\"{one}\"/>"), format!("<session id=\"{other}\"/>"));
    for nested in [
        format!("{one}\n{other}"),
        format!("{one}\n{one}"),
        format!("{one}\n<sequence>{other}</sequence>"),
        format!("{one}\n<flow>{other}</flow>"),
        format!("{one}\n<sleep name=\"nap\" duration=\"1\">{other}</sleep>"),
        format!("{one}\n<perform>{other}</perform>"),
    ] {
        let reply = context.perform(&format!("{nested}{SET}")).await;
        assert_eq!(reply.status, 400, "{nested}: {}", reply.text);
        reply.says("<location line=\"3\"");
    }
    let list =
        "<sessionAttributeManagement name=\"l\"><listAttributes/><output name=\"o\"/></sessionAttributeManagement>";
    for session in [one, other] {
        context.perform(&format!("{session}{list}")).await.is_completed().says("<attributes count=\"0\"");
    }
}

/// Behaviours 18 and 22: cancelled, the request frees its session, which is kept or ends as is configured.
#[tokio::test]
async fn a_session_outlives_a_request_that_was_too_long_unless_it_is_said_otherwise() {
    for ends in [false, true] {
        let context = Context::with(|builder, mut resource| {
            resource.session.join.execution = Some(Duration::from_millis(50));
            resource.session.join.overrun_ends = ends;
            builder.resource(resource)
        })
        .await;
        let id = context.create().await;
        context.perform(&format!("<session id=\"{id}\"/>{SET}{NAP}")).await.is_fault(504, "RequestTimedOut");
        let next = context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await;
        if ends {
            next.is_fault(410, "SessionEnded").says("reason=\"killed\"");
        } else {
            next.is_completed();
        }
    }
}

/// Behaviours 41 and 56.
#[tokio::test]
async fn what_refuses_a_session_is_told_in_both_forms() {
    let context = Context::with(|builder, mut resource| {
        let document = perform("<refuse name=\"gate\"><message>not for you</message></refuse>");
        std::fs::write(resource.file.parent().unwrap().join("init.xml"), document).unwrap();
        resource.session.on_create = Some("init.xml".into());
        builder.resource(resource)
    })
    .await;
    assert_eq!(advice(|| context.post("<session/>")).await, expected("SessionRefused", 403, false, false));
}

/// Behaviours 34 and 54: of each end that a client can meet while the service runs, the reason and the time.
#[tokio::test]
async fn a_session_that_has_ended_says_why_and_when() {
    let clock = ManualClock::new();
    let context = Context::with(|builder, mut resource| {
        resource.session.timeout.default = None;
        resource.session.timeout.max = None;
        builder.resource(resource).clock(clock.clone())
    })
    .await;
    let create = async |attributes: &str| context.perform(&format!("<session {attributes}/>")).await.session_id();
    let (idle, lifetime) = (create("timeout=\"PT1M\"").await, create("").await);
    let (terminated, killed) = (create("").await, create("").await);
    clock.advance(Duration::from_mins(2));
    context.perform(&format!("<session id=\"{terminated}\" mode=\"terminate\"/>")).await.is_completed();
    let rotated = context.perform(&format!("<session id=\"{killed}\" rotate=\"true\"/>")).await.session_id();
    context.perform(&format!("<session id=\"{rotated}\"/>")).await.is_completed();
    context.perform(&format!("<session id=\"{killed}\"/>")).await.is_fault(410, "SessionEnded");
    let told = async |id: &str, reason, minutes| {
        let join = format!("<session id=\"{id}\"/>");
        let fault = refused(|| context.post(&join)).await;
        assert_eq!((&*fault.code, fault.reason), ("SessionEnded", Some(reason)));
        assert_eq!(fault.time.unwrap(), clock_at(minutes));
    };
    told(&idle, EndReason::Idle, 1).await;
    told(&terminated, EndReason::Terminated, 2).await;
    told(&rotated, EndReason::Killed, 2).await;
    clock.advance(Duration::from_hours(12));
    told(&lifetime, EndReason::Lifetime, 12 * 60).await;
}

/// The time on a manual clock, so many minutes after it was made.
fn clock_at(minutes: i64) -> chrono::DateTime<chrono::Utc> {
    use rejoin::session::Clock as _;
    ManualClock::new().wall() + chrono::TimeDelta::minutes(minutes)
}
