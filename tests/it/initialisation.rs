//! What runs in a new session before the request that creates it: `onCreate`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use rejoin::activity::{Activity, ActivityContext, ActivityError, Setup};
use rejoin::document::{DocumentError, Element, Fields, Limits};
use rejoin::service::{
    AuthenticationError, Authenticator, AuthenticatorError, Caller, ConfiguredResource, Role, Server, ServerBuilder,
};
use rejoin::session::{EndReason, Principal, SessionEvent, SessionListener};

use crate::context::{Context, Reply, perform};
use crate::reload::Folder;

/// A resource whose new sessions are prepared by a document of that content.
fn prepared(mut resource: ConfiguredResource, init: &str) -> ConfiguredResource {
    let folder = resource.file.parent().unwrap();
    fs::write(folder.join("init.xml"), perform(init)).unwrap();
    resource.session.on_create = Some("init.xml".into());
    resource
}

async fn context(init: &str) -> Context {
    Context::with(|builder, resource| builder.resource(prepared(resource, init))).await
}

const SET: &str = "<sessionAttributeManagement name=\"set\"><setAttribute name=\"greeting\">hello</setAttribute></sessionAttributeManagement>";
const GET: &str = "<sessionAttributeManagement name=\"get\"><getAttribute name=\"greeting\"/><output name=\"value\"/></sessionAttributeManagement>";
const COUNT: &str =
    "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"n\"/></sessionAttributeManagement>";
const READ_COUNT: &str = "<sessionAttributeManagement name=\"read\"><getAttribute name=\"n\"/><output name=\"now\"/></sessionAttributeManagement>";
const REFUSE: &str = "<refuse name=\"gate\"><message>not for you</message></refuse>";
const FAIL: &str =
    "<sqlUpdateStatement name=\"fail\"><expression>DELETE FROM nowhere</expression></sqlUpdateStatement>";
const INSERT: &str = "<sqlUpdateStatement name=\"add\"><expression>INSERT INTO customer VALUES (9, 'Zoe', 'Wick', '', 0)</expression></sqlUpdateStatement>";

fn join(id: &str) -> String {
    format!("<session id=\"{id}\"/>")
}

/// How many sessions there are, and how many customers.
async fn what_is_there(context: &Context) -> (u64, String) {
    let text =
        context.client.get(format!("{}/metrics", context.server.url())).send().await.unwrap().text().await.unwrap();
    let sessions = text.lines().filter(|line| line.starts_with("rejoin_sessions{"));
    let sessions = sessions.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum();
    let count = rusqlite::Connection::open(context.folder().join("data.db")).unwrap();
    (sessions, count.query_row("SELECT count(*) FROM customer", (), |row| row.get::<_, i64>(0)).unwrap().to_string())
}

#[tokio::test]
async fn what_prepares_a_session_has_its_effects_once_for_a_request_that_is_sent_again() {
    // Behaviour 57.
    let context = context(&format!("<sequence>{INSERT}{REFUSE}</sequence>")).await;
    let create = async || {
        let request = context.post("<session/>").header("idempotency-key", "8e03978e-40d5-43e8");
        Reply::of(request.send().await.unwrap()).await
    };
    let first = create().await;
    assert_eq!(what_is_there(&context).await.0, 0);
    let again = create().await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("rejoin-replayed"), "true", "{again:?}");
}

#[tokio::test]
async fn the_first_request_sees_what_was_prepared_in_every_kind_of_new_session() {
    // Behaviour 41.
    let context = context(&format!("{SET}{COUNT}")).await;
    let prepared = ">hello</attribute>";
    context.perform(GET).await.is_completed().says(prepared);
    let first = context.perform(&format!("<session/>{GET}")).await;
    let id = first.is_completed().says(prepared).session_id();
    let other = format!("<session id=\"{}\" mode=\"joinOrCreate\"/>{GET}{READ_COUNT}", "A".repeat(43));
    context.perform(&other).await.is_completed().says(prepared).says("created=\"true\"");
    // Once for a session: not when it is joined, by whichever way.
    for joining in [join(&id), format!("<session id=\"{id}\" mode=\"joinOrCreate\"/>")] {
        context.perform(&format!("{joining}{READ_COUNT}")).await.is_completed().says(">1</attribute>");
    }
}

#[tokio::test]
async fn a_request_without_activities_prepares_its_session_too() {
    // Behaviour 41.
    let context = context(SET).await;
    let id = context.create().await;
    context.perform(&format!("{}{GET}", join(&id))).await.is_completed().says(">hello</attribute>");
}

#[tokio::test]
async fn what_refuses_a_session_leaves_none_and_no_activity_has_run() {
    // Behaviour 41.
    let context = Context::with(|builder, resource| {
        let mut resource = prepared(resource, &format!("{SET}{REFUSE}"));
        resource.session.limits.per_principal = Some(1);
        builder.resource(resource)
    })
    .await;
    for session in ["", "<session/>", "<session/>"] {
        let reply = context.perform(&format!("{session}{INSERT}")).await;
        reply.is_fault(403, "SessionRefused").says("<message>not for you</message>").says("recreateSession=\"false\"");
        assert!(!reply.text.contains("<location"), "{}", reply.text);
        assert_eq!(reply.header("rejoin-session"), "");
    }
    assert_eq!(what_is_there(&context).await, (0, "3".into()));
}

#[tokio::test]
async fn a_document_that_fails_refuses_with_what_failed() {
    // Behaviour 41.
    let context = context(FAIL).await;
    let reply = context.perform(&format!("<session/>{INSERT}")).await;
    reply.is_fault(403, "SessionRefused").says("no such table");
    assert_eq!(what_is_there(&context).await, (0, "3".into()));
}

/// Fails as a service does.
struct Broken;

#[async_trait]
impl Activity for Broken {
    const ELEMENT: &'static str = "broken";

    fn parse(_: &mut Fields<'_>, _: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self)
    }

    async fn run(self, _: ActivityContext) -> Result<(), ActivityError> {
        Err(ActivityError::server("Broken", "a detail for the log"))
    }
}

#[tokio::test]
async fn a_failure_of_the_service_is_no_refusal() {
    let context = Context::with(|builder, resource| {
        builder.activity::<Broken>().resource(prepared(resource, "<broken name=\"b\"/>"))
    })
    .await;
    let reply = context.perform("<session/>").await;
    reply.is_fault(500, "Internal");
    assert!(!reply.text.contains("a detail"), "{}", reply.text);
    assert_eq!(what_is_there(&context).await.0, 0);
}

#[tokio::test]
async fn what_runs_too_long_is_stopped_and_leaves_no_session() {
    // Behaviours 22 and 41.
    let context = Context::with(|builder, resource| {
        let mut resource = prepared(resource, "<sleep name=\"nap\" duration=\"PT10M\"/>");
        resource.session.join.execution = Some(Duration::from_millis(50));
        builder.resource(resource)
    })
    .await;
    context.perform(&format!("<session/>{INSERT}")).await.is_fault(504, "RequestTimedOut");
    assert_eq!(what_is_there(&context).await, (0, "3".into()));
}

#[tokio::test]
async fn a_client_that_leaves_meanwhile_leaves_no_session() {
    // Behaviour 41.
    let context = context("<sleep name=\"nap\" duration=\"PT10M\"/>").await;
    let creating = tokio::spawn(context.post(&format!("<session/>{INSERT}")).send());
    while what_is_there(&context).await.0 == 0 {}
    creating.abort();
    while what_is_there(&context).await.0 > 0 {}
    assert_eq!(what_is_there(&context).await.1, "3");
}

#[tokio::test]
async fn the_session_of_a_request_that_is_answered_at_once_is_prepared_before_the_answer() {
    // Behaviour 41.
    let context = context(SET).await;
    let at_once = async |content: &str| {
        let request = context.post(&format!("<session/>{content}")).header("prefer", "respond-async");
        let reply = Reply::of(request.send().await.unwrap()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        reply.session_id()
    };
    let id = at_once(INSERT).await;
    context.perform(&format!("{}{GET}", join(&id))).await.is_completed().says(">hello</attribute>");
    // One that fails leaves no session that is not prepared.
    let id = at_once(FAIL).await;
    context.perform(&format!("{}{GET}", join(&id))).await.is_fault(410, "SessionEnded");
}

/// Writes down how sessions end.
#[derive(Debug, Default)]
struct Ends(std::sync::Mutex<Vec<EndReason>>);

impl SessionListener for Ends {
    fn ended(&self, _: SessionEvent<'_>, reason: EndReason) {
        self.0.lock().unwrap().push(reason);
    }
}

#[tokio::test]
async fn of_a_request_that_fails_nothing_is_kept() {
    // Behaviours 19 and 41.
    let ends = Arc::new(Ends::default());
    let listener = Arc::clone(&ends);
    let context =
        Context::with(|builder, resource| builder.session_listener(listener).resource(prepared(resource, SET))).await;
    context.perform(&format!("<session/>{FAIL}")).await.is_fault(422, "ActivityFailed");
    assert_eq!(what_is_there(&context).await.0, 0);
    // Midway, when the client has heard the id: the session would be there without what prepares it.
    let midway = "<session/><sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 100000 UNION ALL SELECT i + 1 FROM n LIMIT 100000)
        SELECT i, CASE WHEN i &lt; 190000 THEN 1 ELSE json('{') END FROM n</expression><resultStream name=\"r\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"c\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";
    let reply = context.perform(midway).await;
    assert_eq!(reply.status, 200);
    reply.says("<request status=\"ERROR\">");
    context.perform(&format!("{}{GET}", join(&reply.session_id()))).await.is_fault(410, "SessionEnded");
    assert_eq!(*ends.0.lock().unwrap(), [EndReason::Killed, EndReason::Killed]);
    assert_eq!(what_is_there(&context).await.0, 0);
}

#[tokio::test]
async fn each_of_a_hundred_sessions_is_prepared_once() {
    // Behaviour 41.
    let context =
        Context::with(|builder, resource| builder.resource(prepared(resource, COUNT)).admission(16, 256)).await;
    let ids = futures_util::future::join_all((0..100).map(|_| context.create())).await;
    for id in ids {
        context.perform(&format!("{}{READ_COUNT}", join(&id))).await.is_completed().says(">1</attribute>");
    }
}

#[tokio::test]
async fn it_knows_who_asks_for_what() {
    // Behaviour 41.
    let init = "<requestInformation name=\"who\"><principal name=\"user\"/><requestId name=\"id\"/><document name=\"asked\"/></requestInformation>
        <deliverToSession name=\"a\"><fromLocal from=\"user\"/><toSession attribute=\"user\"/></deliverToSession>
        <deliverToSession name=\"b\"><fromLocal from=\"id\"/><toSession attribute=\"id\"/></deliverToSession>
        <deliverToSession name=\"c\"><fromLocal from=\"asked\"/><toSession attribute=\"asked\"/></deliverToSession>";
    let context = context(init).await;
    let take = |name: &str| {
        format!(
            "<deliverFromSession name=\"take-{name}\"><fromSession attribute=\"{name}\"/><toLocal name=\"{name}\"/></deliverFromSession>"
        )
    };
    let reply = context.perform(&format!("<session/>{}{}{}", take("user"), take("id"), take("asked"))).await;
    reply.is_completed().says(&format!("<![CDATA[{}]]>", reply.header("rejoin-request-id"))).says(
        "<![CDATA[<activities count=\"3\"><activity name=\"take-user\" type=\"deliverFromSession\"/>\
         <activity name=\"take-id\" type=\"deliverFromSession\"/><activity name=\"take-asked\" type=\"deliverFromSession\"/></activities>]]>",
    );
    // Nobody said who he is.
    reply.says("<result name=\"user\" status=\"COMPLETED\" contentType=\"text/plain; charset=utf-8\">");
}

/// Believes the header `X-User`; `admin` is an operator.
#[derive(Debug)]
struct Believing;

#[async_trait]
impl Authenticator for Believing {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError> {
        let user = headers.get("x-user").map_or("", |user| user.to_str().unwrap());
        Ok(Caller {
            principal: if user.is_empty() { Principal::anonymous() } else { Principal::new(user) },
            role: if user == "admin" { Role::Operator } else { Role::User },
        })
    }
}

/// A server that authenticates so.
pub(crate) fn believing(builder: ServerBuilder) -> ServerBuilder {
    let make =
        |_: &Element, _: &Path| -> Result<Arc<dyn Authenticator>, AuthenticatorError> { Ok(Arc::new(Believing)) };
    let element = Element::parse(b"<authentication impl='example.Believing'/>", &Limits::default()).unwrap();
    builder.authenticator("example.Believing", make).authentication(element, ".")
}

/// Lets in whom the database knows.
const GATE: &str = "<requestInformation name=\"who\"><principal name=\"user\"/></requestInformation>
    <sqlQueryStatement name=\"look\"><sqlParameter position=\"1\" from=\"user\"/>
      <expression>SELECT id FROM customer WHERE name = ?</expression><resultStream name=\"found\"/></sqlQueryStatement>
    <refuse name=\"gate\"><unless from=\"found\"/><message>you are no customer</message></refuse>";

#[tokio::test]
async fn a_condition_lets_some_in_and_others_not() {
    // Behaviour 41.
    let context = Context::with(|builder, resource| believing(builder).resource(prepared(resource, GATE))).await;
    let as_user = |name: &str| context.post("<session/>").header("x-user", name);
    Reply::of(as_user("Ada").send().await.unwrap()).await.is_completed();
    Reply::of(as_user("Eve").send().await.unwrap()).await.is_fault(403, "SessionRefused").says("you are no customer");
    // Whoever does not say who he is has no name at all.
    context.perform("<session/>").await.is_fault(403, "SessionRefused");
}

#[tokio::test]
async fn in_an_ordinary_request_a_condition_fails_the_request() {
    let context = Context::new().await;
    let condition = |town: &str| {
        format!(
            "<sqlQueryStatement name=\"look\"><expression>SELECT id FROM customer WHERE town = '{town}'</expression><resultStream name=\"found\"/></sqlQueryStatement>
             <refuse name=\"gate\"><unless from=\"found\"/><message>nobody lives in {town}</message></refuse>"
        )
    };
    context.perform(&condition("Oban")).await.is_completed();
    context.perform(&condition("Wick")).await.is_fault(403, "Forbidden").says("nobody lives in Wick").at(3, 14);
    let empty = "<echo name=\"say\"><text></text><output name=\"said\"/></echo><refuse name=\"gate\"><unless from=\"said\"/><message>no</message></refuse>";
    context.perform(empty).await.is_fault(403, "Forbidden").says("(Refused)");
    context.perform(REFUSE).await.is_fault(403, "Forbidden");
    context.perform("<refuse name=\"gate\"/>").await.is_fault(400, "DocumentInvalid").at(2, 1);
}

#[test]
fn what_can_not_be_run_in_new_sessions_is_refused_at_the_start_with_its_place() {
    // Behaviour 41.
    let cases = [
        ("<session/>", "init.xml:2:1", "leave `session` out"),
        (
            "<echo name=\"e\">\n<text>x</text><output name=\"o\"/></echo>",
            "init.xml:3:23",
            "nobody reads the stream `o`",
        ),
        (
            "<inputStream name=\"i\"><toLocal name=\"o\"/></inputStream>",
            "init.xml:2:1",
            "nobody can reach the stream `i`",
        ),
        ("<ecko name=\"e\"/>", "init.xml:2:1", "did you mean `echo`?"),
        ("<echo", "init.xml:", ""),
    ];
    for (init, place, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let resource = prepared(ConfiguredResource::new("data", folder.path()), init);
        let errors = Server::builder().resource(resource).build().unwrap_err().to_string();
        assert!(errors.contains(place) && errors.contains(words) && errors.lines().count() == 1, "{errors}");
    }
    let mut missing = ConfiguredResource::new("data", "/nowhere");
    missing.session.on_create = Some("init.xml".into());
    let errors = Server::builder().resource(missing).build().unwrap_err().to_string();
    assert!(errors.contains("`onCreate` names can't be read"), "{errors}");
}

#[tokio::test]
async fn a_changed_document_runs_in_the_sessions_from_then_on_and_a_broken_one_in_none() {
    // Behaviour 41.
    let says = |greeting: &str| perform(&SET.replace("hello", greeting));
    let folder = Folder::new("<onCreate perform='init.xml'/>");
    folder.write("init.xml", &says("one"));
    let served = folder.serve().await;
    let greets = async |greeting: &str| {
        served.context.perform(GET).await.is_completed().says(&format!(">{greeting}</attribute>"));
    };
    greets("one").await;
    served.edit_file("init.xml", &says("two")).await;
    greets("two").await;
    served.edit_file("init.xml", &perform("<ecko name=\"e\"/>")).await;
    greets("two").await;
    let properties =
        async || Reply::of(served.context.client.get(served.context.url()).send().await.unwrap()).await.text;
    let told = properties().await;
    assert!(told.contains("<configurationProblem file=\"init.xml\" line=\"2\" column=\"1\""), "{told}");
    served.edit_file("init.xml", &says("three")).await;
    greets("three").await;
    assert!(!properties().await.contains("configurationProblem"));
    served.edit("").await;
    served.context.perform(GET).await.is_fault(422, "ActivityFailed");
}
